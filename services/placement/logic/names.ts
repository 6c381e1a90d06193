/** Traits and resource classes: the standard names are known, custom ones are made, renamed and removed by callers. */
import { badRequest, conflict, notFound } from '@strata/toolkit/fault'
import { isoTime } from '@strata/toolkit/runtime'
import type { Db } from '@strata/toolkit/store'
import { unknownResourceClass, unknownTraits } from '../contract/errors.ts'
import { standardResourceClasses } from '../contract/standard-resource-classes.ts'
import { standardTraits } from '../contract/standard-traits.ts'
import { customName } from '../contract/trait.ts'
import {
  deleteClass,
  deleteTrait,
  findCustomClasses,
  findCustomTrait,
  findCustomTraits,
  insertClass,
  insertTrait,
  isTraitInUse,
  listCustomClasses,
  listCustomTraits,
  listTraitsInUse,
  providersWithClass,
  renameClass as renameRows,
} from '../store/names.ts'
import type { Tables } from '../store/tables.ts'
import { change, type Placement } from './change.ts'

const isStandardTrait = (name: string): boolean => knownTraits.has(name)
const isStandardClass = (name: string): boolean => knownClasses.has(name)
const knownTraits: ReadonlySet<string> = new Set(standardTraits)
const knownClasses: ReadonlySet<string> = new Set(standardResourceClasses)

/** A name and when it came to be; standard names have always been. */
export interface Named {
  readonly name: string
  readonly since?: string
}

/** Throws 400 naming the traits that do not exist. */
export async function mustKnowTraits(db: Db<Tables>, names: Iterable<string>): Promise<void> {
  const custom = [...new Set(names)].filter(name => !isStandardTrait(name))
  if (custom.length === 0) return
  const found = new Set((await findCustomTraits(db, custom)).map(row => row.name))
  const unknown = custom.filter(name => !found.has(name))
  if (unknown.length > 0) throw unknownTraits(unknown)
}

/** Throws 400 naming the first class that does not exist, after `where`, which says what named it. */
export async function mustKnowClasses(db: Db<Tables>, names: Iterable<string>, where: string): Promise<void> {
  const custom = [...new Set(names)].filter(name => !isStandardClass(name))
  if (custom.length === 0) return
  const found = new Set((await findCustomClasses(db, custom)).map(row => row.name))
  const unknown = custom.find(name => !found.has(name))
  if (unknown !== undefined) throw unknownResourceClass(unknown, where)
}

export interface TraitFilter {
  readonly names?: readonly string[]
  readonly prefix?: string
  /** True: only those that some provider has; false: only those that none has. */
  readonly associated?: boolean
}

export async function listTraits({ store }: Placement, filter: TraitFilter): Promise<readonly Named[]> {
  const custom = await listCustomTraits(store.db)
  const inUse = filter.associated === undefined ? undefined : await listTraitsInUse(store.db)
  return [
    ...standardTraits.map((name): Named => ({ name })),
    ...custom.map(row => ({ name: row.name, since: row.created_at })),
  ].filter(
    ({ name }) =>
      (filter.names === undefined || filter.names.includes(name)) &&
      (filter.prefix === undefined || name.startsWith(filter.prefix)) &&
      (inUse === undefined || inUse.has(name) === filter.associated),
  )
}

/** Throws 404. */
export async function showTrait({ store }: Placement, name: string): Promise<Named> {
  if (isStandardTrait(name)) return { name }
  const row = await findCustomTrait(store.db, name)
  if (!row) throw notFound(`No such trait(s): ${name}.`)
  return { name, since: row.created_at }
}

/** Makes a custom trait if it is not there. Throws 400 for a name that is not one. */
export async function ensureTrait(placement: Placement, name: string): Promise<Named & { readonly created: boolean }> {
  if (!customName.test(name))
    throw badRequest(
      'The trait is invalid. A valid trait must be no longer than 255 characters, start with the prefix "CUSTOM_" and use following characters: "A"-"Z", "0"-"9" and "_"',
    )
  const now = isoTime(placement.runtime.now())
  if (await insertTrait(placement.store.db, { name, created_at: now })) return { name, since: now, created: true }
  return { ...(await showTrait(placement, name)), created: false }
}

/** Throws 400 for a standard one, 404, and 409 when a provider has it. */
export async function removeTrait(placement: Placement, name: string): Promise<void> {
  if (isStandardTrait(name)) throw badRequest(`Cannot delete standard trait ${name}.`)
  await change(placement, async ({ tx }) => {
    if (!(await findCustomTrait(tx, name))) throw notFound(`No such trait(s): ${name}.`)
    if (await isTraitInUse(tx, name)) throw conflict(`The trait ${name} is in use by a resource provider.`)
    await deleteTrait(tx, name)
  })
}

export async function listClasses({ store }: Placement): Promise<readonly Named[]> {
  const custom = await listCustomClasses(store.db)
  return [
    ...standardResourceClasses.map(name => ({ name })),
    ...custom.map(row => ({ name: row.name, since: row.updated_at })),
  ]
}

/** Throws 404. */
export async function showClass({ store }: Placement, name: string): Promise<Named> {
  if (isStandardClass(name)) return { name }
  const [row] = await findCustomClasses(store.db, [name])
  if (!row) throw notFound(`No such resource class ${name}.`)
  return { name, since: row.updated_at }
}

/** True when it was made, false when it was there. */
export const ensureClass = ({ store, runtime }: Placement, name: string): Promise<boolean> =>
  insertClass(store.db, { name, updated_at: isoTime(runtime.now()) })

/** Throws 409 when it is there already. */
export async function createClass(placement: Placement, name: string): Promise<void> {
  if (!(await ensureClass(placement, name))) throw conflict(`Conflicting resource class already exists: ${name}`)
}

/** Throws 400 for a standard one, 404, and 409 when the new name is taken. */
export async function renameClass(placement: Placement, from: string, to: string): Promise<void> {
  if (isStandardClass(from)) throw badRequest(`Cannot update standard resource class ${from}`)
  await change(placement, async ({ tx, now, touch }) => {
    const rows = await findCustomClasses(tx, [from, to])
    if (!rows.some(row => row.name === from)) throw notFound(`No such resource class ${from}.`)
    if (from !== to && rows.some(row => row.name === to)) throw conflict(`Resource class already exists: ${to}`)
    for (const provider of await providersWithClass(tx, from)) touch(provider)
    await renameRows(tx, from, to, now)
  })
}

/** Throws 400 for a standard one, 404, and 409 when a provider has inventory of it. */
export async function removeClass(placement: Placement, name: string): Promise<void> {
  if (isStandardClass(name))
    throw badRequest(`Error in delete resource class: Cannot delete standard resource class ${name}.`)
  await change(placement, async ({ tx }) => {
    const [row] = await findCustomClasses(tx, [name])
    if (!row) throw notFound(`No such resource class ${name}.`)
    if ((await providersWithClass(tx, name)).length > 0)
      throw conflict(
        `Error in delete resource class: Cannot delete resource class ${name}. Class is in use in inventory.`,
      )
    await deleteClass(tx, name)
  })
}
