/**
 * The everyday commands of Debian's own `openstack` client, as an administrator and as a member of a project, against a
 * cloud with simulated hosts. What the client prints is what is judged.
 */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { createReadStream, createWriteStream, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { after, before, describe, test } from 'node:test'
import { eventually, run, startTestCloud, type TestCloud, whyNoClient } from './cloud.ts'
import { growthDuring } from './memory.ts'
import { type Listed, type OpenStack, openstack } from './openstack.ts'

const MiB = 2 ** 20
let cloud: TestCloud
let admin: OpenStack
let demo: OpenStack

const column = (rows: readonly Listed[], name: string) => rows.map(row => row[name])
const names = (rows: readonly Listed[]) => column(rows, 'Name')

describe('the openstack client', { skip: whyNoClient() }, () => {
  before(async () => {
    cloud = await startTestCloud({ mode: 'simulated' })
    admin = openstack(cloud, 'strata')
    demo = openstack(cloud, 'strata-demo')
  })
  after(() => cloud?.purge())

  test('logs in and reads the catalog', async () => {
    for (const login of [admin, demo]) {
      const token = await login.show('token', 'issue')
      assert.match(`${token['id']}`, /^gAAAA/)
      assert.match(`${token['project_id']}`, /^[0-9a-f]{32}$/)
      const catalog = await login.list('catalog', 'list')
      assert.deepEqual(column(catalog, 'Type').sort(), ['compute', 'identity', 'image', 'network', 'placement'])
      assert.ok(JSON.stringify(catalog).includes(`${cloud.url}/compute/v2.1`))
    }
  })

  test('finds what a new cloud has', async () => {
    const flavors = await demo.list('flavor', 'list')
    for (const name of ['m1.nano', 'm1.tiny', 'm1.small', 'm1.medium', 'm1.large', 'm1.xlarge'])
      assert.ok(names(flavors).includes(name), name)
    assert.equal(flavors.find(flavor => flavor['Name'] === 'm1.nano')?.['RAM'], 64)
    assert.ok(names(await demo.list('image', 'list')).includes('tiny-linux'))
    assert.deepEqual(names(await demo.list('network', 'list')).sort(), ['private', 'public'])
    assert.ok(names(await demo.list('security', 'group', 'list')).includes('default'))
  })

  test('does what `strata up` tells a newcomer to try', async () => {
    const commands = (await cloud.up()).split('\n').filter(line => /^ +openstack /.test(line))
    assert.equal(commands.length, 3)
    for (const command of commands) await succeed('/bin/sh', '-c', command)
    await demo.run('server', 'delete', '--wait', 'vm1')
    // The administrator's login once more, as shell variables.
    await succeed('/bin/sh', '-c', '. "$0" && openstack project show admin', join(cloud.state, 'openrc'))
  })

  const noQemu = existsSync('/usr/bin/qemu-img') ? undefined : 'not installed: qemu-utils'
  for (const [format, skip] of [['raw'], ['qcow2', noQemu]] as const)
    test(`hands over 300 MiB of ${format} and back, byte for byte, without holding them`, { skip }, async () => {
      const raw = join(cloud.scratch, 'disk.raw')
      if (!existsSync(raw)) await pipeline(Readable.from(noise(300)), createWriteStream(raw))
      const file = join(cloud.scratch, `disk.${format}`)
      if (format === 'qcow2') await succeed('/usr/bin/qemu-img', 'convert', '-f', 'raw', '-O', format, raw, file)
      await carry({ file, format })
    })

  // Most of the time goes into starting the client, and none of these touches what another does.
  describe('side by side', { concurrency: 2 }, () => {
    test('refuses an image that lies about its format', async () => {
      const lie = join(cloud.scratch, 'lie')
      await pipeline(Readable.from(noise(1)), createWriteStream(lie))
      const said = await demo.refused('image', 'create', '--disk-format', 'qcow2', '--file', lie, 'lie')
      assert.match(said, /qcow2/)
      assert.equal((await demo.list('image', 'list', '--name', 'lie', '--status', 'active')).length, 0)
    })

    test('describes and lists images', async () => {
      const made = await demo.show('image', 'create', '--disk-format', 'raw', '--property', 'os_distro=none', 'empty')
      assert.equal(made['status'], 'queued')
      await demo.run('image', 'set', '--name', 'void', '--min-disk', '3', '--tag', 'spare', 'empty')
      const shown = await demo.show('image', 'show', 'void')
      assert.equal(shown['min_disk'], 3)
      assert.match(JSON.stringify(shown), /spare/)
      assert.ok(names(await demo.list('image', 'list')).includes('void'))
      await demo.run('image', 'delete', 'void')
      assert.match(await demo.refused('image', 'show', 'void'), /void/)
    })

    test('makes networks, subnets and ports', async () => {
      const network = await demo.show('network', 'create', '--description', 'for tests', 'blue')
      assert.equal(network['status'], 'ACTIVE')
      const subnet = await demo.show(
        ...['subnet', 'create', '--network', 'blue', '--subnet-range', '10.80.0.0/24', '--dns-nameserver', '9.9.9.9'],
        ...['--allocation-pool', 'start=10.80.0.50,end=10.80.0.60', 'blue4'],
      )
      assert.equal(subnet['gateway_ip'], '10.80.0.1')
      const slaac = ['--ipv6-ra-mode', 'slaac', '--ipv6-address-mode', 'slaac']
      const six = await demo.show(
        ...[
          'subnet',
          'create',
          '--network',
          'blue',
          '--ip-version',
          '6',
          '--subnet-range',
          'fd80::/64',
          ...slaac,
          'blue6',
        ],
      )
      assert.equal(six['ip_version'], 6)
      const port = await demo.show('port', 'create', '--network', 'blue', '--fixed-ip', 'ip-address=10.80.0.55', 'p1')
      assert.match(JSON.stringify(port['fixed_ips']), /10\.80\.0\.55/)
      await demo.run('port', 'set', '--name', 'p2', '--description', 'set', 'p1')
      assert.equal((await demo.show('port', 'show', 'p2'))['description'], 'set')
      await demo.run('network', 'set', '--name', 'azure', 'blue')
      await demo.run('subnet', 'set', '--dns-nameserver', '1.1.1.1', 'blue4')
      assert.match(JSON.stringify(await demo.show('subnet', 'show', 'blue4')), /1\.1\.1\.1/)
      assert.ok(names(await demo.list('network', 'list')).includes('azure'))
      assert.deepEqual(names(await demo.list('subnet', 'list', '--network', 'azure')).sort(), ['blue4', 'blue6'])
      // Beside the one of the metadata service.
      assert.ok(names(await demo.list('port', 'list', '--network', 'azure')).includes('p2'))
      assert.match(await demo.refused('network', 'delete', 'azure'), /409|in use/i)
      await demo.run('port', 'delete', 'p2')
      await demo.run('subnet', 'delete', 'blue4', 'blue6')
      await demo.run('network', 'delete', 'azure')
      assert.match(await demo.refused('network', 'show', 'azure'), /azure/)
    })

    test('makes routers, security groups and floating IPs', async () => {
      await demo.run('network', 'create', 'green')
      await demo.run('subnet', 'create', '--network', 'green', '--subnet-range', '10.81.0.0/24', 'green4')
      await demo.run('router', 'create', 'r1')
      await demo.run('router', 'add', 'subnet', 'r1', 'green4')
      await demo.run('router', 'set', '--external-gateway', 'public', '--description', 'out', 'r1')
      const router = await demo.show('router', 'show', 'r1')
      assert.match(JSON.stringify(router['external_gateway_info']), /172\.24\./)
      assert.match(JSON.stringify(router['interfaces_info']), /10\.81\.0\.1/)
      assert.ok(names(await demo.list('router', 'list')).includes('r1'))

      await demo.run('security', 'group', 'create', '--description', 'for the web', 'web')
      const rule = await demo.show(
        'security',
        'group',
        'rule',
        'create',
        '--proto',
        'tcp',
        '--dst-port',
        '80:81',
        'web',
      )
      assert.equal(rule['port_range_max'], 81)
      await demo.run('security', 'group', 'set', '--name', 'www', 'web')
      assert.ok(column(await demo.list('security', 'group', 'rule', 'list', 'www'), 'ID').includes(rule.id))
      assert.match(JSON.stringify(await demo.show('security', 'group', 'show', 'www')), new RegExp(rule.id))
      await demo.run('security', 'group', 'rule', 'delete', rule.id)
      await demo.run('security', 'group', 'delete', 'www')

      const port = await demo.show('port', 'create', '--network', 'green', 'g1')
      const floating = await demo.show('floating', 'ip', 'create', 'public')
      const address = `${floating['floating_ip_address']}`
      await demo.run('floating', 'ip', 'set', '--port', 'g1', address)
      assert.equal((await demo.show('floating', 'ip', 'show', address))['port_id'], port.id)
      assert.ok(column(await demo.list('floating', 'ip', 'list'), 'Floating IP Address').includes(address))
      await demo.run('floating', 'ip', 'unset', '--port', address)
      await demo.run('floating', 'ip', 'delete', address)
      await demo.run('port', 'delete', 'g1')
      await demo.run('router', 'unset', '--external-gateway', 'r1')
      await demo.run('router', 'remove', 'subnet', 'r1', 'green4')
      await demo.run('router', 'delete', 'r1')
      await demo.run('network', 'delete', 'green')
    })

    test('leads a server through its life', async () => {
      const made = await demo.run('keypair', 'create', 'made')
      assert.match(made, /BEGIN OPENSSH PRIVATE KEY|BEGIN RSA PRIVATE KEY/)
      const key = join(cloud.scratch, 'key')
      await succeed('/usr/bin/ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', key)
      await demo.run('keypair', 'create', '--public-key', `${key}.pub`, 'mine')
      assert.deepEqual(names(await demo.list('keypair', 'list')).sort(), ['made', 'mine'])
      assert.equal(
        (await demo.run('keypair', 'show', '--public-key', 'mine')).trim(),
        readFileSync(`${key}.pub`, 'utf8').trim(),
      )

      const server = await demo.show(...serverCreate('vm1', '--key-name', 'mine', '--property', 'role=db'))
      assert.equal(server['status'], 'ACTIVE')
      const shown = await demo.show('server', 'show', 'vm1')
      assert.match(JSON.stringify(shown['addresses']), /10\.0\.0\.\d+/)
      assert.match(JSON.stringify(shown['flavor']), /m1\.nano/)
      assert.match(JSON.stringify(shown['image']), /tiny-linux/)
      assert.equal(shown['key_name'], 'mine')
      const [row] = await demo.list('server', 'list')
      assert.equal(row?.['Name'], 'vm1')
      assert.equal(row?.['Status'], 'ACTIVE')
      assert.equal(row?.['Flavor'], 'm1.nano')
      assert.ok((await demo.run('console', 'log', 'show', 'vm1')).length > 0)

      await demo.run('server', 'stop', 'vm1')
      await hasStatus('vm1', 'SHUTOFF')
      await demo.run('server', 'start', 'vm1')
      await hasStatus('vm1', 'ACTIVE')
      await demo.run('server', 'reboot', '--wait', 'vm1')
      await demo.run('server', 'reboot', '--hard', '--wait', 'vm1')
      await hasStatus('vm1', 'ACTIVE')

      const floating = await demo.show('floating', 'ip', 'create', 'public')
      const address = `${floating['floating_ip_address']}`
      await demo.run('server', 'add', 'floating', 'ip', 'vm1', address)
      assert.match(JSON.stringify((await demo.show('server', 'show', 'vm1'))['addresses']), new RegExp(address))
      await demo.run('server', 'remove', 'floating', 'ip', 'vm1', address)
      await demo.run('floating', 'ip', 'delete', address)
      await demo.run('security', 'group', 'create', 'extra')
      await demo.run('server', 'add', 'security', 'group', 'vm1', 'extra')
      assert.match(JSON.stringify((await demo.show('server', 'show', 'vm1'))['security_groups']), /extra/)
      await demo.run('server', 'remove', 'security', 'group', 'vm1', 'extra')
      await demo.run('security', 'group', 'delete', 'extra')
      await demo.run('server', 'set', '--name', 'vm2', 'vm1')
      assert.deepEqual(names(await demo.list('server', 'list')), ['vm2'])
      const events = await demo.list('server', 'event', 'list', 'vm2')
      for (const action of ['create', 'stop', 'start', 'reboot'])
        assert.ok(column(events, 'Action').includes(action), action)

      await demo.run('server', 'delete', '--wait', 'vm2')
      assert.deepEqual(await demo.list('server', 'list'), [])
      const ports = await demo.list('port', 'list', '--device-owner', 'compute:nova')
      assert.deepEqual(ports, [])
      await demo.run('keypair', 'delete', 'mine', 'made')
    })

    test("does not show a member another project's things", async () => {
      await admin.run('network', 'create', 'hidden')
      assert.ok(!names(await demo.list('network', 'list')).includes('hidden'))
      assert.match(await demo.refused('network', 'show', 'hidden'), /hidden/)
      await admin.run('network', 'delete', 'hidden')
      for (const words of [
        ['hypervisor', 'list'],
        ['compute', 'service', 'list'],
        ['user', 'list'],
      ])
        assert.match(await demo.refused(...words), /403/, words.join(' '))
    })

    test('shows an administrator the hosts', async () => {
      const hypervisors = await admin.list('hypervisor', 'list')
      assert.equal(hypervisors.length, 3)
      assert.deepEqual(new Set(column(hypervisors, 'State')), new Set(['up']))
      const services = await admin.list('compute', 'service', 'list')
      assert.equal(services.filter(one => one['Binary'] === 'nova-compute' && one['State'] === 'up').length, 3)
      const agents = await admin.list('network', 'agent', 'list')
      assert.equal(agents.length, 3)
      assert.ok(agents.every(agent => agent['Alive'] === true || agent['Alive'] === ':-)'))
      assert.ok((await admin.list('availability', 'zone', 'list', '--compute')).length > 0)
    })

    test('lets an administrator keep people and projects', async () => {
      await admin.run('domain', 'create', '--description', 'for tests', 'works')
      await admin.run('project', 'create', '--domain', 'works', 'plant')
      await admin.run('user', 'create', '--domain', 'works', '--password', 'a long password', 'ann')
      await admin.run('role', 'create', 'auditor')
      const who = ['--user', 'ann', '--user-domain', 'works', '--project', 'plant', '--project-domain', 'works']
      await admin.run('role', 'add', ...who, 'auditor')
      const assignments = await admin.list('role', 'assignment', 'list', '--names', ...who)
      assert.deepEqual(column(assignments, 'Role'), ['auditor'])
      assert.ok(names(await admin.list('project', 'list', '--domain', 'works')).includes('plant'))
      assert.ok(names(await admin.list('user', 'list', '--domain', 'works')).includes('ann'))
      assert.ok(names(await admin.list('role', 'list')).includes('auditor'))
      assert.ok(names(await admin.list('domain', 'list')).includes('works'))
      await admin.run('role', 'remove', ...who, 'auditor')
      await admin.run('role', 'delete', 'auditor')
      await admin.run('user', 'delete', '--domain', 'works', 'ann')
      await admin.run('project', 'delete', '--domain', 'works', 'plant')
      assert.match(await admin.refused('domain', 'delete', 'works'), /403|disabled/i)
      await admin.run('domain', 'set', '--disable', 'works')
      await admin.run('domain', 'delete', 'works')
    })

    test('lets an administrator keep the catalog', async () => {
      const service = await admin.show('service', 'create', '--name', 'clock', 'timekeeping')
      const endpoint = await admin.show(
        ...['endpoint', 'create', '--region', 'RegionOne', service.id, 'public', 'http://127.0.0.1:9/clock'],
      )
      assert.ok(names(await admin.list('service', 'list')).includes('clock'))
      assert.ok(column(await admin.list('endpoint', 'list'), 'ID').includes(endpoint.id))
      assert.ok(column(await demo.list('catalog', 'list'), 'Type').includes('timekeeping'))
      await admin.run('endpoint', 'delete', endpoint.id)
      await admin.run('service', 'delete', service.id)
      assert.ok(!names(await admin.list('service', 'list')).includes('clock'))
    })
  })
})

const serverCreate = (name: string, ...words: readonly string[]) => [
  ...['server', 'create', '--image', 'tiny-linux', '--flavor', 'm1.nano', '--network', 'private', '--wait'],
  ...words,
  name,
]

const hasStatus = (name: string, status: string) =>
  eventually(`${name} is ${status}`, async () => (await demo.show('server', 'show', name))['status'] === status)

async function succeed(program: string, ...words: readonly string[]): Promise<void> {
  const { code, stderr } = await run({ program, words, env: cloud.env })
  assert.equal(code, 0, stderr)
}

/** So many MiB that nothing can make smaller. */
function* noise(count: number): Generator<Buffer> {
  // A disk's first sector without any known format's mark.
  yield Buffer.alloc(MiB)
  for (let n = 1; n < count; n++) yield randomBytes(MiB)
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

/** Uploads and downloads a file, watching the server's memory and comparing what comes back. */
async function carry({ file, format }: { file: string; format: string }): Promise<void> {
  const name = `big-${format}`
  const back = join(cloud.scratch, `back.${format}`)
  const grown = await growthDuring(cloud.pid()!, async () => {
    await demo.run('image', 'create', '--disk-format', format, '--file', file, name)
    await demo.run('image', 'save', '--file', back, name)
  })
  const image = await demo.show('image', 'show', name)
  assert.equal(image['status'], 'active')
  assert.equal(await sha256(back), await sha256(file))
  assert.ok(grown < 60 * MiB, `the server grew by ${Math.round(grown / MiB)} MiB`)
  await demo.run('image', 'delete', name)
}
