/** Usages, summed from the allocations each time: there is no counter that could drift. */
import { countOwners, type OwnerFilter, sumOwned } from '../store/allocation.ts'
import { listInventories, usageOf } from '../store/inventory.ts'
import { mustFind, type Placement } from './change.ts'

export type Sums = Readonly<Record<string, number>>

/** Of every class that the provider has. Throws 404. */
export async function providerUsages(
  { store }: Placement,
  uuid: string,
): Promise<{ readonly generation: number; readonly usages: Sums }> {
  const { generation } = await mustFind(store.db, uuid)
  const used = new Map((await usageOf(store.db, [uuid])).map(row => [row.resource_class, row.used]))
  const classes = (await listInventories(store.db, uuid)).map(row => row.resource_class)
  return { generation, usages: Object.fromEntries(classes.map(name => [name, used.get(name) ?? 0])) }
}

/** By class, over all consumers. */
export async function projectUsages({ store }: Placement, filter: OwnerFilter): Promise<Sums> {
  return total(await sumOwned(store.db, filter))
}

const total = (rows: readonly { readonly resource_class: string; readonly used: number }[]): Sums => {
  const sums: Record<string, number> = {}
  for (const row of rows) sums[row.resource_class] = (sums[row.resource_class] ?? 0) + row.used
  return sums
}

/**
 * By consumer type, each with its `consumer_count`; consumers that never told their type are `unknown`. Asked for the type
 * `all`, everything is under `all`.
 */
export async function typedUsages(
  { store }: Placement,
  owner: Pick<OwnerFilter, 'project' | 'user'>,
  asked?: string,
): Promise<Readonly<Record<string, Sums>>> {
  const filter: OwnerFilter =
    asked === undefined || asked === 'all' ? owner : { ...owner, type: asked === 'unknown' ? null : asked }
  const rows = await sumOwned(store.db, filter)
  const counts = await countOwners(store.db, filter)
  const nameOf = (type: string | null) => (asked === 'all' ? 'all' : (type ?? 'unknown'))
  const usages: Record<string, Sums> = {}
  for (const name of new Set(counts.map(row => nameOf(row.type))))
    usages[name] = {
      ...total(rows.filter(row => nameOf(row.type) === name)),
      consumer_count: counts.filter(row => nameOf(row.type) === name).reduce((sum, row) => sum + row.consumers, 0),
    }
  return usages
}
