/** Resource providers: finding, making, renaming, moving and removing them; their traits and aggregates. */
import { badRequest, conflict } from '@strata/toolkit/fault'
import { errorCodes } from '../contract/errors.ts'
import type { CreateProvider, UpdateProvider } from '../contract/provider.ts'
import { hasAllocations } from '../store/allocation.ts'
import { listProviderTraits, replaceProviderTraits } from '../store/names.ts'
import {
  deleteProvider,
  findDuplicates,
  findProvider,
  findTree,
  hasChildren,
  insertProvider,
  listAggregates,
  type ProviderRow,
  replaceAggregates,
  updateProvider,
} from '../store/provider.ts'
import { advance, type Change, change, mustFind, mustHaveSeen, type Placement } from './change.ts'
import { mustKnowClasses, mustKnowTraits } from './names.ts'
import { fits } from './rules/capacity.ts'
import type { Filter } from './rules/query.ts'
import type { ProviderView } from './rules/snapshot.ts'
import { subtree } from './rules/tree.ts'

export interface ProviderFilter extends Filter {
  readonly uuid?: string
  readonly name?: string
}

/** UUIDs in the form in which they are kept: lower case, with hyphens. */
export const canonical = (uuid: string): string =>
  uuid
    .replaceAll('-', '')
    .toLowerCase()
    .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')

export const viewOf = (row: ProviderRow): Omit<ProviderView, 'stocks' | 'traits' | 'aggregates'> => ({
  uuid: row.uuid,
  name: row.name,
  generation: row.generation,
  parent: row.parent_uuid,
  root: row.root_uuid,
  updatedAt: row.updated_at,
})

export type ShownProvider = ReturnType<typeof viewOf>

export async function showProvider({ store }: Placement, uuid: string): Promise<ShownProvider> {
  return viewOf(await mustFind(store.db, uuid))
}

/** Throws 400 for classes and traits that do not exist. */
export async function listProviders(placement: Placement, filter: ProviderFilter): Promise<readonly ShownProvider[]> {
  await mustKnowClasses(placement.store.db, filter.resources.keys(), 'Invalid resource class in resources parameter:')
  await mustKnowTraits(placement.store.db, [...filter.required.flatMap(any => [...any]), ...filter.forbidden])
  const { providers, trees } = await placement.snapshot.latest()
  let from: Iterable<ProviderView> = providers.values()
  if (filter.inTree !== undefined) {
    const member = providers.get(filter.inTree)
    from = member ? trees.get(member.root)!.values() : []
  }
  return [...from].filter(provider => matches(provider, filter))
}

const meets = (have: ReadonlySet<string>, any: ReadonlySet<string>): boolean => !have.isDisjointFrom(any)

function matches(provider: ProviderView, filter: ProviderFilter): boolean {
  return (
    (filter.uuid === undefined || provider.uuid === filter.uuid) &&
    (filter.name === undefined || provider.name === filter.name) &&
    filter.required.every(any => meets(provider.traits, any)) &&
    !meets(provider.traits, filter.forbidden) &&
    filter.memberOf.every(any => meets(provider.aggregates, any)) &&
    !meets(provider.aggregates, filter.forbiddenAggregates) &&
    filter.resources.entries().every(([resourceClass, amount]) => {
      const stock = provider.stocks.get(resourceClass)
      return stock !== undefined && fits(stock, amount)
    })
  )
}

/** Throws 409 for a taken name or UUID and 400 for a parent that is not there. */
export function createProvider(placement: Placement, given: CreateProvider): Promise<ShownProvider> {
  const uuid = given.uuid === undefined ? placement.runtime.uuid() : canonical(given.uuid)
  const parent = given.parent_provider_uuid == null ? null : canonical(given.parent_provider_uuid)
  const refuse = (why: string) =>
    badRequest(`Unable to create resource provider "${given.name}", ${uuid}: parent_provider_uuid: ${why}`)
  return change(placement, async ({ tx, now, touch }) => {
    await refuseDuplicates(tx, { uuid, name: given.name })
    if (parent === uuid)
      throw refuse('parent provider UUID cannot be same as UUID. Please set it to None if there is no parent.')
    const above = parent === null ? undefined : await findProvider(tx, parent)
    if (parent !== null && !above) throw refuse('parent provider UUID does not exist.')
    const row: ProviderRow = {
      uuid,
      name: given.name,
      generation: 0,
      parent_uuid: parent,
      root_uuid: above?.root_uuid ?? uuid,
      created_at: now,
      updated_at: now,
      revision: 0,
    }
    await insertProvider(tx, row)
    touch(uuid)
    return viewOf(row)
  })
}

async function refuseDuplicates(
  tx: Change['tx'],
  wanted: { readonly uuid?: string; readonly name: string },
): Promise<void> {
  const taken = await findDuplicates(tx, wanted)
  if (taken.length === 0) return
  const what = taken.map(key => `${key}: ${wanted[key]}`).join(', ')
  throw conflict(`Conflicting resource provider ${what} already exists.`, errorCodes.duplicateName)
}

