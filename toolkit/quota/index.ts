/**
 * Quotas: limits of what a project may have. Usage is counted from the rows themselves, in the transaction that adds one, so
 * there is no counter that could drift and no reservation that could be left behind.
 */
import type { Transaction } from 'kysely'

// biome-ignore lint/suspicious/noExplicitAny: counts rows of whatever tables the service has
type AnyTransaction = Transaction<any>

export interface CountedResource {
  /** The name in the quota API: `instances`, `floatingip`. */
  readonly name: string
  /** Limit of a project that has none of its own; -1 is none. */
  readonly defaultLimit: number
  /** What the project uses now. */
  count(tx: AnyTransaction, projectId: string): Promise<number>
}

export interface Excess {
  readonly resource: string
  readonly requested: number
  readonly used: number
  readonly limit: number
}

/** What of `requested` (resource → how many more) does not fit; empty when all does. Run it before the rows are added. */
export async function excess(options: {
  readonly tx: AnyTransaction
  readonly projectId: string
  readonly resources: readonly CountedResource[]
  readonly requested: Readonly<Record<string, number>>
  /** Limits set for this project, by resource. */
  readonly limits: Readonly<Record<string, number>>
}): Promise<readonly Excess[]> {
  const over: Excess[] = []
  for (const resource of options.resources) {
    const requested = options.requested[resource.name] ?? 0
    const limit = options.limits[resource.name] ?? resource.defaultLimit
    if (requested <= 0 || limit < 0) continue
    const used = await resource.count(options.tx, options.projectId)
    if (used + requested > limit) over.push({ resource: resource.name, requested, used, limit })
  }
  return over
}
