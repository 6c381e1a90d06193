/**
 * The snapshot: all providers as they were at one moment, in memory, with the few indexes that searches need. It is
 * changed provider by provider, so that following the database costs what changed and not what is there.
 */
import type { Stock } from './capacity.ts'

export interface ProviderView {
  readonly uuid: string
  readonly name: string
  readonly generation: number
  readonly parent: string | null
  readonly root: string
  /** ISO 8601, UTC. */
  readonly updatedAt: string
  readonly stocks: ReadonlyMap<string, Stock>
  readonly traits: ReadonlySet<string>
  readonly aggregates: ReadonlySet<string>
}

export interface Snapshot {
  readonly providers: ReadonlyMap<string, ProviderView>
  /** Providers of a tree, by its root. */
  readonly trees: ReadonlyMap<string, ReadonlyMap<string, ProviderView>>
  /** Providers by aggregate. */
  readonly members: ReadonlyMap<string, ReadonlySet<string>>
  /** Providers whose inventory is offered to every tree in one of their aggregates. */
  readonly sharing: ReadonlySet<string>
}

export interface MutableSnapshot extends Snapshot {
  /** Adds a provider or replaces what was known of it. */
  put(view: ProviderView): void
  drop(uuid: string): void
}

/** An empty snapshot; `sharingTrait` marks providers whose inventory is offered through aggregates. */
export function createSnapshot(sharingTrait: string): MutableSnapshot {
  const providers = new Map<string, ProviderView>()
  const trees = new Map<string, Map<string, ProviderView>>()
  const members = new Map<string, Set<string>>()
  const sharing = new Set<string>()

  const leave = (view: ProviderView, next?: ProviderView) => {
    if (view.root !== next?.root) {
      const tree = trees.get(view.root)
      tree?.delete(view.uuid)
      if (tree?.size === 0) trees.delete(view.root)
    }
    for (const aggregate of view.aggregates) {
      if (next?.aggregates.has(aggregate)) continue
      const group = members.get(aggregate)
      group?.delete(view.uuid)
      if (group?.size === 0) members.delete(aggregate)
    }
    sharing.delete(view.uuid)
  }
  return {
    providers,
    trees,
    members,
    sharing,
    put(view) {
      const known = providers.get(view.uuid)
      if (known) leave(known, view)
      providers.set(view.uuid, view)
      const tree = trees.get(view.root)
      if (tree) tree.set(view.uuid, view)
      else trees.set(view.root, new Map([[view.uuid, view]]))
      for (const aggregate of view.aggregates) {
        const group = members.get(aggregate)
        if (group) group.add(view.uuid)
        else members.set(aggregate, new Set([view.uuid]))
      }
      if (view.traits.has(sharingTrait)) sharing.add(view.uuid)
    },
    drop(uuid) {
      const known = providers.get(uuid)
      if (!known) return
      leave(known)
      providers.delete(uuid)
    },
  }
}
