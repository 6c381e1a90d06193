/** How much of an inventory may still be taken, and in which portions. */
import type { Inventory } from '../../contract/inventory.ts'

/** An inventory with what is allocated of it. */
export interface Stock extends Inventory {
  readonly used: number
}

/** May be a fraction; compared as it is, shown rounded down. */
export const capacityOf = (inventory: Inventory): number =>
  (inventory.total - inventory.reserved) * inventory.allocation_ratio

/** True when one consumer may take that amount at once, whoever else holds how much. */
export const isPortion = (inventory: Inventory, amount: number): boolean =>
  amount >= inventory.min_unit && amount <= inventory.max_unit && amount % inventory.step_size === 0

/** True when that amount may be taken now. */
export const fits = (stock: Stock, amount: number): boolean =>
  isPortion(stock, amount) && stock.used + amount <= capacityOf(stock)

export interface Claim {
  readonly provider: string
  readonly resourceClass: string
  readonly amount: number
}

export interface Refusal {
  readonly claim: Claim
  readonly kind: 'no inventory' | 'not a portion' | 'over capacity'
}

/**
 * The first claim that does not fit beside the others, or undefined when all do. `stockOf` tells the stock with the
 * claimants' former holdings given back; `before` what was used with them. A provider that is over its capacity
 * already (its inventory shrank) takes claims that do not make it worse.
 */
export function refuse(
  claims: readonly Claim[],
  stockOf: (provider: string, resourceClass: string) => Stock | undefined,
  before: (provider: string, resourceClass: string) => number,
): Refusal | undefined {
  const sums = new Map<string, number>()
  const key = (claim: Claim) => `${claim.provider} ${claim.resourceClass}`
  for (const claim of claims) sums.set(key(claim), (sums.get(key(claim)) ?? 0) + claim.amount)
  for (const claim of claims) {
    const stock = stockOf(claim.provider, claim.resourceClass)
    if (!stock) return { claim, kind: 'no inventory' }
    if (!isPortion(stock, claim.amount)) return { claim, kind: 'not a portion' }
    const used = stock.used + sums.get(key(claim))!
    if (used > capacityOf(stock) && used > before(claim.provider, claim.resourceClass))
      return { claim, kind: 'over capacity' }
  }
  return undefined
}
