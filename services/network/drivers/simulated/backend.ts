/**
 * The network backend without a network: it keeps the snapshot, and what a data plane would tell about it follows by
 * itself. A guest's port becomes ACTIVE on its host once it is bound there, ports of routers and metadata at once. Delays
 * and faults are data, so that tests and people who develop against the API see slow and failing networks too.
 */

import {
  BackendError,
  changeSnapshot,
  FLOATING_IP_OWNER,
  type NetworkAgent,
  type NetworkBackend,
  type NetworkSnapshot,
  type PortRecord,
  type PortStatus,
  type SnapshotChange,
  type SyncReport,
} from '../../logic/ports.ts'

export interface SimulatedNetworkOptions {
  /** Hosts with a live agent each. */
  readonly hosts: readonly string[]
  /** Time until a write is accepted and until a bound port is up; default 0. */
  readonly syncMs?: number
  readonly portUpMs?: number
  readonly faults?: SimulatedNetworkFaults
  /** Milliseconds since the epoch. */
  readonly now?: () => number
}

/** Looked at when things happen, so that its owner may change it meanwhile. */
export interface SimulatedNetworkFaults {
  /** While set, every write is refused with this message. */
  refuse?: string | undefined
  /** Ports that stay DOWN though bound. */
  readonly stuckPorts?: Set<string>
  /** Hosts whose agents are dead; their ports do not come up. */
  readonly deadHosts?: Set<string>
}

export interface SimulatedNetwork extends NetworkBackend {
  /** What was accepted last. */
  snapshot(): NetworkSnapshot | undefined
}

function count(before: NetworkSnapshot | undefined, after: NetworkSnapshot): Omit<SyncReport, 'durationMs'> {
  const flatten = (snapshot: NetworkSnapshot | undefined): Map<string, object> =>
    new Map(Object.values(snapshot ?? {}).flatMap(records => records.map((r: { id: string }) => [r.id, r])))
  const [old, now] = [flatten(before), flatten(after)]
  const kept = [...now].filter(([id]) => old.has(id))
  // Most records of a change are the very ones of before: only the others need a look inside.
  const differs = (a: object | undefined, b: object) => a !== b && JSON.stringify(a) !== JSON.stringify(b)
  return {
    created: now.size - kept.length,
    updated: kept.filter(([id, record]) => differs(old.get(id), record)).length,
    deleted: old.size - kept.length,
  }
}

export function createSimulatedNetwork(options: SimulatedNetworkOptions): SimulatedNetwork {
  const { hosts, syncMs = 0, portUpMs = 0, faults = {}, now = Date.now } = options
  const listeners = new Set<(status: PortStatus) => void>()
  const statuses = new Map<string, PortStatus>()
  const timers = new Set<NodeJS.Timeout>()
  let snapshot: NetworkSnapshot | undefined
  let queue: Promise<unknown> = Promise.resolve()

  const later = (delayMs: number, work: () => void): void => {
    const timer = setTimeout(() => {
      timers.delete(timer)
      work()
    }, delayMs)
    timers.add(timer)
  }

  const tell = (status: PortStatus): void => {
    const last = statuses.get(status.port_id)
    if (last?.status === status.status && last.host === status.host) return
    statuses.set(status.port_id, status)
    for (const listener of [...listeners]) listener(status)
  }

  const wantedStatus = (port: PortRecord): PortStatus => {
    const host = port['binding:host_id']
    if (port.device_owner.startsWith('network:')) return { port_id: port.id, status: 'ACTIVE' }
    const dead = faults.deadHosts?.has(host) === true || faults.stuckPorts?.has(port.id) === true
    if (host === '' || !hosts.includes(host) || dead) return { port_id: port.id, status: 'DOWN' }
    return { port_id: port.id, status: port.admin_state_up ? 'ACTIVE' : 'DOWN', host }
  }

  const settlePorts = (): void => {
    const ports = (snapshot?.ports ?? []).filter(({ device_owner }) => device_owner !== FLOATING_IP_OWNER)
    const present = new Set(ports.map(({ id }) => id))
    for (const id of statuses.keys()) if (!present.has(id)) statuses.delete(id)
    for (const port of ports) {
      const wanted = wantedStatus(port)
      const last = statuses.get(port.id)
      if (wanted.status === 'DOWN' || last?.status === 'ACTIVE') tell(wanted)
      else {
        if (last === undefined) tell({ port_id: port.id, status: 'DOWN' })
        // Looked up again when the time has come: the port may be unbound or gone by then.
        later(portUpMs, () => {
          const current = snapshot?.ports.find(({ id }) => id === port.id)
          if (current !== undefined) tell(wantedStatus(current))
        })
      }
    }
  }

  const write = (change: () => NetworkSnapshot): Promise<SyncReport> => {
    const turn = queue
      .catch(() => {})
      .then(async () => {
        const started = performance.now()
        if (syncMs > 0) await new Promise<void>(resolve => later(syncMs, resolve))
        if (faults.refuse !== undefined) throw new BackendError(faults.refuse)
        const desired = change()
        const report = count(snapshot, desired)
        snapshot = desired
        settlePorts()
        return { ...report, durationMs: performance.now() - started }
      })
    queue = turn
    return turn
  }

  const agent = (host: string, index: number): NetworkAgent => ({
    id: `51000000-0000-4000-8000-${index.toString(16).padStart(12, '0')}`,
    agent_type: 'OVN Controller Gateway agent',
    binary: 'ovn-controller',
    host,
    topic: 'n/a',
    alive: faults.deadHosts?.has(host) !== true,
    admin_state_up: true,
    availability_zone: 'nova',
    heartbeat_timestamp: new Date(now()).toISOString(),
    configurations: {},
  })

  return {
    name: 'simulated',
    snapshot: () => snapshot,
    async open() {},
    sync: desired => write(() => desired),
    apply: (change: SnapshotChange) =>
      write(() => {
        if (snapshot === undefined) throw new BackendError('a change needs a snapshot that was synchronised before')
        return changeSnapshot(snapshot, change)
      }),
    portStatuses: () => [...statuses.values()],
    watchPorts(listener) {
      listeners.add(listener)
      for (const status of statuses.values()) listener(status)
      return () => void listeners.delete(listener)
    },
    agents: async () => hosts.map(agent),
    async close() {
      for (const timer of timers) clearTimeout(timer)
      timers.clear()
    },
  }
}
