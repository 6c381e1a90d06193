/**
 * What is done with host aggregates. A host is in at most one availability zone, and keeps it while servers run there: they
 * were promised the zone.
 */
import { badRequest, conflict, type Fault, notFound } from '@strata/toolkit/fault'
import { isoTime } from '@strata/toolkit/runtime'
import type { Transaction } from '@strata/toolkit/store'
import { type Aggregate, zoneKey } from '../contract/aggregate.ts'
import { insertAggregate, listAggregates, removeAggregate, saveAggregate } from '../store/aggregates.ts'
import type { ComputeTables } from '../store/database.ts'
import type { Compute } from './compute.ts'

export type AggregateDeps = Pick<Compute, 'store' | 'runtime'>

const missing = (id: number): Fault => notFound(`Aggregate ${id} could not be found.`, 'AggregateNotFound')
const nameTaken = (name: string): Fault => conflict(`Aggregate ${name} already exists.`, 'AggregateNameExists')

export const aggregates = ({ store }: AggregateDeps): Promise<readonly Aggregate[]> => listAggregates(store.db)

export async function needAggregate({ store }: AggregateDeps, id: number): Promise<Aggregate> {
  const found = (await listAggregates(store.db)).find(one => one.id === id)
  if (!found) throw missing(id)
  return found
}

/** Throws a 409 for a name that is taken. */
export function createAggregate(
  { store, runtime }: AggregateDeps,
  given: { readonly name: string; readonly availability_zone?: string | null },
): Promise<Aggregate> {
  return store.transaction(async tx => {
    if ((await listAggregates(tx)).some(one => one.name === given.name)) throw nameTaken(given.name)
    return insertAggregate(tx, {
      uuid: runtime.uuid(),
      name: given.name,
      metadata: given.availability_zone ? { [zoneKey]: given.availability_zone } : {},
      hosts: [],
      created_at: isoTime(runtime.now()),
      updated_at: null,
    })
  })
}

/** Throws 404, 409 for a name that is taken, and 400 when a zone would change under running servers. */
export function updateAggregate(
  deps: AggregateDeps,
  id: number,
  given: { readonly name?: string; readonly availability_zone?: string | null },
): Promise<Aggregate> {
  return change(deps, id, async ({ tx, aggregate, others }) => {
    if (others.some(one => one.name === given.name)) throw nameTaken(given.name!)
    const named = given.name === undefined ? aggregate : { ...aggregate, name: given.name }
    if (given.availability_zone === undefined) return named
    return withMetadata({ tx, aggregate: named, others }, 'update', { [zoneKey]: given.availability_zone })
  })
}

/** Adds to the metadata; a null takes its key away. */
export function setAggregateMetadata(
  deps: AggregateDeps,
  id: number,
  metadata: Readonly<Record<string, string | null>>,
): Promise<Aggregate> {
  return change(deps, id, scene => withMetadata(scene, 'set_metadata', metadata))
}

/** Throws 404 for a host that is not there, and 409 for one that is in already or in another zone. */
export function addHost(deps: AggregateDeps, id: number, host: string): Promise<Aggregate> {
  return change(deps, id, async ({ tx, aggregate, others }) => {
    const known = await tx.selectFrom('hosts').select('id').where('hostname', '=', host).executeTakeFirst()
    if (!known) throw notFound(`Compute host ${host} could not be found.`, 'ComputeHostNotFound')
    if (aggregate.hosts.includes(host))
      throw conflict(`Aggregate ${id} already has host ${host}.`, 'AggregateHostExists')
    const zone = aggregate.metadata[zoneKey]
    if (zone !== undefined) {
      const other = others.find(one => one.hosts.includes(host) && (one.metadata[zoneKey] ?? zone) !== zone)
      if (other)
        throw refused('add_host', aggregate, `Host already in availability zone ${other.metadata[zoneKey]}.`, 409)
      if (!others.some(one => one.hosts.includes(host) && one.metadata[zoneKey] === zone))
        await refuseWithServers(tx, [host], () =>
          refused('add_host', aggregate, `Host ${host} has servers in its present availability zone.`, 409),
        )
    }
    return { ...aggregate, hosts: [...aggregate.hosts, host] }
  })
}

