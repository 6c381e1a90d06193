/** What compute does by itself: following its hosts, following its servers' addresses, and clearing up. */

import { CHANGED_TOPIC, type ChangedEvent } from '@strata/network/contract'
import type { Metrics } from '@strata/toolkit/metrics'
import { createReconciler, type Reconciler } from '@strata/toolkit/reconciler'
import type { HostAgent } from './ports/hosts.ts'
import { type AddressHints, refreshAddresses } from './reconcilers/addresses.ts'
import { applyReport, type HostOptions, reportHost, syncPower } from './reconcilers/hosts.ts'
import { removeStrays } from './reconcilers/strays.ts'
import type { ServerDeps } from './server/deps.ts'

export interface BackgroundOptions {
  readonly deps: ServerDeps
  readonly hosts: readonly HostAgent[]
  readonly host: HostOptions
  readonly metrics?: Metrics
  /** Milliseconds between two reports of a host. */
  readonly reportInterval: number
  /** Milliseconds between two looks at the power states of all servers. */
  readonly syncInterval: number
  /** Milliseconds between two searches for what belongs to no server. */
  readonly straysInterval: number
}

export interface Background {
  /** Opens the hosts; resolves when each has reported once, so that the first request finds them. */
  start(): Promise<void>
  stop(): Promise<void>
  problems(): readonly string[]
}

export function createBackground({
  deps,
  hosts,
  host,
  metrics,
  reportInterval,
  syncInterval,
  straysInterval,
}: BackgroundOptions): Background {
  const { runtime, log, bus } = deps
  const make = (name: string, period: number, run: () => Promise<void>): Reconciler =>
    createReconciler({ name, period, run, runtime, log, metrics })
  const reports = make('compute-hosts', reportInterval, async () => {
    for (const agent of hosts) await reportHost(deps, agent, host)
  })
  const power = make('compute-power', syncInterval, async () => {
    for (const agent of hosts) await syncPower(deps, agent)
  })
  const strays = make('compute-strays', straysInterval, () => removeStrays(deps, hosts))
  const hints: AddressHints = { ports: new Set(), floatingIps: new Set() }
  let allAt = 0
  const addresses = make('compute-addresses', straysInterval, async () => {
    const everything = runtime.monotonic() >= allAt
    if (everything) allAt = runtime.monotonic() + straysInterval
    await refreshAddresses(deps, hints, everything)
  })
  const reconcilers = [reports, power, strays, addresses]
  let unsubscribe: (() => void)[] = []

  return {
    async start() {
      await Promise.all(hosts.map(agent => agent.open()))
      await reports.settle()
      for (const reconciler of reconcilers) reconciler.start()
      unsubscribe = [
        bus.subscribe(CHANGED_TOPIC, payload => {
          const { kind, ids } = payload as ChangedEvent
          const about = kind === 'ports' ? hints.ports : kind === 'floatingips' ? hints.floatingIps : undefined
          if (!about) return
          for (const id of ids) about.add(id)
          addresses.wake()
        }),
        ...hosts.map(agent =>
          agent.watch(report => {
            applyReport(deps, report.serverId, report.state).catch(err =>
              log.warn({ err, server: report.serverId }, 'a report of a guest could not be taken over'),
            )
          }),
        ),
      ]
    },
    async stop() {
      for (const end of unsubscribe) end()
      await Promise.all(reconcilers.map(reconciler => reconciler.stop()))
      await Promise.all(hosts.map(agent => agent.close()))
    },
    problems: () =>
      reconcilers.flatMap(({ name, problem }) => (problem() === undefined ? [] : [`${name}: ${problem()}`])),
  }
}
