/**
 * The search for allocation candidates: a pure function over a snapshot.
 *
 * Words: a request has *groups*. A *granular* group (one with a suffix) is met by one provider; the unsuffixed group may be
 * met by several providers that together have what it asks for. Every candidate has an *anchor*: the root of the one
 * tree from which its providers come, beside *sharing* providers that are in an aggregate with some provider of that tree.
 * A *slot* is one decision of the search: which provider meets a granular group, or one resource class of the
 * unsuffixed one.
 */
import { capacityOf, fits } from './capacity.ts'
import type { ProviderView, Snapshot } from './snapshot.ts'

export interface Group {
  /** Empty for the unsuffixed group. */
  readonly suffix: string
  /** Amount by resource class. */
  readonly resources: ReadonlyMap<string, number>
  /** All must hold; each holds when one of its traits is there. */
  readonly required: readonly ReadonlySet<string>[]
  readonly forbidden: ReadonlySet<string>
  /** All must hold; each holds when the provider is in one of its aggregates. */
  readonly memberOf: readonly ReadonlySet<string>[]
  readonly forbiddenAggregates: ReadonlySet<string>
  /** Any provider of the tree that is to be used. */
  readonly inTree?: string
}

export interface Search {
  readonly groups: readonly Group[]
  /** True: no provider meets two granular groups. */
  readonly isolate: boolean
  readonly limit?: number
  /** Traits that the anchor must have, and must not have. */
  readonly rootRequired: ReadonlySet<string>
  readonly rootForbidden: ReadonlySet<string>
  /** Suffixes of groups whose providers must all lie below one of them. */
  readonly sameSubtrees: readonly (readonly string[])[]
  /** False: the caller knows nothing of trees and is shown at most one provider of each. */
  readonly nested: boolean
}

export interface Candidate {
  /** Amounts by provider and class; a provider of a group without resources is only in `mappings`. */
  readonly resources: ReadonlyMap<string, ReadonlyMap<string, number>>
  /** Providers by suffix. */
  readonly mappings: ReadonlyMap<string, ReadonlySet<string>>
}

export interface Found {
  readonly candidates: readonly Candidate[]
  /** Every provider that the caller is told about. */
  readonly providers: readonly ProviderView[]
}

interface Slot {
  readonly group: Group
  readonly resources: readonly (readonly [resourceClass: string, amount: number])[]
  readonly options: readonly ProviderView[]
}

/** At most `limit` candidates, in the snapshot's order of trees. */
export function findCandidates(snapshot: Snapshot, search: Search): Found {
  const candidates: Candidate[] = []
  for (const candidate of candidatesOf(snapshot, search)) {
    candidates.push(candidate)
    if (candidates.length === search.limit) break
  }
  return { candidates, providers: told(snapshot, search, candidates) }
}

function* candidatesOf(snapshot: Snapshot, search: Search): Generator<Candidate> {
  const sharers = sharersByAnchor(snapshot)
  const trees = treesAsked(snapshot, search)
  if (!trees) return
  // Only sharing providers can be reached from several anchors, so only they can make the same candidate twice.
  const seen = snapshot.sharing.size > 0 ? new Set<string>() : undefined
  for (const [anchor, tree] of snapshot.trees) {
    const root = tree.get(anchor)
    if (!root || !isAnchor(root, search)) continue
    const slots = slotsOf({ root, tree, sharers: sharers.get(anchor) ?? [], search, trees })
    if (!slots) continue
    for (const picks of choose({ slots, at: 0, picks: [], taken: new Map(), isolate: search.isolate })) {
      if (!isWhole(slots, picks, snapshot, search)) continue
      const candidate = candidateOf(slots, picks)
      if (seen) {
        const key = keyOf(candidate)
        if (seen.has(key)) continue
        seen.add(key)
      }
      yield candidate
    }
  }
}

/** Roots of the trees that `inTree` of each group names; undefined when one names a provider that does not exist. */
function treesAsked(snapshot: Snapshot, search: Search): ReadonlyMap<Group, string> | undefined {
  const trees = new Map<Group, string>()
  for (const group of search.groups) {
    if (group.inTree === undefined) continue
    const provider = snapshot.providers.get(group.inTree)
    if (!provider) return undefined
    trees.set(group, provider.root)
  }
  return trees
}