/** Throws a 404 for a host that is not in it, and a 409 where its servers would change their zone. */
export function removeHost(deps: AggregateDeps, id: number, host: string): Promise<Aggregate> {
  return change(deps, id, async ({ tx, aggregate, others }) => {
    if (!aggregate.hosts.includes(host)) throw notFound(`Cannot remove host ${host} in aggregate ${id}`)
    const zone = aggregate.metadata[zoneKey]
    if (zone !== undefined && !others.some(one => one.hosts.includes(host) && one.metadata[zoneKey] === zone))
      await refuseWithServers(tx, [host], () => conflict(`Cannot remove host ${host} in aggregate ${id}`))
    return { ...aggregate, hosts: aggregate.hosts.filter(one => one !== host) }
  })
}

/** Throws a 400 while it has hosts. */
export async function deleteAggregate({ store }: AggregateDeps, id: number): Promise<void> {
  await store.transaction(async tx => {
    const aggregate = (await listAggregates(tx)).find(one => one.id === id)
    if (!aggregate) throw missing(id)
    if (aggregate.hosts.length > 0) throw refused('delete', aggregate, 'Host aggregate is not empty')
    await removeAggregate(tx, id)
  })
}

interface Scene {
  readonly tx: Transaction<ComputeTables>
  readonly aggregate: Aggregate
  readonly others: readonly Aggregate[]
}

function refused(action: string, aggregate: Aggregate, reason: string, status: 400 | 409 = 400): Fault {
  const make = status === 400 ? badRequest : conflict
  return make(
    `Invalid aggregate action ${action} on aggregate ${aggregate.id}. Reason: ${reason}`,
    'InvalidAggregateAction',
  )
}

async function withMetadata(
  { tx, aggregate, others }: Scene,
  action: string,
  given: Readonly<Record<string, string | null>>,
): Promise<Aggregate> {
  const merged = Object.entries({ ...aggregate.metadata, ...given }).filter(([, value]) => value !== null)
  const metadata = Object.fromEntries(merged) as Record<string, string>
  const zone = metadata[zoneKey]
  if (zone !== aggregate.metadata[zoneKey]) {
    const clash = others.find(
      one => one.metadata[zoneKey] !== undefined && one.hosts.some(host => aggregate.hosts.includes(host)),
    )
    if (zone !== undefined && clash && clash.metadata[zoneKey] !== zone)
      throw refused(action, aggregate, `One or more hosts already in different availability zones: ${clash.name}`)
    await refuseWithServers(tx, aggregate.hosts, () =>
      refused(action, aggregate, 'One or more hosts contain instances in this zone'),
    )
  }
  return { ...aggregate, metadata }
}

async function refuseWithServers(
  tx: Transaction<ComputeTables>,
  hosts: readonly string[],
  fault: () => Fault,
): Promise<void> {
  if (hosts.length === 0) return
  const server = await tx.selectFrom('servers').select('id').where('host', 'in', hosts).limit(1).executeTakeFirst()
  if (server) throw fault()
}

function change(
  { store, runtime }: AggregateDeps,
  id: number,
  make: (scene: Scene) => Promise<Aggregate>,
): Promise<Aggregate> {
  return store.transaction(async tx => {
    const all = await listAggregates(tx)
    const aggregate = all.find(one => one.id === id)
    if (!aggregate) throw missing(id)
    const made = await make({ tx, aggregate, others: all.filter(one => one.id !== id) })
    const after = { ...made, updated_at: isoTime(runtime.now()) }
    await saveAggregate(tx, after)
    return after
  })
}