/** `reparent` false: a provider that has a parent keeps it (until 1.36). Throws 404, 409 for a taken name, and 400. */
export function changeProvider(
  placement: Placement,
  uuid: string,
  given: UpdateProvider,
  { reparent }: { readonly reparent: boolean },
): Promise<ShownProvider> {
  return change(placement, async scope => {
    const { tx, now, touch } = scope
    const row = await mustFind(tx, uuid)
    if (given.name !== row.name) await refuseDuplicates(tx, { name: given.name })
    const wanted = given.parent_provider_uuid
    const parent = wanted === undefined ? row.parent_uuid : wanted === null ? null : canonical(wanted)
    const root = parent === row.parent_uuid ? row.root_uuid : await move(scope, row, parent, reparent)
    await updateProvider(tx, uuid, { name: given.name, parent_uuid: parent, root_uuid: root, updated_at: now })
    touch(uuid)
    return viewOf({ ...row, name: given.name, parent_uuid: parent, root_uuid: root, updated_at: now })
  })
}

/** Gives everything below the provider its new root and returns that. */
async function move(scope: Change, row: ProviderRow, parent: string | null, reparent: boolean): Promise<string> {
  const refuse = (why: string) =>
    badRequest(`Unable to save resource provider ${row.uuid}: parent_provider_uuid: ${why}`)
  const above = parent === null ? undefined : await findProvider(scope.tx, parent)
  if (parent !== null && !above) throw refuse('parent provider UUID does not exist.')
  if (row.parent_uuid !== null && !reparent)
    throw refuse(`${above ? 're-parenting' : 'un-parenting'} a provider is not currently allowed.`)
  const below = subtree(await findTree(scope.tx, row.root_uuid), row.uuid)
  if (above && below.includes(above.uuid)) throw refuse('creating loop in the provider tree is not allowed.')
  const root = above?.root_uuid ?? row.uuid
  for (const uuid of below) {
    await updateProvider(scope.tx, uuid, { root_uuid: root })
    scope.touch(uuid)
  }
  return root
}

/** Throws 404, and 409 while it has children or somebody holds something of it. */
export function removeProvider(placement: Placement, uuid: string): Promise<void> {
  return change(placement, async ({ tx, forget }) => {
    await mustFind(tx, uuid)
    if (await hasChildren(tx, uuid))
      throw conflict(
        `Unable to delete parent resource provider ${uuid}: It has child resource providers.`,
        errorCodes.cannotDeleteParent,
      )
    if (await hasAllocations(tx, uuid))
      throw conflict(
        `Unable to delete resource provider ${uuid}: Resource provider has allocations.`,
        errorCodes.providerInUse,
      )
    await deleteProvider(tx, uuid)
    forget(uuid)
  })
}

export interface OfProvider {
  readonly provider: ShownProvider
  readonly values: readonly string[]
}

export async function showAggregates({ store }: Placement, uuid: string): Promise<OfProvider> {
  const row = await mustFind(store.db, uuid)
  return { provider: viewOf(row), values: await listAggregates(store.db, uuid) }
}

/** Without a generation (until 1.18) the last writer wins, and the generation stays. */
export function setAggregates(
  placement: Placement,
  uuid: string,
  aggregates: readonly string[],
  generation?: number,
): Promise<OfProvider> {
  return change(placement, async scope => {
    const { tx, touch } = scope
    const row = generation === undefined ? await mustFind(tx, uuid) : await mustHaveSeen(tx, uuid, generation)
    const values = [...new Set(aggregates.map(canonical))]
    await replaceAggregates(tx, uuid, values)
    touch(uuid)
    return { provider: viewOf(generation === undefined ? row : await advance(scope, row)), values }
  })
}

export async function showTraits({ store }: Placement, uuid: string): Promise<OfProvider> {
  const row = await mustFind(store.db, uuid)
  return { provider: viewOf(row), values: await listProviderTraits(store.db, uuid) }
}

/** The generation moves only when the traits do. Throws 404, 409, and 400 naming traits that do not exist. */
export function setTraits(
  placement: Placement,
  uuid: string,
  traits: readonly string[],
  generation?: number,
): Promise<OfProvider> {
  return change(placement, async scope => {
    const row =
      generation === undefined ? await mustFind(scope.tx, uuid) : await mustHaveSeen(scope.tx, uuid, generation)
    const values = [...new Set(traits)].sort()
    await mustKnowTraits(scope.tx, values)
    const had = await listProviderTraits(scope.tx, uuid)
    if (had.join() === values.join()) return { provider: viewOf(row), values }
    await replaceProviderTraits(scope.tx, uuid, values)
    return { provider: viewOf(await advance(scope, row)), values }
  })
}
