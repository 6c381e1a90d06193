/** `./strata up`, `status`, `down`, `down --all` and `purge`, as an operator meets them, around a guest that runs. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { eventually, startTestCloud, type TestCloud, whyNoClient, whyNotReal } from './cloud.ts'
import { answers, BOOT_MS } from './guest.ts'
import { type OpenStack, openstack } from './openstack.ts'
import { cloudResidue, processesOf, tagOf } from './residue.ts'

describe('the life of a real cloud', { skip: whyNotReal() ?? whyNoClient() }, () => {
  let cloud: TestCloud
  let demo: OpenStack
  let floating: string
  let guest: { readonly id: string; readonly pids: readonly number[] }
  let known: { readonly tag: string; readonly networkIds: readonly string[]; readonly portIds: readonly string[] }
  let purged = false

  const qemus = () =>
    processesOf([guest.id])
      .filter(({ command }) => command.includes('qemu-system'))
      .map(({ pid }) => pid)
  const status = async () => (await demo.show('server', 'show', 'vm'))['status']

  before(async () => {
    cloud = await startTestCloud({ mode: 'real' })
    demo = openstack(cloud, 'strata-demo')
  })
  after(() => (purged ? undefined : cloud?.purge()))

  test('a second up says that it is up, and status says what runs', async () => {
    const pid = cloud.pid()
    const said = await cloud.up()
    assert.match(said, /is up already/)
    assert.ok(said.includes(cloud.url))
    assert.equal(cloud.pid(), pid)
    const { code, stdout } = await cloud.strata('status')
    assert.equal(code, 0)
    assert.match(stdout, /ready \(real\)/)
    assert.match(stdout, /QEMU \d/)
    assert.match(stdout, /OVN/)
    for (const file of ['clouds.yaml', 'openrc']) assert.ok(existsSync(join(cloud.state, file)), file)
    assert.match(readFileSync(join(cloud.env['HOME']!, '.config', 'openstack', 'clouds.yaml'), 'utf8'), /strata-demo:/)
  })

  test('a guest answers at its floating IP', async () => {
    await demo.run('security', 'group', 'rule', 'create', '--proto', 'tcp', '--dst-port', '22', 'default')
    const words = ['--image', 'tiny-linux', '--flavor', 'm1.nano', '--network', 'private', '--wait', 'vm']
    const server = await demo.show('server', 'create', ...words)
    assert.equal(server['status'], 'ACTIVE')
    floating = `${(await demo.show('floating', 'ip', 'create', 'public'))['floating_ip_address']}`
    await demo.run('server', 'add', 'floating', 'ip', 'vm', floating)
    guest = { id: server.id, pids: [] }
    guest = { ...guest, pids: qemus() }
    assert.equal(guest.pids.length, 1)
    await eventually('the guest answers', () => answers(floating, 22, 2000), BOOT_MS)
    const ids = async (...words: string[]) => (await demo.list(...words)).map(row => `${row['ID']}`)
    known = { tag: tagOf(cloud), networkIds: await ids('network', 'list'), portIds: await ids('port', 'list') }
  })

  test('down keeps the guest and its network, and up finds them', async () => {
    const { code, stdout } = await cloud.strata('down')
    assert.equal(code, 0, stdout)
    assert.match(stdout, /1 guest goes on running/)
    assert.equal(cloud.pid(), undefined)
    assert.equal((await cloud.strata('status')).code, 3)
    assert.deepEqual(qemus(), guest.pids)
    assert.ok(await answers(floating, 22, 5000), 'without its control plane')
    await cloud.up()
    assert.deepEqual(qemus(), guest.pids)
    assert.equal(await status(), 'ACTIVE')
    assert.ok(await answers(floating, 22, 5000))
  })

  test('down --all ends the guest and the daemons, and up makes it possible to start it again', async () => {
    const { code, stdout, stderr } = await cloud.strata('down', '--all')
    assert.equal(code, 0, stdout + stderr)
    assert.deepEqual(processesOf([cloud.state, `/run/strata-${known.tag}`]), [])
    await cloud.up()
    await eventually('the guest is known to be off', async () => (await status()) === 'SHUTOFF')
    await demo.run('server', 'start', 'vm')
    await eventually('the guest runs', async () => (await status()) === 'ACTIVE')
    await eventually('the guest answers', () => answers(floating, 22, 2000), BOOT_MS)
  })

  test('purge leaves nothing', async () => {
    const there = await cloudResidue(cloud, known)
    for (const kind of ['process', 'link', 'address', 'namespace', 'table', 'folder'])
      assert.ok(
        there.some(line => line.startsWith(`${kind} `)),
        `no ${kind} was found while the cloud was up:\n${there.join('\n')}`,
      )
    const { code, stdout, stderr } = await cloud.strata('purge')
    assert.equal(code, 0, stdout + stderr)
    assert.deepEqual(await cloudResidue(cloud, known), [])
    assert.equal(existsSync(join(cloud.env['HOME']!, '.config', 'openstack', 'clouds.yaml')), false)
    purged = true
    await cloud.purge()
  })
})