/** Sharing providers by the roots of the other trees that they offer themselves to. */
function sharersByAnchor(snapshot: Snapshot): ReadonlyMap<string, readonly ProviderView[]> {
  const byAnchor = new Map<string, ProviderView[]>()
  for (const uuid of snapshot.sharing) {
    const sharer = snapshot.providers.get(uuid)!
    const anchors = new Set<string>()
    for (const aggregate of sharer.aggregates)
      for (const member of snapshot.members.get(aggregate) ?? []) anchors.add(snapshot.providers.get(member)!.root)
    anchors.delete(sharer.root)
    for (const anchor of anchors) {
      const list = byAnchor.get(anchor)
      if (list) list.push(sharer)
      else byAnchor.set(anchor, [sharer])
    }
  }
  return byAnchor
}

function isAnchor(root: ProviderView, search: Search): boolean {
  for (const trait of search.rootRequired) if (!root.traits.has(trait)) return false
  for (const trait of search.rootForbidden) if (root.traits.has(trait)) return false
  return true
}

interface Scene {
  readonly root: ProviderView
  readonly tree: ReadonlyMap<string, ProviderView>
  readonly sharers: readonly ProviderView[]
  readonly search: Search
  readonly trees: ReadonlyMap<Group, string>
}

/** The decisions to take at an anchor; undefined when one of them has no answer. */
function slotsOf(scene: Scene): readonly Slot[] | undefined {
  const slots: Slot[] = []
  for (const group of scene.search.groups) {
    const resources = [...group.resources]
    const parts = group.suffix === '' ? resources.map(one => [one]) : [resources]
    for (const part of parts) {
      const options = optionsOf(scene, group, part)
      if (options.length === 0) return undefined
      slots.push({ group, resources: part, options })
    }
  }
  return slots
}

function optionsOf(scene: Scene, group: Group, part: Slot['resources']): ProviderView[] {
  const options: ProviderView[] = []
  const tree = scene.trees.get(group)
  const allowed = group.suffix === '' ? allowedTogether : allowedAlone
  const consider = (provider: ProviderView, shared: boolean) => {
    if (tree !== undefined && provider.root !== tree) return
    if (!hasRoom(provider, part)) return
    if (allowed(provider, group, scene.root, shared)) options.push(provider)
  }
  for (const provider of scene.tree.values()) consider(provider, false)
  for (const provider of scene.sharers) consider(provider, true)
  return options
}

function hasRoom(provider: ProviderView, part: Slot['resources']): boolean {
  for (const [resourceClass, amount] of part) {
    const stock = provider.stocks.get(resourceClass)
    if (!stock || !fits(stock, amount)) return false
  }
  return true
}

const meets = (have: ReadonlySet<string>, any: ReadonlySet<string>): boolean => {
  for (const one of any) if (have.has(one)) return true
  return false
}
const isMember = (provider: ProviderView, group: Group): boolean =>
  group.memberOf.every(any => meets(provider.aggregates, any))

/** A granular group asks all of one provider. */
function allowedAlone(provider: ProviderView, group: Group): boolean {
  return (
    group.required.every(any => meets(provider.traits, any)) &&
    !meets(provider.traits, group.forbidden) &&
    isMember(provider, group) &&
    !meets(provider.aggregates, group.forbiddenAggregates)
  )
}

/** In the unsuffixed group aggregates of the anchor span its whole tree; required traits are asked of all picks together. */
function allowedTogether(provider: ProviderView, group: Group, root: ProviderView, shared: boolean): boolean {
  return (
    !meets(provider.traits, group.forbidden) &&
    (isMember(provider, group) || (!shared && isMember(root, group))) &&
    !meets(provider.aggregates, group.forbiddenAggregates) &&
    !meets(root.aggregates, group.forbiddenAggregates)
  )
}

interface Branch {
  readonly slots: readonly Slot[]
  readonly at: number
  /** Provider picked for each slot before `at`; shared by all branches. */
  readonly picks: ProviderView[]
  /** What the picks take, by provider and class; shared by all branches. */
  readonly taken: Map<ProviderView, Map<string, number>>
  readonly isolate: boolean
}

/** Every way to fill the slots with room for all at once. The yielded list is reused: copy what is kept. */
function* choose(branch: Branch): Generator<readonly ProviderView[]> {
  const { slots, at, picks, isolate } = branch
  const slot = slots[at]
  if (!slot) {
    yield picks
    return
  }
  for (const provider of slot.options) {
    if (isolate && slot.group.suffix !== '' && isTaken(slots, picks, provider)) continue
    if (!take(branch, slot, provider)) continue
    picks.push(provider)
    yield* choose({ ...branch, at: at + 1 })
    picks.pop()
    giveBack(branch, slot, provider)
  }
}

