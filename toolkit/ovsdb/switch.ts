/**
 * The local Open vSwitch as its database shows it: the chassis' settings, bridges and ports. Changes resolve when
 * `ovs-vswitchd` has carried them out, which it tells by raising `cur_cfg` to the `next_cfg` that came with the change.
 */

import type { OvsdbClient } from './client.ts'
import { byUuid, insert, mutate, type Operation, remove, update } from './operations.ts'
import type { Replica } from './replica.ts'
import { named, type Row } from './values.ts'

const DB = 'Open_vSwitch'
const COLUMNS = {
  Open_vSwitch: ['external_ids', 'other_config', 'next_cfg', 'cur_cfg', 'bridges'],
  Bridge: ['name', 'ports', 'datapath_type', 'fail_mode', 'other_config', 'external_ids'],
  Port: ['name', 'interfaces', 'external_ids'],
  Interface: ['name', 'type', 'external_ids', 'error', 'ofport'],
}

export interface BridgeSpec {
  readonly name: string
  readonly datapathType: string
  readonly failMode: 'secure' | 'standalone'
  /** A fixed address of the local port: neighbours would otherwise hold an old one after a restart. */
  readonly macAddress: string
}

export interface PortSpec {
  readonly bridge: string
  readonly name: string
  readonly portIds?: Readonly<Record<string, string>>
  readonly interfaceIds?: Readonly<Record<string, string>>
}

export interface LocalSwitch {
  /** Makes the root row if the database is new, and sets keys of its external ids; null takes a key away. */
  configure(externalIds: Readonly<Record<string, string | null>>): Promise<void>
  /** External ids of the root row. */
  externalIds(): Readonly<Record<string, string>>
  hasBridge(name: string): boolean
  ensureBridge(spec: BridgeSpec): Promise<void>
  removeBridge(name: string): Promise<void>
  ensurePort(spec: PortSpec): Promise<void>
  removePort(name: string): Promise<void>
  /** Port rows by name. */
  ports(): ReadonlyMap<string, Row>
  close(): Promise<void>
}

/** `applyTimeoutMs` is how long `ovs-vswitchd` may take to carry a change out. */
export async function openLocalSwitch(client: OvsdbClient, applyTimeoutMs = 10_000): Promise<LocalSwitch> {
  const replica: Replica = await client.monitor(DB, COLUMNS)
  const root = (): Row | undefined => [...replica.rows('Open_vSwitch').values()][0]
  const rowNamed = (table: 'Bridge' | 'Port', name: string): Row | undefined =>
    [...replica.rows(table).values()].find(row => row['name'] === name)
  const uuid = (row: Row): string => row['_uuid'] as string

  const commit = async (operations: readonly Operation[], waitForSwitch = true): Promise<void> => {
    if (operations.length === 0) return
    const where = byUuid(uuid(root()!))
    await client.transact(DB, [...operations, mutate('Open_vSwitch', where, [['next_cfg', '+=', 1]])])
    const wanted = root()!['next_cfg'] as number
    const applied = () => (root()?.['cur_cfg'] as number) >= wanted
    if (waitForSwitch) await replica.until(applied, applyTimeoutMs)
  }

  const ensureRoot = async (): Promise<Row> => {
    if (root() === undefined) await client.transact(DB, [insert('Open_vSwitch', {})])
    return root()!
  }

  const setIds = (
    table: 'Port' | 'Interface',
    row: Row | undefined,
    ids: Readonly<Record<string, string>>,
  ): Operation[] => {
    if (row === undefined) return []
    const held = row['external_ids'] as Record<string, string>
    const same = Object.entries(ids).every(([key, value]) => held[key] === value)
    return same ? [] : [update(table, byUuid(uuid(row)), { external_ids: { ...held, ...ids } })]
  }

  return {
    async configure(externalIds) {
      const row = await ensureRoot()
      const held = row['external_ids'] as Record<string, string>
      const wanted: Record<string, string> = { ...held }
      for (const [key, value] of Object.entries(externalIds)) {
        if (value === null) delete wanted[key]
        else wanted[key] = value
      }
      if (Object.keys({ ...held, ...wanted }).some(key => held[key] !== wanted[key]))
        await commit([update('Open_vSwitch', byUuid(uuid(row)), { external_ids: wanted })], false)
    },
    externalIds: () => (root()?.['external_ids'] ?? {}) as Record<string, string>,
    hasBridge: name => rowNamed('Bridge', name) !== undefined,
    async ensureBridge({ name, datapathType, failMode, macAddress }) {
      const columns = {
        datapath_type: datapathType,
        fail_mode: failMode,
        other_config: { 'disable-in-band': 'true', hwaddr: macAddress },
      }
      const held = rowNamed('Bridge', name)
      if (held !== undefined) return commit([update('Bridge', byUuid(uuid(held)), columns)])
      await commit([
        insert('Interface', { name, type: 'internal' }, 'interface'),
        insert('Port', { name, interfaces: [named('interface')] }, 'port'),
        insert('Bridge', { name, ports: [named('port')], ...columns }, 'bridge'),
        mutate('Open_vSwitch', byUuid(uuid(await ensureRoot())), [['bridges', 'insert', [named('bridge')]]]),
      ])
    },
    async removeBridge(name) {
      const held = rowNamed('Bridge', name)
      if (held === undefined) return
      await commit([mutate('Open_vSwitch', byUuid(uuid(root()!)), [['bridges', 'delete', [uuid(held)]]])])
    },
    async ensurePort({ bridge, name, portIds = {}, interfaceIds = {} }) {
      const port = rowNamed('Port', name)
      if (port !== undefined) {
        const face = replica.rows('Interface').get((port['interfaces'] as string[])[0]!)
        return commit([...setIds('Port', port, portIds), ...setIds('Interface', face, interfaceIds)])
      }
      await commit([
        insert('Interface', { name, external_ids: interfaceIds }, 'interface'),
        insert('Port', { name, interfaces: [named('interface')], external_ids: portIds }, 'port'),
        mutate('Bridge', [['name', '==', bridge]], [['ports', 'insert', [named('port')]]]),
      ])
    },
    async removePort(name) {
      const port = rowNamed('Port', name)
      if (port === undefined) return
      const bridge = [...replica.rows('Bridge').values()].find(row => (row['ports'] as string[]).includes(uuid(port)))
      if (bridge === undefined) return commit([remove('Port', byUuid(uuid(port)))])
      await commit([mutate('Bridge', byUuid(uuid(bridge)), [['ports', 'delete', [uuid(port)]]])])
    },
    ports: () => new Map([...replica.rows('Port').values()].map(row => [row['name'] as string, row])),
    close: () => replica.close(),
  }
}
