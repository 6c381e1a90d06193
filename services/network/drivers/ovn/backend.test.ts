/**
 * The driver against real daemons and a real data plane. Network namespaces are the guests and this machine is the
 * outside; nothing is left on it afterwards. Needs root, OVN, Open vSwitch, HAProxy, ethtool and nftables.
 */

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import { createOvsdbClient, openLocalSwitch } from '@strata/toolkit/ovsdb'
import { EMPTY_SNAPSHOT, type NetworkBackend, type NetworkSnapshot, type PortStatus } from '../../logic/ports.ts'
import { createOvnBackend } from './backend.ts'
import { disableOffloads, run, succeeds } from './commands.ts'
import { whyNotOvn } from './daemons.ts'
import { id, mac, rule, smallCloud } from './fixtures.ts'
import { createOvnHost, type OvnHost } from './host.ts'
import { ovnLayout } from './layout.ts'
import { eventually, runningPid } from './processes.ts'

const EXTERNAL = '172.31.77'
const HOST = 'strata-test-host'
const missing = whyNotOvn() ?? (existsSync('/usr/sbin/nft') ? undefined : '/usr/sbin/nft is missing')
const skip = missing ?? false

const stateDir = skip ? '' : mkdtempSync('/tmp/strata-ovn-')
const layout = ovnLayout(stateDir)
const namespace = (guest: string): string => `st-${layout.tag.slice(0, 6)}-${guest}`
const link = (guest: string): string => `st${layout.tag.slice(0, 6)}${guest}`
const children: ChildProcess[] = []
const logs: string[] = []
let host: OvnHost
let backend: NetworkBackend
const metadataService = createServer((request, response) => response.end(JSON.stringify(request.headers)))

const cloud = (): NetworkSnapshot => {
  const snapshot = smallCloud(EXTERNAL)
  const ports = snapshot.ports.map(port =>
    port.device_owner === 'compute:nova' ? { ...port, 'binding:host_id': HOST } : port,
  )
  return { ...snapshot, ports }
}

const openHost = (): OvnHost =>
  createOvnHost({
    stateDir,
    host: HOST,
    watchMs: 200,
    external: { gatewayCidr: `${EXTERNAL}.1/24` },
    log: message => logs.push(message),
  })
const openBackend = (): NetworkBackend =>
  createOvnBackend({ northbound: host.remotes.northbound, southbound: host.remotes.southbound })

/** Serves on TCP ports in a guest, answering with the client's address. */
function serveIn(guest: string, ports: readonly number[]): void {
  const code = `for (const port of ${JSON.stringify(ports)}) require('net').createServer(s => s.end(s.remoteAddress)).listen(port, '0.0.0.0')`
  children.push(spawn('ip', ['netns', 'exec', namespace(guest), process.execPath, '-e', code], { stdio: 'ignore' }))
}

/** What a TCP server answers to a guest; `failed` when it cannot be reached within a second and a half. */
function askFrom(guest: string, address: string, port: number): Promise<string> {
  const code = `const s = require('net').connect(${port}, '${address}'); let t = ''
    s.on('data', d => t += d).on('end', () => { console.log(t.replace('::ffff:', '')); process.exit() }).on('error', () => { console.log('failed'); process.exit() })
    setTimeout(() => { console.log('failed'); process.exit() }, 1500)`
  return run('ip', ['netns', 'exec', namespace(guest), process.execPath, '-e', code]).then(text => text.trim())
}

function askFromHost(address: string, port: number): Promise<string> {
  return new Promise(resolve => {
    let text = ''
    const socket = connect({ host: address, port, timeout: 1500 })
    const fail = () => {
      socket.destroy()
      resolve('failed')
    }
    socket.on('data', chunk => {
      text += chunk
    })
    socket.on('end', () => resolve(text.replace('::ffff:', '')))
    socket.on('error', fail).on('timeout', fail)
  })
}

