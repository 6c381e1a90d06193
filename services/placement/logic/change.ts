/** What all of placement's logic stands on, and the one way to change something. */
import type { Runtime } from '@strata/toolkit/runtime'
import { isoTime } from '@strata/toolkit/runtime'
import type { Store, Transaction } from '@strata/toolkit/store'
import { concurrentUpdate, providerGenerationConflict, providerNotFound } from '../contract/errors.ts'
import { advanceProvider, findProvider, type ProviderRow } from '../store/provider.ts'
import { markRevision } from '../store/revision.ts'
import type { Tables } from '../store/tables.ts'
import type { SnapshotKeeper } from './snapshot.ts'

export interface Placement {
  readonly store: Store<Tables>
  readonly runtime: Runtime
  readonly snapshot: SnapshotKeeper
}

/** An open transaction, and what it has changed so far. */
export interface Change {
  readonly tx: Transaction<Tables>
  /** One moment for all rows of the change. */
  readonly now: string
  /** Says that something about the provider is no longer as snapshots have it. */
  touch(provider: string): void
  /** Says that the provider is gone. */
  forget(provider: string): void
}

/** Runs `fn` in a transaction at whose end everything that it touched is marked for the snapshots. */
export function change<T>({ store, runtime }: Placement, fn: (change: Change) => Promise<T>): Promise<T> {
  return store.transaction(async tx => {
    const changed = new Set<string>()
    const deleted = new Set<string>()
    const result = await fn({
      tx,
      now: isoTime(runtime.now()),
      touch: provider => void changed.add(provider),
      forget: provider => void deleted.add(provider),
    })
    if (changed.size + deleted.size > 0) await markRevision(tx, { changed: [...changed], deleted: [...deleted] })
    return result
  })
}

/** The provider's row. Throws 404. */
export async function mustFind(tx: Placement['store']['db'], uuid: string): Promise<ProviderRow> {
  const row = await findProvider(tx, uuid)
  if (!row) throw providerNotFound(uuid)
  return row
}

/** The provider's row, if the caller has seen its latest generation. Throws 404 and 409. */
export async function mustHaveSeen(
  tx: Placement['store']['db'],
  uuid: string,
  generation: number,
): Promise<ProviderRow> {
  const row = await mustFind(tx, uuid)
  if (row.generation !== generation) throw providerGenerationConflict(uuid, row.generation, generation)
  return row
}

/** Moves a provider one generation on and returns it so. Throws 409 when another transaction did so first. */
export async function advance(scope: Change, row: ProviderRow): Promise<ProviderRow> {
  if (!(await advanceProvider(scope.tx, row, scope.now)))
    throw concurrentUpdate('Another thread concurrently updated the resource provider data. Please retry your update')
  scope.touch(row.uuid)
  return { ...row, generation: row.generation + 1, updated_at: scope.now }
}
