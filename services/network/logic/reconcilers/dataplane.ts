/**
 * Keeps the data plane equal to the database, and the status of ports equal to what the data plane tells.
 *
 * Changes are noted by id after their commit (`changed`); a run reads those records as they are now and hands them on. At the
 * start, after a failure, and once a period, everything is compared instead, so that a lost note costs one period.
 */
import type { Log } from '@strata/toolkit/log'
import type { Metrics } from '@strata/toolkit/metrics'
import { createReconciler } from '@strata/toolkit/reconciler'
import { isoTime, type Runtime } from '@strata/toolkit/runtime'
import type { Store } from '@strata/toolkit/store'
import { DEVICE_OWNERS } from '../../contract/port.ts'
import type { NetworkTables } from '../../store/database.ts'
import { readRecords } from '../../store/snapshot.ts'
import { KINDS, type Kind } from '../deps.ts'
import type { NetworkBackend, NetworkSnapshot, PortStatus } from '../ports.ts'

export interface Dataplane {
  changed(kind: Kind, ids: readonly string[]): void
  start(): Promise<void>
  stop(): Promise<void>
  /** Resolves when all that is committed by now has reached the data plane; rejects when it refused. */
  settle(): Promise<void>
  /** What is wrong with the data plane, for the operator; undefined when nothing is. */
  problem(): string | undefined
}

/** Ports that the data plane makes itself: they are up as soon as it has taken them. */
const OWN = [DEVICE_OWNERS.routerInterface, DEVICE_OWNERS.routerGateway, DEVICE_OWNERS.metadata] as const

export interface DataplaneOptions {
  readonly store: Store<NetworkTables>
  readonly backend: NetworkBackend
  readonly runtime: Runtime
  readonly log: Log
  readonly metrics: Metrics
  /** Milliseconds between full comparisons. */
  readonly period: number
  portChanged(portId: string, status: string, host: string): void
}

export function createDataplane(options: DataplaneOptions): Dataplane {
  const { store, backend, runtime, log } = options
  let dirty = new Map<Kind, Set<string>>()
  let heard = new Map<string, PortStatus>()
  let full = true
  let opened = false
  let lastFull = Number.NEGATIVE_INFINITY
  let stopWatching = () => {}

  const open = async () => {
    if (opened) return
    await backend.open()
    opened = true
    stopWatching = backend.watchPorts(status => {
      heard.set(status.port_id, status)
      statuses.wake()
    })
  }

  const run = async () => {
    await open()
    const work = dirty
    dirty = new Map()
    const everything = full || runtime.monotonic() - lastFull >= options.period
    if (!everything && work.size === 0) return
    full = false
    try {
      if (everything) {
        await backend.sync(snapshotOf(await readRecords(store.db)))
        lastFull = runtime.monotonic()
      } else await applyWork(work)
    } catch (err) {
      full = true
      throw err
    }
    await raiseOwnPorts(everything ? undefined : [...(work.get('ports') ?? [])])
    for (const status of backend.portStatuses())
      if (everything || work.get('ports')?.has(status.port_id)) heard.set(status.port_id, status)
    if (heard.size > 0) statuses.wake()
  }

  const applyWork = async (work: ReadonlyMap<Kind, ReadonlySet<string>>) => {
    const selection = Object.fromEntries([...work].map(([kind, ids]) => [kind, [...ids]]))
    const put = snapshotOf(await readRecords(store.db, selection))
    const removed = KINDS.flatMap(kind => {
      const present = new Set((put[kind] as readonly { id: string }[]).map(record => record.id))
      return [...(work.get(kind) ?? [])].filter(id => !present.has(id))
    })
    await backend.apply({ put, removed })
  }

  const raiseOwnPorts = async (ids: readonly string[] | undefined) => {
    if (ids?.length === 0) return
    let query = store.db
      .selectFrom('ports')
      .select('id')
      .where('device_owner', 'in', OWN)
      .where('status', '=', 'DOWN')
      .where('admin_state_up', '=', 1)
    if (ids) query = query.where('id', 'in', ids.slice(0, 500))
    const down = (await query.execute()).map(row => row.id)
    for (let at = 0; at < down.length; at += 500)
      await store.db
        .updateTable('ports')
        .set({ status: 'ACTIVE' })
        .where('id', 'in', down.slice(at, at + 500))
        .execute()
  }

  /** Writes what was heard of ports, all at once. */
  const noteStatuses = async () => {
    const news = heard
    heard = new Map()
    const ids = [...news.keys()]
    try {
      for (let at = 0; at < ids.length; at += 500) await noteSome(ids.slice(at, at + 500), news)
    } catch (err) {
      for (const [id, status] of news) if (!heard.has(id)) heard.set(id, status)
      throw err
    }
  }

  const noteSome = (ids: readonly string[], news: ReadonlyMap<string, PortStatus>) =>
    store.transaction(async (tx, afterCommit) => {
      const rows = await tx
        .selectFrom('ports')
        .select(['id', 'status', 'device_owner', 'binding:host_id as host'])
        .where('id', 'in', ids)
        .where('device_owner', 'not in', [...OWN, DEVICE_OWNERS.floatingIp])
        .execute()
      for (const row of rows) {
        const status = statusOf(news.get(row.id)!, row.host ?? '')
        if (status === row.status) continue
        await tx
          .updateTable('ports')
          .set({ status, updated_at: isoTime(runtime.now()) })
          .where('id', '=', row.id)
          .execute()
        afterCommit(() => options.portChanged(row.id, status, row.host ?? ''))
      }
    })

  const { metrics, period } = options
  const main = createReconciler({ name: 'network-dataplane', run, period, runtime, log, metrics })
  const statuses = createReconciler({ name: 'network-ports', run: noteStatuses, period, runtime, log, metrics })

  return {
    changed(kind, ids) {
      const known = dirty.get(kind) ?? new Set()
      dirty.set(kind, known)
      for (const id of ids) known.add(id)
      main.wake()
    },
    async start() {
      main.start()
    },
    async stop() {
      stopWatching()
      await main.stop()
      await statuses.stop()
      if (opened) await backend.close()
    },
    async settle() {
      await main.settle()
      await statuses.settle()
    },
    problem: () => main.problem() ?? statuses.problem(),
  }
}

/** A port is up when it is plugged on the host that it is bound to; one that is bound nowhere may be up anywhere. */
const statusOf = (told: PortStatus, host: string): 'ACTIVE' | 'DOWN' =>
  told.status === 'ACTIVE' && (host === '' || told.host === undefined || told.host === host) ? 'ACTIVE' : 'DOWN'

type Records = Awaited<ReturnType<typeof readRecords>>

/** The rows under the driver's names; only a protocol may need other words. */
function snapshotOf(records: Records): NetworkSnapshot {
  return {
    ...records,
    security_group_rules: records.security_group_rules.map(rule => ({
      ...rule,
      protocol: rule.protocol === null ? null : String(rule.protocol),
    })),
  } as unknown as NetworkSnapshot
}