/** Asks until the answer is as wanted, since flows take a moment to reach the switch. */
async function answers(ask: () => Promise<string>, wanted: string, timeoutMs = 10_000): Promise<void> {
  let last = ''
  for (const deadline = performance.now() + timeoutMs; performance.now() < deadline; ) {
    last = await ask()
    if (last === wanted) return
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  assert.equal(last, wanted)
}

async function plugGuest(guest: string, cidr: string, gateway: string): Promise<void> {
  const [space, device] = [namespace(guest), link(guest)]
  const inside = (...args: string[]) => run('ip', ['-n', space, ...args])
  await run('ip', ['netns', 'add', space])
  await run('ip', ['link', 'add', device, 'mtu', '1442', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', space])
  await disableOffloads(device)
  await disableOffloads('eth0', space)
  await run('ip', ['link', 'set', device, 'up'])
  await inside('link', 'set', 'eth0', 'address', mac(guest), 'mtu', '1442', 'up')
  await inside('address', 'add', cidr, 'dev', 'eth0')
  await inside('route', 'add', 'default', 'via', gateway)
  const client = createOvsdbClient({ remote: host.remotes.openVSwitch })
  await client.connect()
  const localSwitch = await openLocalSwitch(client)
  await localSwitch.ensurePort({
    bridge: host.integrationBridge,
    name: device,
    interfaceIds: { 'iface-id': id(guest) },
  })
  client.close()
}

before(async () => {
  if (skip) return
  host = openHost()
  await host.start()
  metadataService.listen({ path: host.metadataSocket, readableAll: true, writableAll: true })
  backend = openBackend()
  await backend.open()
})

after(async () => {
  if (skip) return
  for (const child of children) child.kill('SIGKILL')
  for (const guest of ['r1', 'r2', 'b1']) await run('ip', ['netns', 'delete', namespace(guest)]).catch(() => {})
  metadataService.close()
  await backend?.close()
  await host?.stop()
  rmSync(stateDir, { recursive: true, force: true })
})

test('a snapshot becomes rows once, and ports come up on the host that has them', {
  skip,
  timeout: 30_000,
}, async () => {
  const events: PortStatus[] = []
  backend.watchPorts(status => events.push(status))
  const first = await backend.sync(cloud())
  assert.ok(first.created > 20 && first.updated === 0 && first.deleted === 0)
  await plugGuest('r1', '10.61.0.11/24', '10.61.0.1')
  await plugGuest('r2', '10.61.0.12/24', '10.61.0.1')
  await plugGuest('b1', '10.62.0.11/24', '10.62.0.1')
  const isUp = (guest: string) =>
    events.some(({ port_id, status, host }) => port_id === id(guest) && status === 'ACTIVE' && host === HOST)
  assert.ok(await eventually(() => ['r1', 'r2', 'b1'].every(isUp), 10_000), JSON.stringify(events))
  const { durationMs, ...second } = await backend.sync(cloud())
  assert.deepEqual(second, { created: 0, updated: 0, deleted: 0 })
})

test('security groups and networks separate, TCP passes where allowed', { skip, timeout: 30_000 }, async () => {
  serveIn('r1', [8080, 8081])
  serveIn('b1', [8080])
  await answers(() => askFrom('r2', '10.61.0.11', 8080), '10.61.0.12')
  const denied = [
    askFrom('r2', '10.61.0.11', 8081),
    askFrom('b1', '10.61.0.11', 8080),
    askFrom('r2', '10.62.0.11', 8080),
  ]
  assert.deepEqual(await Promise.all(denied), ['failed', 'failed', 'failed'])
})

test('a floating IP is reached from outside once a rule allows it, and cut when it goes', {
  skip,
  timeout: 30_000,
}, async () => {
  const ask = () => askFromHost(`${EXTERNAL}.50`, 8081)
  assert.equal(await ask(), 'failed')
  const open = rule('web', {
    protocol: 'tcp',
    port_range_min: 8081,
    port_range_max: 8081,
    remote_ip_prefix: '0.0.0.0/0',
  })
  const report = await backend.apply({ put: { security_group_rules: [open] } })
  assert.deepEqual([report.created, report.updated, report.deleted], [1, 1, 0])
  await answers(ask, `${EXTERNAL}.1`)
  await backend.apply({ removed: [open.id] })
  await answers(ask, 'failed')
  await backend.apply({ put: { security_group_rules: [open] } })
  await answers(ask, `${EXTERNAL}.1`)
})

test("a guest without floating IP leaves by its router's address", { skip, timeout: 30_000 }, async () => {
  const outside = createServer((request, response) => response.end(request.socket.remoteAddress))
  await new Promise<void>(resolve => outside.listen(0, `${EXTERNAL}.1`, resolve))
  const { port } = outside.address() as { port: number }
  const get = (guest: string) =>
    run('ip', ['netns', 'exec', namespace(guest), process.execPath, '-e', fetchCode(`http://${EXTERNAL}.1:${port}/`)])
  await answers(() => get('r2'), `${EXTERNAL}.10`)
  await answers(() => get('r1'), `${EXTERNAL}.50`)
  outside.close()
  outside.closeAllConnections()
})

function fetchCode(url: string, headers: Record<string, string> = {}): string {
  const options = `{ headers: ${JSON.stringify(headers)}, signal: AbortSignal.timeout(1500) }`
  return `fetch('${url}', ${options}).then(r => r.text()).catch(() => 'failed').then(t => process.stdout.write(t))`
}

test('metadata requests arrive with the network and the address they came from, not with what a guest claims', {
  skip,
  timeout: 30_000,
}, async () => {
  const ask = (guest: string) => {
    const code = fetchCode('http://169.254.169.254/openstack/latest/meta_data.json', {
      'X-Forwarded-For': '10.61.0.99',
      'X-OVN-Network-ID': 'x',
      'X-Instance-ID': 'x',
    })
    return run('ip', ['netns', 'exec', namespace(guest), process.execPath, '-e', code])
  }
  for (const [guest, networkName, address, metadataIp] of [
    ['r1', 'red', '10.61.0.11', '10.61.0.2'],
    ['b1', 'blue', '10.62.0.11', '10.62.0.2'],
  ] as const) {
    await run('ip', ['-n', namespace(guest), 'route', 'add', '169.254.169.254/32', 'via', metadataIp])
    const seen = async (): Promise<string> => {
      const text = await ask(guest)
      if (!text.startsWith('{')) return text
      const headers = JSON.parse(text)
      return `${headers['x-forwarded-for']} ${headers['x-ovn-network-id']} ${headers['x-instance-id']}`
    }
    await answers(seen, `${address} ${id(networkName)} undefined`)
  }
})

test('agents are seen alive', { skip, timeout: 30_000 }, async () => {
  const agents = await backend.agents()
  const shown = agents.map(({ agent_type, host, alive }) => `${agent_type} ${host} ${alive}`)
  assert.deepEqual(shown, [`OVN Controller Gateway agent ${HOST} true`, `OVN Metadata agent ${HOST} true`])
})

test('the daemons outlive their starter, are found again, and a killed one comes back', {
  skip,
  timeout: 30_000,
}, async () => {
  const pids = host.pids()
  assert.equal(Object.keys(pids).length, 6)
  await backend.close()
  await host.close()
  host = openHost()
  await host.start()
  assert.deepEqual(host.pids(), pids)
  backend = openBackend()
  await backend.open()
  await answers(() => askFromHost(`${EXTERNAL}.50`, 8081), `${EXTERNAL}.1`)
  process.kill(pids.vswitchd!, 'SIGKILL')
  const isBack = () => host.pids().vswitchd !== undefined && host.pids().vswitchd !== pids.vswitchd
  assert.ok(await eventually(isBack, 10_000), logs.join('\n'))
  await answers(() => askFromHost(`${EXTERNAL}.50`, 8081), `${EXTERNAL}.1`)
})

const metadataNamespaces = (): string[] =>
  readdirSync('/run/netns').filter(name => ['red', 'blue'].some(network => name === `ovnmeta-${id(network)}`))

test('an empty snapshot removes every row and the ways to metadata', { skip, timeout: 30_000 }, async () => {
  const { networks, ports } = cloud()
  await backend.sync(EMPTY_SNAPSHOT)
  assert.deepEqual(backend.portStatuses(), [])
  const proxy = { pidFile: `${layout.runDir}/haproxy.pid`, marker: `${layout.runDir}/haproxy.cfg` }
  const gone = () => runningPid(proxy) === undefined && metadataNamespaces().length === 0
  assert.ok(await eventually(gone, 10_000), logs.join('\n'))
  await backend.apply({ put: { networks, ports } })
  assert.ok(await eventually(() => metadataNamespaces().length === 2, 10_000), logs.join('\n'))
})

test('stopping, by a process that did not start it, leaves nothing on the machine', {
  skip,
  timeout: 30_000,
}, async () => {
  const pids = Object.values(host.pids())
  await host.close()
  host = openHost()
  await host.stop()
  const devices = readdirSync('/sys/class/net').filter(name => name.includes(layout.tag) || name.startsWith('smd'))
  assert.deepEqual(devices, [])
  assert.deepEqual(metadataNamespaces(), [])
  assert.deepEqual(
    pids.filter(pid => existsSync(`/proc/${pid}/exe`)),
    [],
  )
  assert.equal(existsSync(layout.runDir), false)
  assert.equal(await succeeds('nft', ['list', 'table', 'ip', layout.nftTable]), false)
})
