/**
 * The network backend over OVN. It keeps a copy of the northbound rows by a monitor, plans what should be, and writes the
 * difference in one transaction; what really is (ports up, chassis alive) it reads from copies of both databases.
 */

import { createOvsdbClient, type Replica, type Row } from '@strata/toolkit/ovsdb'
import {
  BackendError,
  changeSnapshot,
  type NetworkBackend,
  type NetworkSnapshot,
  type PortStatus,
  type SnapshotChange,
  type SyncReport,
} from '../../logic/ports.ts'
import { agentsOfChassis, gatewayCandidates } from './agents.ts'
import { diff, NORTHBOUND_COLUMNS } from './diff.ts'
import { MARK, plan } from './plan/index.ts'

export interface OvnBackendOptions {
  readonly northbound: string
  readonly southbound: string
  /** Resolvers for subnets that name none. */
  readonly dnsServers?: readonly string[]
  readonly availabilityZone?: string
  readonly log?: (message: string) => void
  readonly connectTimeoutMs?: number
}

/** External id under which the key of a logical switch port is `lsp:<port id>`. */
const PORT_KEY = 'lsp:'

export function createOvnBackend(options: OvnBackendOptions): NetworkBackend {
  const { dnsServers = [], availabilityZone = 'nova', log = () => {}, connectTimeoutMs = 10_000 } = options
  const northbound = createOvsdbClient({ remote: options.northbound, log })
  const southbound = createOvsdbClient({ remote: options.southbound, log })
  const listeners = new Set<(status: PortStatus) => void>()
  const told = new Map<string, PortStatus>()
  const agentsMemory = { askedAt: 0 }
  let nb: Replica | undefined
  let sb: Replica | undefined
  let snapshot: NetworkSnapshot | undefined
  let queue: Promise<unknown> = Promise.resolve()
  let pending: { changes: SnapshotChange[]; done: Promise<SyncReport> } | undefined

  const opened = (): { nb: Replica; sb: Replica } => {
    if (nb === undefined || sb === undefined) throw new BackendError('the OVN backend is not open')
    return { nb, sb }
  }

  const write = async (desired: NetworkSnapshot): Promise<SyncReport> => {
    const started = performance.now()
    const { nb, sb } = opened()
    const rows = plan(desired, { dnsServers, gatewayCandidates: gatewayCandidates(sb) })
    const { operations, created, updated, deleted } = diff(rows, table => nb.rows(table))
    try {
      if (operations.length > 0) await northbound.transact('OVN_Northbound', operations)
    } catch (error) {
      throw new BackendError(`OVN's northbound database: ${(error as Error).message}`, { cause: error })
    }
    snapshot = desired
    return { created, updated, deleted, durationMs: performance.now() - started }
  }

  const inTurn = (work: () => Promise<SyncReport>): Promise<SyncReport> => {
    const turn = queue.catch(() => {}).then(work)
    queue = turn
    return turn
  }

  const portStatuses = (): PortStatus[] => {
    if (nb === undefined || sb === undefined) return []
    const hosts = hostsOfPorts(sb)
    const statuses: PortStatus[] = []
    for (const row of nb.rows('Logical_Switch_Port').values()) {
      if (!isOwnPort(row)) continue
      const port_id = row['name'] as string
      const host = hosts.get(port_id)
      const status = row['up'] === true ? 'ACTIVE' : 'DOWN'
      statuses.push(host === undefined ? { port_id, status } : { port_id, status, host })
    }
    return statuses
  }

  const tellChanges = (): void => {
    const now = new Map(portStatuses().map(status => [status.port_id, status]))
    for (const id of told.keys()) if (!now.has(id)) told.delete(id)
    for (const [id, status] of now) {
      const last = told.get(id)
      if (last?.status === status.status && last.host === status.host) continue
      told.set(id, status)
      for (const listener of [...listeners]) listener(status)
    }
  }

  /** Gateways follow the chassis that can carry them, also when nobody changes a network. */
  const replanOnChassisChange = (): void => {
    const current = snapshot
    if (current === undefined) return
    void inTurn(() => write(snapshot ?? current)).catch(error => log((error as Error).message))
  }

  return {
    name: 'ovn',
    async open() {
      try {
        await Promise.all([northbound.connect(connectTimeoutMs), southbound.connect(connectTimeoutMs)])
        nb = await northbound.monitor('OVN_Northbound', { ...NORTHBOUND_COLUMNS, NB_Global: ['nb_cfg'] })
        sb = await southbound.monitor('OVN_Southbound', {
          Chassis: ['name', 'hostname', 'external_ids', 'other_config'],
          Chassis_Private: ['name', 'chassis', 'nb_cfg', 'nb_cfg_timestamp'],
          Port_Binding: ['logical_port', 'chassis', 'up'],
        })
      } catch (error) {
        throw new BackendError(`OVN cannot be reached: ${(error as Error).message}`, { cause: error })
      }
      const concerns = new Set(['Logical_Switch_Port', 'Port_Binding', 'Chassis'])
      const onChanges: Parameters<Replica['subscribe']>[0] = changes => {
        if (changes.some(({ table }) => concerns.has(table))) tellChanges()
        if (changes.some(({ table }) => table === 'Chassis')) replanOnChassisChange()
      }
      nb.subscribe(onChanges)
      sb.subscribe(onChanges)
      tellChanges()
    },
    sync: desired => inTurn(() => write(desired)),
    apply(change) {
      if (pending !== undefined) {
        pending.changes.push(change)
        return pending.done
      }
      const changes = [change]
      const done = inTurn(() => {
        pending = undefined
        if (snapshot === undefined) throw new BackendError('a change needs a snapshot that was synchronised before')
        return write(changes.reduce(changeSnapshot, snapshot))
      })
      pending = { changes, done }
      return done
    },
    portStatuses,
    watchPorts(listener) {
      listeners.add(listener)
      for (const status of told.values()) listener(status)
      return () => void listeners.delete(listener)
    },
    async agents() {
      return agentsOfChassis({ northbound, replica: opened().sb, availabilityZone, memory: agentsMemory })
    },
    async close() {
      await queue.catch(() => {})
      northbound.close()
      southbound.close()
    },
  }
}

function isOwnPort(row: Row): boolean {
  return (row['external_ids'] as Record<string, string>)[MARK]?.startsWith(PORT_KEY) === true
}

function hostsOfPorts(sb: Replica): Map<string, string> {
  const chassis = sb.rows('Chassis')
  const hosts = new Map<string, string>()
  for (const row of sb.rows('Port_Binding').values()) {
    const host = row['chassis'] === null ? undefined : chassis.get(row['chassis'] as string)
    if (host !== undefined) hosts.set(row['logical_port'] as string, host['hostname'] as string)
  }
  return hosts
}
