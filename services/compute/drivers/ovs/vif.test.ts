/**
 * Against a real ovsdb-server and real taps. No switch runs here: the test itself plays `ovs-vswitchd`'s part of saying
 * that changes were carried out, so that it needs no datapath. Needs root, Open vSwitch and iproute2.
 */

import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { createOvsdbClient, insert, named, type OvsdbClient, type Replica, update } from '@strata/toolkit/ovsdb'
import { createOvsVifDriver, type OvsVifDriver } from './vif.ts'

const SCHEMA = '/usr/share/openvswitch/vswitch.ovsschema'
const DB = 'Open_vSwitch'
const missing =
  process.getuid?.() !== 0
    ? 'root'
    : ['/usr/sbin/ovsdb-server', SCHEMA, '/dev/net/tun', '/usr/sbin/ip'].find(path => !existsSync(path))
const skip = missing === undefined ? false : `needs ${missing}`

const folder = skip ? '' : mkdtempSync('/tmp/strata-vif-')
const remote = `unix:${folder}/conf.sock`
const vifName = `stv${process.pid}`
const vif = {
  portId: '0b8d5c6e-6f0e-4c3c-9a57-3d3c1d0f4a11',
  vifName,
  macAddress: 'fa:16:3e:01:02:03',
  mtu: 1442,
  serverId: '9d3b7c1e-0000-4000-8000-000000000001',
}
let server: ChildProcess
let observer: OvsdbClient
let replica: Replica
let driver: OvsVifDriver

before(async () => {
  if (skip) return
  execFileSync('ovsdb-tool', ['create', `${folder}/conf.db`, SCHEMA])
  const args = [`${folder}/conf.db`, `--remote=punix:${folder}/conf.sock`, `--unixctl=${folder}/ctl`, '-vconsole:off']
  server = spawn('/usr/sbin/ovsdb-server', args, { stdio: 'ignore' })
  observer = createOvsdbClient({ remote, retryMs: 10 })
  await observer.connect()
  await observer.transact(DB, [
    insert('Interface', { name: 'br-test', type: 'internal' }, 'i'),
    insert('Port', { name: 'br-test', interfaces: [named('i')] }, 'p'),
    insert('Bridge', { name: 'br-test', ports: [named('p')] }, 'b'),
    insert(DB, { bridges: [named('b')] }),
  ])
  replica = await observer.monitor(DB, {
    Open_vSwitch: ['next_cfg'],
    Interface: ['name', 'external_ids'],
    Port: ['name'],
  })
  replica.subscribe(changes => {
    for (const { table, row } of changes)
      if (table === DB && row !== undefined) void observer.transact(DB, [update(DB, [], { cur_cfg: row['next_cfg']! })])
  })
  driver = createOvsVifDriver({ remote, integrationBridge: 'br-test', uid: 65534, gid: 65534 })
})

after(() => {
  if (skip) return
  driver.close()
  observer.close()
  server.kill()
  if (existsSync(`/sys/class/net/${vifName}`)) execFileSync('ip', ['link', 'delete', vifName])
  rmSync(folder, { recursive: true })
})

const sysfs = (file: string): string => readFileSync(`/sys/class/net/${vifName}/${file}`, 'utf8').trim()

test('plugging makes an owned tap and the port that OVN binds, once', { skip, timeout: 20_000 }, async () => {
  await driver.plug(vif)
  await driver.plug(vif)
  assert.deepEqual([sysfs('owner'), sysfs('group'), sysfs('mtu')], ['65534', '65534', '1442'])
  assert.equal(Number(sysfs('flags')) & 1, 1, 'it is up')
  const faces = [...replica.rows('Interface').values()].filter(row => row['name'] === vifName)
  assert.deepEqual(
    faces.map(row => row['external_ids']),
    [{ 'iface-id': vif.portId, 'attached-mac': vif.macAddress, 'vm-uuid': vif.serverId, 'iface-status': 'active' }],
  )
  assert.deepEqual(await driver.list(), [{ portId: vif.portId, vifName, serverId: vif.serverId }])
})

test('a tap of another account is made anew', { skip, timeout: 20_000 }, async () => {
  execFileSync('ip', ['link', 'delete', vifName])
  execFileSync('ip', ['tuntap', 'add', 'dev', vifName, 'mode', 'tap', 'user', '1'])
  await driver.plug(vif)
  assert.equal(sysfs('owner'), '65534')
})

test('unplugging removes both, also a second time', { skip, timeout: 20_000 }, async () => {
  await driver.unplug(vif)
  await driver.unplug(vif)
  assert.equal(existsSync(`/sys/class/net/${vifName}`), false)
  assert.deepEqual(await driver.list(), [])
  assert.equal(replica.rows('Port').size, 1)
})

test('a name that is no device name is refused before anything is done', { skip }, async () => {
  for (const name of ['', '-x', 'a/b', 'sixteen-chars-xx', 'a b'])
    await assert.rejects(driver.plug({ ...vif, vifName: name }), TypeError)
})
