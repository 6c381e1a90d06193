/** What is done with flavors. Names and ids must differ; who may use a flavor that is not public is kept by project. */
import { badRequest, conflict, type Fault, notFound } from '@strata/toolkit/fault'
import type { SortKey } from '@strata/toolkit/resource'
import { isoTime } from '@strata/toolkit/runtime'
import type { Transaction } from '@strata/toolkit/store'
import { invalidInput } from '../contract/errors.ts'
import { readFlag, readWhole } from '../contract/fields.ts'
import type { Flavor, FlavorCreation } from '../contract/flavor.ts'
import type { ComputeTables } from '../store/database.ts'
import { accessOf, addAccess, findFlavor, flavorRows, removeAccess, removeFlavor, usableBy } from '../store/flavors.ts'
import type { Compute } from './compute.ts'
import { checkExtraSpec } from './rules/extra-specs.ts'

export type FlavorDeps = Pick<Compute, 'store' | 'runtime'>

/** Who asks: administrators know of every flavor. */
export interface Viewer {
  readonly admin: boolean
  readonly projectId: string
}

const missing = (id: string): Fault => notFound(`Flavor ${id} could not be found.`, 'FlavorNotFound')

/** The flavor, unless there is none that the viewer may know of. */
async function visibleFlavor(
  { store }: Pick<FlavorDeps, 'store'>,
  viewer: Viewer,
  id: string,
): Promise<Flavor | undefined> {
  const [found] = await flavorRows.list(store.db, {
    where: { id },
    conditions: viewer.admin ? [] : [usableBy(viewer.projectId)],
    limit: 1,
  })
  return found
}

/** Throws a 404 where `visibleFlavor` finds nothing. */
export async function needFlavor(deps: Pick<FlavorDeps, 'store'>, viewer: Viewer, id: string): Promise<Flavor> {
  const found = await visibleFlavor(deps, viewer, id)
  if (!found) throw missing(id)
  return found
}

export interface FlavorQuery {
  /** True: what the viewer's project may use. False: private ones. Undefined: both. The last two are for administrators. */
  readonly isPublic: boolean | undefined
  readonly minRam: number
  readonly minDisk: number
  readonly sort: SortKey
  readonly limit: number
  readonly marker: string | undefined
}

/** One more than `limit`, where there are more. Throws a 400 for a marker that is not there. */
export async function listFlavors(
  { store }: FlavorDeps,
  viewer: Viewer,
  query: FlavorQuery,
): Promise<readonly Flavor[]> {
  const after = query.marker === undefined ? undefined : await visibleFlavor({ store }, viewer, query.marker)
  if (query.marker !== undefined && !after) throw badRequest(`marker [${query.marker}] not found`, 'MarkerNotFound')
  return flavorRows.list(store.db, {
    where: viewer.admin && query.isPublic === false ? { is_public: false } : {},
    conditions: [
      ...(viewer.admin && query.isPublic !== true ? [] : [usableBy(viewer.projectId)]),
      eb => eb('ram', '>=', query.minRam),
      eb => eb('disk', '>=', query.minDisk),
    ],
    sort: [query.sort],
    limit: query.limit + 1,
    after,
  })
}

/** Throws 400 for a value out of its bounds and 409 for a name or id that is taken. */
export async function createFlavor({ store, runtime }: FlavorDeps, given: FlavorCreation): Promise<Flavor> {
  const rxtx = Number(given.rxtx_factor ?? 1)
  if (!(rxtx > 0 && rxtx <= 3.40282e38)) throw invalidInput('rxtx_factor', 'must be a float between 0 and 3.40282e+38')
  const row: Flavor = {
    id: given.id === undefined || given.id === null ? runtime.uuid() : String(given.id),
    name: given.name,
    description: given.description ?? null,
    vcpus: readWhole('vcpus', given.vcpus, 1),
    ram: readWhole('ram', given.ram, 1),
    disk: readWhole('disk', given.disk, 0),
    ephemeral: readWhole('ephemeral', given['OS-FLV-EXT-DATA:ephemeral'] ?? 0, 0),
    swap: readWhole('swap', given.swap ?? 0, 0),
    rxtx_factor: rxtx,
    is_public: readFlag(given['os-flavor-access:is_public'] ?? true),
    disabled: false,
    extra_specs: {},
    created_at: isoTime(runtime.now()),
    updated_at: null,
  }
  return store.transaction(async tx => {
    if (await findFlavor(tx, row.id)) throw conflict(`Flavor with ID ${row.id} already exists.`, 'FlavorIdExists')
    if ((await flavorRows.count(tx, { where: { name: row.name } })) > 0)
      throw conflict(`Flavor with name ${row.name} already exists.`, 'FlavorExists')
    return flavorRows.insert(tx, row)
  })
}

