/** The reshaper: moves inventories between providers together with the allocations against them, all or nothing. */
import { badRequest } from '@strata/toolkit/fault'
import { errorCodes, providerGenerationConflict } from '../contract/errors.ts'
import type { SetInventories } from '../contract/inventory.ts'
import { putInventories } from '../store/inventory.ts'
import { findProvider } from '../store/provider.ts'
import { type ConsumerClaim, replaceAllocations } from './allocation.ts'
import { advance, change, mustFind, type Placement } from './change.ts'
import { readInventories, replaceInventories } from './inventory.ts'
import { canonical } from './provider.ts'

/** Throws 400 (unknown provider or class) and 409 (generations, in use, does not fit). */
export function reshape(
  placement: Placement,
  inventories: Readonly<Record<string, SetInventories>>,
  claims: readonly ConsumerClaim[],
): Promise<void> {
  return change(placement, async scope => {
    const wanted = new Map<string, Awaited<ReturnType<typeof readInventories>>>()
    for (const [given, one] of Object.entries(inventories)) {
      const uuid = canonical(given)
      const row = await findProvider(scope.tx, uuid)
      if (!row) throw badRequest(`Resource provider ${uuid} in inventories not found`, errorCodes.providerNotFound)
      if (row.generation !== one.resource_provider_generation)
        throw providerGenerationConflict(uuid, row.generation, one.resource_provider_generation)
      wanted.set(uuid, await readInventories(scope, uuid, one.inventories, { reservedMayBeTotal: true }))
      // Old and new inventories stand side by side while the allocations move over.
      await putInventories(scope.tx, uuid, wanted.get(uuid)!, scope.now)
      if (wanted.get(uuid)!.size > 0) await advance(scope, row)
    }
    await replaceAllocations(scope, claims)
    for (const [uuid, one] of wanted) await replaceInventories(scope, await mustFind(scope.tx, uuid), one)
  })
}
