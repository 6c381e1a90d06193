/**
 * Keeps the snapshot in step with the database: before each search it asks for the revision (one row) and, when that has
 * moved, reads only the providers that changed since.
 */
import type { Store } from '@strata/toolkit/store'
import { sharesViaAggregate } from '../contract/standard-traits.ts'
import { type Changes, changesSince, currentRevision, remembered } from '../store/revision.ts'
import type { Tables } from '../store/tables.ts'
import type { Stock } from './rules/capacity.ts'
import { createSnapshot, type MutableSnapshot, type Snapshot } from './rules/snapshot.ts'

export interface SnapshotKeeper {
  /** The providers as they are now, or newer than that. Use it before the next `await`: it goes on changing. */
  latest(): Promise<Snapshot>
}

export function createSnapshotKeeper(store: Store<Tables>): SnapshotKeeper {
  let snapshot = createSnapshot(sharesViaAggregate)
  let revision = -1
  let last: Promise<unknown> = Promise.resolve()
  let waiting: Promise<Snapshot> | undefined

  const follow = async (): Promise<Snapshot> => {
    const current = await currentRevision(store.db)
    if (current === revision) return snapshot
    if (revision >= 0 && current - revision > remembered) {
      snapshot = createSnapshot(sharesViaAggregate)
      revision = -1
    }
    // What is committed while this reads has a revision above `current`, and so is read again next time.
    apply(snapshot, await changesSince(store.db, revision))
    revision = current
    return snapshot
  }
  return {
    latest() {
      // Whoever asks before the next turn begins shares it: it begins after all that they have written.
      if (!waiting) {
        const turn = () => {
          waiting = undefined
          return follow()
        }
        waiting = last.then(turn, turn)
        last = waiting
      }
      return waiting
    },
  }
}

function apply(snapshot: MutableSnapshot, changes: Changes): void {
  for (const uuid of changes.deleted) snapshot.drop(uuid)
  const used = new Map(changes.usages.map(row => [`${row.provider_uuid} ${row.resource_class}`, row.used]))
  // Classes are shown in one order, whatever order the database gives rows in.
  const inOrder = changes.inventories.toSorted((a, b) => (a.resource_class < b.resource_class ? -1 : 1))
  const stocks = groupBy(inOrder)
  const traits = groupBy(changes.traits)
  const aggregates = groupBy(changes.aggregates)
  for (const row of changes.providers)
    snapshot.put({
      uuid: row.uuid,
      name: row.name,
      generation: row.generation,
      parent: row.parent_uuid,
      root: row.root_uuid,
      updatedAt: row.updated_at,
      stocks: new Map(
        (stocks.get(row.uuid) ?? []).map((inventory): [string, Stock] => [
          inventory.resource_class,
          { ...inventory, used: used.get(`${row.uuid} ${inventory.resource_class}`) ?? 0 },
        ]),
      ),
      traits: new Set((traits.get(row.uuid) ?? []).map(one => one.trait)),
      aggregates: new Set((aggregates.get(row.uuid) ?? []).map(one => one.aggregate_uuid)),
    })
}

function groupBy<T extends { provider_uuid: string }>(rows: readonly T[]): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const row of rows) {
    const group = groups.get(row.provider_uuid)
    if (group) group.push(row)
    else groups.set(row.provider_uuid, [row])
  }
  return groups
}