const isTaken = (slots: readonly Slot[], picks: readonly ProviderView[], provider: ProviderView): boolean =>
  picks.some((pick, at) => pick === provider && slots[at]!.group.suffix !== '')

/** Adds a slot's amounts to what is taken of a provider; false, and nothing is added, when several slots ask too much. */
function take(branch: Branch, slot: Slot, provider: ProviderView): boolean {
  const taken = branch.taken.get(provider) ?? new Map<string, number>()
  for (const [resourceClass, amount] of slot.resources) {
    const stock = provider.stocks.get(resourceClass)!
    const sum = (taken.get(resourceClass) ?? 0) + amount
    if (stock.used + sum > capacityOf(stock) || sum > stock.max_unit) return false
  }
  branch.taken.set(provider, taken)
  for (const [resourceClass, amount] of slot.resources)
    taken.set(resourceClass, (taken.get(resourceClass) ?? 0) + amount)
  return true
}

function giveBack(branch: Branch, slot: Slot, provider: ProviderView): void {
  const taken = branch.taken.get(provider)!
  for (const [resourceClass, amount] of slot.resources) taken.set(resourceClass, taken.get(resourceClass)! - amount)
}

/** What only shows once every slot has its provider. */
function isWhole(slots: readonly Slot[], picks: readonly ProviderView[], snapshot: Snapshot, search: Search): boolean {
  const together = slots.findIndex(slot => slot.group.suffix === '')
  if (together >= 0) {
    const chosen = picks.filter((_, at) => slots[at]!.group.suffix === '')
    for (const any of slots[together]!.group.required)
      if (!chosen.some(provider => meets(provider.traits, any))) return false
  }
  if (!search.nested) {
    const used = new Set(picks)
    if (new Set([...used].map(provider => provider.root)).size < used.size) return false
  }
  return search.sameSubtrees.every(suffixes =>
    isSubtree(new Set(picks.filter((_, at) => suffixes.includes(slots[at]!.group.suffix))), snapshot),
  )
}

/** True when one of the providers is an ancestor of (or is) each of them. */
function isSubtree(providers: ReadonlySet<ProviderView>, snapshot: Snapshot): boolean {
  if (providers.size <= 1) return true
  const lines = [...providers].map(provider => ancestry(provider, snapshot))
  return [...providers].some(top => lines.every(line => line.has(top.uuid)))
}

function ancestry(provider: ProviderView, snapshot: Snapshot): ReadonlySet<string> {
  const line = new Set<string>()
  let at: ProviderView | undefined = provider
  while (at && !line.has(at.uuid)) {
    line.add(at.uuid)
    at = at.parent === null ? undefined : snapshot.providers.get(at.parent)
  }
  return line
}

function candidateOf(slots: readonly Slot[], picks: readonly ProviderView[]): Candidate {
  const resources = new Map<string, Map<string, number>>()
  const mappings = new Map<string, Set<string>>()
  for (const [at, { uuid }] of picks.entries()) {
    const slot = slots[at]!
    const group = mappings.get(slot.group.suffix)
    if (group) group.add(uuid)
    else mappings.set(slot.group.suffix, new Set([uuid]))
    if (slot.resources.length === 0) continue
    const amounts = resources.get(uuid) ?? new Map<string, number>()
    resources.set(uuid, amounts)
    for (const [resourceClass, amount] of slot.resources)
      amounts.set(resourceClass, (amounts.get(resourceClass) ?? 0) + amount)
  }
  return { resources, mappings }
}

/** The same text for candidates that take the same from the same providers for the same groups. */
function keyOf({ resources, mappings }: Candidate): string {
  const amounts = [...resources].map(([uuid, byClass]) => [uuid, [...byClass].map(one => one.join(':')).sort()])
  const groups = [...mappings].map(([suffix, uuids]) => [suffix, [...uuids].sort()])
  return JSON.stringify([amounts.sort(byFirst), groups.sort(byFirst)])
}

const byFirst = (a: readonly unknown[], b: readonly unknown[]): number => (String(a[0]) < String(b[0]) ? -1 : 1)

/** Callers who know trees are told of whole trees, others only of the providers that are used. */
function told(snapshot: Snapshot, search: Search, candidates: readonly Candidate[]): ProviderView[] {
  const used = new Set<ProviderView>()
  for (const { resources } of candidates) for (const uuid of resources.keys()) used.add(snapshot.providers.get(uuid)!)
  if (!search.nested) return [...used]
  return [...new Set([...used].map(provider => provider.root))].flatMap(root => [
    ...(snapshot.trees.get(root)?.values() ?? []),
  ])
}
