/** Inventories of a provider: always written under its generation, so that two writers never undo each other. */
import { badRequest, conflict, notFound } from '@strata/toolkit/fault'
import type { Db } from '@strata/toolkit/store'
import { concurrentUpdate, errorCodes, inventoryInUse } from '../contract/errors.ts'
import { type Inventory, type InventoryInput, type SetInventories, withDefaults } from '../contract/inventory.ts'
import { listInventories, putInventories, removeInventories, usageOf } from '../store/inventory.ts'
import type { ProviderRow } from '../store/provider.ts'
import type { Tables } from '../store/tables.ts'
import { advance, type Change, change, mustFind, mustHaveSeen, type Placement } from './change.ts'
import { mustKnowClasses } from './names.ts'
import { capacityOf } from './rules/capacity.ts'

export interface Shown {
  readonly generation: number
  readonly inventories: ReadonlyMap<string, Inventory>
  /** When the newest of them was written; unset when there is none. */
  readonly since?: string
}

export interface WriteOptions {
  /** Since 1.26 all of an inventory may be reserved. */
  readonly reservedMayBeTotal: boolean
}

async function shown(db: Db<Tables>, provider: ProviderRow): Promise<Shown> {
  const rows = await listInventories(db, provider.uuid)
  return {
    generation: provider.generation,
    inventories: new Map(rows.map(row => [row.resource_class, row])),
    since: rows
      .map(row => row.updated_at)
      .sort()
      .at(-1),
  }
}

export async function showInventories({ store }: Placement, uuid: string): Promise<Shown> {
  return shown(store.db, await mustFind(store.db, uuid))
}

function mustHaveCapacity(provider: string, inventories: ReadonlyMap<string, Inventory>, options: WriteOptions): void {
  for (const [resourceClass, inventory] of inventories) {
    const capacity = Math.floor(capacityOf(inventory))
    if (capacity > 0 || (capacity === 0 && options.reservedMayBeTotal)) continue
    throw badRequest(
      `Unable to update inventory for resource provider ${provider}: Invalid inventory for '${resourceClass}' on resource provider '${provider}'. The reserved value is greater than ${
        options.reservedMayBeTotal ? '' : 'or equal to '
      }total.`,
    )
  }
}

/** Throws 409 when somebody holds something of these classes. */
async function mustBeFree(scope: Change, provider: string, classes: readonly string[]): Promise<void> {
  const used = (await usageOf(scope.tx, [provider])).filter(row => classes.includes(row.resource_class))
  if (used.length > 0)
    throw inventoryInUse(
      used.map(row => row.resource_class),
      provider,
    )
}

/** Makes a provider's inventories exactly these, and moves its generation on. */
export async function replaceInventories(
  scope: Change,
  provider: ProviderRow,
  inventories: ReadonlyMap<string, Inventory>,
): Promise<ProviderRow> {
  const had = await listInventories(scope.tx, provider.uuid)
  const gone = had.map(row => row.resource_class).filter(name => !inventories.has(name))
  await mustBeFree(scope, provider.uuid, gone)
  await removeInventories(scope.tx, provider.uuid, gone)
  await putInventories(scope.tx, provider.uuid, inventories, scope.now)
  return advance(scope, provider)
}

/** What was sent, with defaults. Throws 400 for unknown classes and for inventories without capacity. */
export async function readInventories(
  scope: Change,
  provider: string,
  given: SetInventories['inventories'],
  options: WriteOptions,
): Promise<ReadonlyMap<string, Inventory>> {
  const inventories = new Map(Object.entries(given).map(([name, one]) => [name, withDefaults(one)]))
  await mustKnowClasses(
    scope.tx,
    inventories.keys(),
    `Unknown resource class in inventory for resource provider ${provider}:`,
  )
  mustHaveCapacity(provider, inventories, options)
  return inventories
}

/** Throws 404, 409 (generation, in use) and 400. */
export function setInventories(
  placement: Placement,
  uuid: string,
  given: SetInventories,
  options: WriteOptions,
): Promise<Shown> {
  return change(placement, async scope => {
    const row = await mustHaveSeen(scope.tx, uuid, given.resource_provider_generation)
    const inventories = await readInventories(scope, uuid, given.inventories, options)
    return shown(scope.tx, await replaceInventories(scope, row, inventories))
  })
}

/** Adds one. Throws 404, 400, and 409 when the provider has that class already. */
export function addInventory(
  placement: Placement,
  uuid: string,
  given: InventoryInput & { readonly resource_class: string; readonly resource_provider_generation?: number },
  options: WriteOptions,
): Promise<Shown> {
  return change(placement, async scope => {
    const { resource_class: name, resource_provider_generation: generation } = given
    const row =
      generation === undefined ? await mustFind(scope.tx, uuid) : await mustHaveSeen(scope.tx, uuid, generation)
    const inventories = await readInventories(scope, uuid, { [name]: given }, options)
    const had = await listInventories(scope.tx, uuid)
    if (had.some(one => one.resource_class === name))
      throw concurrentUpdate(`Update conflict: resource provider ${uuid} has an inventory of ${name} already`)
    await putInventories(scope.tx, uuid, inventories, scope.now)
    return shown(scope.tx, await advance(scope, row))
  })
}

/** Replaces one that is there. Throws 404, 409, and 400 also when it is not. */
export function updateInventory(
  placement: Placement,
  uuid: string,
  name: string,
  given: InventoryInput & { readonly resource_provider_generation: number },
  options: WriteOptions,
): Promise<Shown> {
  return change(placement, async scope => {
    const row = await mustHaveSeen(scope.tx, uuid, given.resource_provider_generation)
    const inventories = await readInventories(scope, uuid, { [name]: given }, options)
    const had = await listInventories(scope.tx, uuid)
    if (!had.some(one => one.resource_class === name))
      throw badRequest(
        `No inventory record with resource class for resource provider ${uuid}: No inventory of class ${name} found.`,
      )
    await putInventories(scope.tx, uuid, inventories, scope.now)
    return shown(scope.tx, await advance(scope, row))
  })
}

/** Throws 404, and 409 when it is in use. */
export function removeInventory(placement: Placement, uuid: string, name: string): Promise<void> {
  return change(placement, async scope => {
    const row = await mustFind(scope.tx, uuid)
    const had = await listInventories(scope.tx, uuid)
    if (!had.some(one => one.resource_class === name)) throw notFound(`No inventory of class ${name} found for delete`)
    const used = (await usageOf(scope.tx, [uuid])).some(one => one.resource_class === name)
    // The code is the field's own: on this path alone "in use" is told as a concurrent update.
    if (used)
      throw conflict(
        `Unable to delete inventory of class ${name}: Inventory for '${name}' on resource provider '${uuid}' in use.`,
        errorCodes.concurrentUpdate,
      )
    await removeInventories(scope.tx, uuid, [name])
    await advance(scope, row)
  })
}

/** Throws 404, and 409 when one is in use. */
export function removeAllInventories(placement: Placement, uuid: string): Promise<void> {
  return change(placement, async scope => {
    await replaceInventories(scope, await mustFind(scope.tx, uuid), new Map())
  })
}
