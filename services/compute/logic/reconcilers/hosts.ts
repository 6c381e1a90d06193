/**
 * Keeps what is known of each host in step with the host: its row, its provider in Placement, the power states of its
 * servers, and that nothing lies on it that belongs to no server.
 */
import { isoTime } from '@strata/toolkit/runtime'
import { powerStates } from '../../contract/states.ts'
import { decodeServer, type Server, updateServer } from '../../store/servers.ts'
import type { GuestReport, HostAgent, HostCapacity } from '../ports/hosts.ts'
import type { HostInventory } from '../ports/neighbours.ts'
import { type ServerDeps, serverChanged } from '../server/deps.ts'

export interface HostOptions {
  readonly cpuAllocationRatio: number
  readonly ramAllocationRatio: number
  readonly diskAllocationRatio: number
  /** MiB and GiB of each host that are not for guests. */
  readonly reservedMemoryMiB: number
  readonly reservedDiskGiB: number
}

/** Writes the host's row and provider. A host is up for as long as this keeps being called. */
export async function reportHost(deps: ServerDeps, agent: HostAgent, options: HostOptions): Promise<void> {
  const capacity = await agent.capacity()
  await upsertHost(deps, agent, capacity)
  await deps.placement.setProvider({
    id: agent.id,
    name: agent.hostname,
    inventories: inventoriesOf(capacity, options),
    traits: capacity.traits,
  })
}

async function upsertHost(deps: ServerDeps, agent: HostAgent, capacity: HostCapacity): Promise<void> {
  const now = isoTime(deps.runtime.now())
  const seen = { capacity: JSON.stringify(capacity), last_seen: now, hostname: agent.hostname }
  await deps.store.transaction(async tx => {
    const known = await tx.selectFrom('hosts').select('id').where('id', '=', agent.id).executeTakeFirst()
    if (known) {
      await tx.updateTable('hosts').set(seen).where('id', '=', agent.id).execute()
      return
    }
    const last = await tx.selectFrom('hosts').select('number').orderBy('number', 'desc').limit(1).executeTakeFirst()
    await tx
      .insertInto('hosts')
      .values({
        id: agent.id,
        number: (last?.number ?? 0) + 1,
        ...seen,
        disabled: 0,
        disabled_reason: null,
        forced_down: 0,
        created_at: now,
        updated_at: now,
      })
      .execute()
  })
}

function inventoriesOf(capacity: HostCapacity, options: HostOptions): Readonly<Record<string, HostInventory>> {
  const of = (total: number, reserved: number, ratio: number): HostInventory => ({
    total,
    reserved: Math.min(reserved, total),
    min_unit: 1,
    max_unit: total,
    step_size: 1,
    allocation_ratio: ratio,
  })
  return {
    VCPU: of(capacity.vcpus, 0, options.cpuAllocationRatio),
    MEMORY_MB: of(capacity.memoryMiB, options.reservedMemoryMiB, options.ramAllocationRatio),
    DISK_GB: of(capacity.diskGiB, options.reservedDiskGiB, options.diskAllocationRatio),
  }
}

/** Servers of a host, those without a task: what has one is the business of its saga. */
async function quietServers(deps: ServerDeps, hostname: string): Promise<readonly Server[]> {
  const rows = await deps.store.db
    .selectFrom('servers')
    .selectAll()
    .where('host', '=', hostname)
    .where('task_state', 'is', null)
    .execute()
  return rows.map(decodeServer)
}

/** What a server becomes when its guest is seen like this; undefined when it is as it should be. */
export function afterReport(
  server: Pick<Server, 'vm_state' | 'power_state'>,
  state: GuestReport['state'] | 'absent',
): Partial<Server> | undefined {
  const stopped = { vm_state: 'stopped', power_state: powerStates.shutdown } as const
  switch (server.vm_state) {
    case 'active':
    case 'paused':
      if (state === 'shutdown' || state === 'crashed' || state === 'absent')
        return state === 'crashed' ? { ...stopped, power_state: powerStates.crashed } : stopped
      if (state === 'paused' && server.vm_state === 'active')
        return { vm_state: 'paused', power_state: powerStates.paused }
      if (state === 'running' && server.vm_state === 'paused')
        return { vm_state: 'active', power_state: powerStates.running }
      return undefined
    case 'stopped':
      // Somebody started it beside us: what runs is shown as running, rather than cut off.
      return state === 'running' ? { vm_state: 'active', power_state: powerStates.running } : undefined
    default:
      return undefined
  }
}

/** Takes over what the hypervisor says of its guests. */
export async function syncPower(deps: ServerDeps, agent: HostAgent): Promise<void> {
  const servers = await quietServers(deps, agent.hostname)
  const reports = new Map((await agent.guests()).map(report => [report.serverId, report.state]))
  for (const server of servers) await applyReport(deps, server.id, reports.get(server.id) ?? 'absent')
}

/** Takes over one report. Looks at the server again, since a task may have begun meanwhile. */
export async function applyReport(
  deps: ServerDeps,
  serverId: string,
  state: GuestReport['state'] | 'absent',
): Promise<void> {
  await deps.store.transaction(async (tx, afterCommit) => {
    const row = await tx.selectFrom('servers').selectAll().where('id', '=', serverId).executeTakeFirst()
    if (!row || row.task_state !== null) return
    const server = decodeServer(row)
    const change = afterReport(server, state)
    if (!change) return
    await updateServer(tx, serverId, isoTime(deps.runtime.now()), change)
    deps.log.info(
      { server: serverId, was: server.vm_state, guest: state },
      'a server changed its power state by itself',
    )
    afterCommit(() => deps.bus.publish(serverChanged, { id: serverId }))
  })
}
