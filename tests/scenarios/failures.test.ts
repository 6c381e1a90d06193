/** Builds that cannot succeed on a real host: what their owner is told, and that nothing is held for them. */
import assert from 'node:assert/strict'
import { truncateSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { run, startTestCloud, type TestCloud, whyNoClient, whyNotReal } from './cloud.ts'
import { type Api, logIn } from './http.ts'
import { type OpenStack, openstack } from './openstack.ts'
import { serverResidue } from './residue.ts'

let cloud: TestCloud
let demo: OpenStack
let api: Api

describe('a build that fails', { skip: whyNotReal() ?? whyNoClient() }, () => {
  before(async () => {
    cloud = await startTestCloud({ mode: 'real' })
    demo = openstack(cloud, 'strata-demo')
    api = await logIn(cloud, 'strata')
  })
  after(() => cloud?.purge())

  test('for want of room says which hosts were turned away by what, in numbers', async () => {
    // A pebibyte: disk has no quota, and no machine that runs this has it.
    await openstack(cloud, 'strata').run(
      ...['flavor', 'create', '--ram', '64', '--disk', '1048576', '--vcpus', '1', 'giant'],
    )
    const fault = await faultOf('giant', ['--image', 'tiny-linux', '--flavor', 'giant'])
    assert.match(fault, /No valid host was found\..*\d/)
  })

  test('for a corrupt image says so', async () => {
    const image = join(cloud.scratch, 'corrupt.qcow2')
    const words = ['create', '-q', '-f', 'qcow2', image, '64M']
    const { code, stderr } = await run({ program: '/usr/bin/qemu-img', words, env: cloud.env })
    assert.equal(code, 0, stderr)
    // The header stays; the tables that it points at are cut off.
    truncateSync(image, 65_536)
    await demo.run('image', 'create', '--disk-format', 'qcow2', '--file', image, 'corrupt')
    const fault = await faultOf('corrupt', ['--image', 'corrupt', '--flavor', 'm1.nano'])
    assert.match(fault, /[Ii]mage [0-9a-f-]{36} is corrupt/)
  })
})

/** Creates a server that must fail, checks that it holds nothing, deletes it, and gives what it said. */
async function faultOf(name: string, words: readonly string[]): Promise<string> {
  // Debian's client says so, and yet ends with 0.
  const said = await demo.run('server', 'create', '--wait', '--network', 'private', ...words, name)
  assert.match(said, /Error creating server/)
  const server = await demo.show('server', 'show', name)
  assert.equal(server['status'], 'ERROR')
  assert.deepEqual(serverResidue(cloud, { id: server.id, portIds: [] }), [])
  assert.deepEqual((await api.call('GET', `/placement/allocations/${server.id}`)).json.allocations, {})
  assert.deepEqual((await api.call('GET', `/network/v2.0/ports?device_id=${server.id}`)).json.ports, [])
  await demo.run('server', 'delete', '--wait', name)
  assert.match(await demo.refused('server', 'show', name), /No server/i)
  return JSON.stringify(server['fault'])
}