export function describeFlavor(deps: FlavorDeps, id: string, description: string | null): Promise<Flavor> {
  return changed(deps, id, () => ({ description }))
}

export async function deleteFlavor({ store }: FlavorDeps, id: string): Promise<void> {
  if (!(await store.transaction(tx => removeFlavor(tx, id)))) throw missing(id)
}

/** Adds to the flavor's extra specs. `strict` checks keys and values that are known (since 2.86). */
export async function setExtraSpecs(
  deps: FlavorDeps,
  id: string,
  given: Readonly<Record<string, string | number>>,
  strict: boolean,
): Promise<Readonly<Record<string, string>>> {
  const specs = Object.fromEntries(Object.entries(given).map(([key, value]) => [key, String(value)]))
  for (const [key, value] of Object.entries(specs)) {
    if (value.length > 255) throw invalidInput(key, 'is longer than 255 characters')
    if (strict) checkExtraSpec(key, value)
  }
  await changed(deps, id, flavor => ({ extra_specs: { ...flavor.extra_specs, ...specs } }))
  return specs
}

export async function removeExtraSpec(deps: FlavorDeps, id: string, key: string): Promise<void> {
  await changed(deps, id, flavor => {
    const { [key]: gone, ...extra_specs } = flavor.extra_specs
    if (gone === undefined) throw noExtraSpec(id, key)
    return { extra_specs }
  })
}

export const noExtraSpec = (id: string, key: string): Fault =>
  notFound(`Flavor ${id} has no extra specs with key ${key}.`, 'FlavorExtraSpecsNotFound')

/** Projects with access. Throws a 404 for a public flavor, which has no such list. */
export async function flavorAccess(deps: FlavorDeps, id: string): Promise<readonly string[]> {
  const flavor = await needFlavor(deps, { admin: true, projectId: '' }, id)
  if (flavor.is_public) throw notFound('Access list not available for public flavors.', 'FlavorPublic')
  return accessOf(deps.store.db, id)
}

/** Returns the list afterwards. `strict` refuses public flavors (since 2.7). */
export function grantAccess(
  { store }: FlavorDeps,
  id: string,
  projectId: string,
  strict: boolean,
): Promise<readonly string[]> {
  return store.transaction(async tx => {
    const flavor = await findOrFail(tx, id)
    if (strict && flavor.is_public) throw conflict('Can not add access to a public flavor.', 'FlavorPublic')
    if ((await accessOf(tx, id)).includes(projectId))
      throw conflict(
        `Flavor access already exists for flavor ${id} and project ${projectId} combination.`,
        'FlavorAccessExists',
      )
    await addAccess(tx, id, projectId)
    return accessOf(tx, id)
  })
}

/** Returns the list afterwards. */
export function revokeAccess({ store }: FlavorDeps, id: string, projectId: string): Promise<readonly string[]> {
  return store.transaction(async tx => {
    await findOrFail(tx, id)
    if (!(await removeAccess(tx, id, projectId)))
      throw notFound(`Flavor access not found for ${id} / ${projectId} combination.`, 'FlavorAccessNotFound')
    return accessOf(tx, id)
  })
}

async function findOrFail(tx: Transaction<ComputeTables>, id: string): Promise<Flavor> {
  const flavor = await findFlavor(tx, id)
  if (!flavor) throw missing(id)
  return flavor
}

function changed(
  { store, runtime }: FlavorDeps,
  id: string,
  change: (flavor: Flavor) => Partial<Flavor>,
): Promise<Flavor> {
  return store.transaction(async tx => {
    const before = await findOrFail(tx, id)
    const after = { ...before, ...change(before), updated_at: isoTime(runtime.now()) }
    await flavorRows.update(tx, id, after)
    return after
  })
}
