/**
 * Real guests on real networks, made with Debian's own client: what a guest is told, whom it reaches, and that nothing
 * of it is left when it is gone.
 */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { eventually, startTestCloud, type TestCloud, whyNoClient, whyNotReal } from './cloud.ts'
import { answers, booted, consoleShows, type Login, logInTo, makeKey } from './guest.ts'
import { type Api, logIn } from './http.ts'
import { type OpenStack, openstack } from './openstack.ts'
import { ovnPorts, processesOf, serverResidue, tagOf } from './residue.ts'

/** What guests say to the outside, by who they are: the address that they come from. */
interface Listener {
  readonly port: number
  readonly heard: Map<string, string>
  readonly server: Server
}

let cloud: TestCloud
let admin: OpenStack
let demo: OpenStack
let other: OpenStack
let api: Api
let key: string
let outside: Listener
let first: { readonly id: string; readonly address: string; readonly console: string; readonly login: Login }

const skip = whyNotReal() ?? whyNoClient()

describe('real guests', { skip }, () => {
  before(async () => {
    cloud = await startTestCloud({ mode: 'real' })
    admin = openstack(cloud, 'strata')
    demo = openstack(cloud, 'strata-demo')
    api = await logIn(cloud, 'strata')
    key = await makeKey(cloud, 'tester')
    outside = await listen(cloud.outside)
  })
  after(async () => {
    outside?.server.close()
    await cloud?.purge()
  })

  test('start on networks of two projects', async () => {
    await admin.run('project', 'create', 'other')
    await admin.run('role', 'add', '--user', 'admin', '--project', 'other', 'member')
    other = openstack(cloud, 'strata', 'other')
    await other.run('network', 'create', 'theirs')
    // The same addresses as on demo's network, so that nothing but the networks keeps the two apart.
    await other.run('subnet', 'create', '--network', 'theirs', '--subnet-range', '10.0.0.0/24', 'theirs4')
    await demo.run('keypair', 'create', '--public-key', `${key}.pub`, 'tester')
    await demo.run('security', 'group', 'create', 'closed')
    const script = join(cloud.scratch, 'user-data')
    writeFileSync(script, userData(cloud.outside, outside.port))
    const mine = ['--key-name', 'tester', '--network', 'private', '--user-data', script]
    const made = await Promise.all([
      demo.show(...serverCreate('vm1', ...mine, '--security-group', 'closed', '--property', 'colour=teal')),
      demo.show(...serverCreate('vm2', ...mine, '--config-drive', 'true')),
      other.show(...serverCreate('vm3', '--nic', 'net-id=theirs,v4-fixed-ip=10.0.0.203', '--user-data', script)),
    ])
    for (const server of made) {
      assert.equal(server['status'], 'ACTIVE')
      assert.equal(processesOf([server.id]).length, 1, 'one QEMU process')
    }
  })

  test('take their address, name, key and user data from the metadata service', async () => {
    const console = await consoleShows(demo, 'vm1', /tiny-linux: ready in [\s\S]*login:/)
    assert.match(console, /hostname vm1, instance \S+, metadata from http:\/\/169\.254\.169\.254\/openstack/)
    assert.match(console, /user data ended with status 0/)
    const server = await demo.show('server', 'show', 'vm1')
    const address = /10\.0\.0\.\d+/.exec(JSON.stringify(server['addresses']))?.[0]
    assert.ok(console.includes(`eth0 ${address}/24`), `${address} by DHCP`)
    const id = server.id
    first = { id, address: address!, console, login: undefined as unknown as Login }
  })

  test('take the same from a config drive', async () => {
    const console = await booted(demo, 'vm2')
    assert.match(console, /hostname vm2, instance \S+, metadata from config drive \/dev\//)
    assert.match(console, /user data ended with status 0/)
  })

  test("reach the outside behind their router's address", async () => {
    const router = await demo.show('router', 'show', 'router1')
    const gateway = /172\.24\.\d+\.\d+/.exec(JSON.stringify(router['external_gateway_info']))?.[0]
    assert.ok(gateway)
    for (const name of ['vm1', 'vm2'])
      assert.equal(await eventually(`${name} is heard`, () => outside.heard.get(name)), gateway)
  })

  test('are reached by floating IP and key, once a rule lets it', async () => {
    const floating = `${(await demo.show('floating', 'ip', 'create', 'public'))['floating_ip_address']}`
    await demo.run('server', 'add', 'floating', 'ip', 'vm1', floating)
    assert.equal(await answers(floating, 22, 3000), false, 'no rule, no way in')
    await demo.run('security', 'group', 'rule', 'create', '--proto', 'tcp', '--dst-port', '22', 'closed')
    const login = await logInTo({ cloud, address: floating, key, console: first.console })
    first = { ...first, login }
    assert.equal((await login.run('hostname')).trim(), 'vm1')
    assert.equal((await login.run('cat /var/user-data-ran')).trim(), 'vm1')
    const stranger = await makeKey(cloud, 'stranger')
    const refused = await logInTo({ cloud, address: floating, key: stranger, console: first.console })
    assert.equal(await refused.can('true'), false, "another's key")
  })

  test('read their metadata in both trees', async () => {
    const get = (path: string) => first.login.run(`wget -q -O - http://169.254.169.254${path}`)
    const openstackTree = JSON.parse(await get('/openstack/latest/meta_data.json'))
    assert.equal(openstackTree.uuid, first.id)
    assert.equal(openstackTree.name, 'vm1')
    assert.deepEqual(openstackTree.meta, { colour: 'teal' })
    assert.match(openstackTree.public_keys.tester, /^ssh-ed25519 /)
    assert.match(await get('/openstack/latest/user_data'), /^#!\/bin\/sh/)
    assert.match(await get('/openstack/latest/network_data.json'), /"links"/)
    assert.match(await get('/latest/meta-data/instance-id'), /^i-[0-9a-f]{8}/)
    assert.equal((await get('/latest/meta-data/local-ipv4')).trim(), first.address)
    assert.match(await get('/latest/meta-data/hostname'), /^vm1/)
    assert.match(await get('/latest/meta-data/public-keys/0/openssh-key'), /^ssh-ed25519 /)
    assert.match(await get('/latest/user-data'), /^#!\/bin\/sh/)
    assert.equal(await first.login.can('wget -q -O - http://169.254.169.254/openstack/latest/nothing'), false)
  })

  test('reach each other on one network, and nobody on the network of another project', async () => {
    await booted(other, 'vm3')
    const { addresses } = await demo.show('server', 'show', 'vm2')
    const second = /10\.0\.0\.\d+/.exec(JSON.stringify(addresses))?.[0]
    // The group "default" lets in only its own members.
    assert.equal(await first.login.can(`ping -c 1 -W 3 ${second}`), false, 'not yet let in')
    await demo.run('server', 'add', 'security', 'group', 'vm1', 'default')
    await eventually('vm2 lets vm1 in', () => first.login.can(`ping -c 1 -W 2 ${second}`))
    assert.match(await first.login.run(`nc -w 5 ${second} 22 < /dev/null`), /SSH-2\.0/)
    assert.equal(await first.login.can('ping -c 2 -W 2 10.0.0.203'), false, 'vm3 is in another network')
    assert.equal(await first.login.can('nc -w 3 10.0.0.203 22 < /dev/null | grep SSH'), false)
  })

  test('stop, start and reboot, and are there again', async () => {
    await demo.run('server', 'stop', 'vm2')
    await eventually(
      'vm2 is off',
      async () => (await demo.show('server', 'show', 'vm2'))['status'] === 'SHUTOFF',
      90_000,
    )
    const { id } = await demo.show('server', 'show', 'vm2')
    assert.deepEqual(processesOf([id]), [])
    await demo.run('server', 'start', 'vm2')
    await eventually('vm2 is on', async () => (await demo.show('server', 'show', 'vm2'))['status'] === 'ACTIVE')
    await first.login.run('echo kept > /var/marker 2>/dev/null || doas sh -c "echo kept > /var/marker"; sync')
    await demo.run('server', 'reboot', '--hard', '--wait', 'vm1')
    await eventually('vm1 answers again', () => first.login.can('test "$(cat /var/marker)" = kept'), 180_000)
  })

  test('leave nothing behind when they are deleted', async () => {
    const tag = tagOf(cloud)
    for (const name of ['vm1', 'vm2']) {
      const { id } = await demo.show('server', 'show', name)
      const portIds = (await demo.list('port', 'list', '--server', name)).map(port => `${port['ID']}`)
      const allocations = async () => (await api.call('GET', `/placement/allocations/${id}`)).json.allocations
      // What is looked for is found while the server is there.
      const there = serverResidue(cloud, { id, portIds })
      assert.ok(
        there.some(line => line.startsWith('process ')) && there.some(line => line.startsWith('tap')),
        `${there}`,
      )
      assert.ok(
        there.some(line => line.includes(`/instances/${id}`)),
        `${there}`,
      )
      const inOvn = async () => (await ovnPorts(cloud, tag)).filter(port => portIds.includes(port))
      assert.equal((await inOvn()).length, 1)
      assert.equal(Object.keys(await allocations()).length, 1)
      await demo.run('server', 'delete', '--wait', name)
      assert.deepEqual(serverResidue(cloud, { id, portIds }), [])
      assert.deepEqual(await inOvn(), [])
      assert.deepEqual(await allocations(), {})
      assert.equal((await api.call('GET', `/network/v2.0/ports?device_id=${id}`)).json.ports.length, 0)
    }
  })
})

const serverCreate = (name: string, ...words: readonly string[]) => [
  ...['server', 'create', '--image', 'tiny-linux', '--flavor', 'm1.nano', '--wait'],
  ...words,
  name,
]

/** Leaves a file, and tells the outside who it is. */
const userData = (address: string, port: number) => `#!/bin/sh
hostname > /var/user-data-ran
hostname | nc -w 10 ${address} ${port}
exit 0
`

function listen(address: string): Promise<Listener> {
  const heard = new Map<string, string>()
  const server = createServer(socket => {
    socket.setEncoding('utf8').on('data', text => heard.set(`${text}`.trim(), `${socket.remoteAddress}`))
    socket.on('error', () => {})
  })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, address, () => resolve({ port: (server.address() as { port: number }).port, heard, server }))
  })
}
