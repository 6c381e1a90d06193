import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Candidate, findCandidates, type Group, type Search } from './candidates.ts'
import { capacityOf, isPortion, type Stock } from './capacity.ts'
import { createSnapshot, type ProviderView, type Snapshot } from './snapshot.ts'

const classes = ['VCPU', 'DISK_GB']
const traits = ['T1', 'T2']
const aggregates = ['A1', 'A2']
const shares = 'SHARES'

const stock: fc.Arbitrary<Stock> = fc.record({
  total: fc.integer({ min: 2, max: 6 }),
  reserved: fc.integer({ min: 0, max: 1 }),
  min_unit: fc.constantFrom(1, 1, 2),
  max_unit: fc.integer({ min: 2, max: 6 }),
  step_size: fc.constantFrom(1, 1, 1, 2),
  allocation_ratio: fc.constantFrom(1, 1.5),
  used: fc.integer({ min: 0, max: 2 }),
})

const seed = fc.record({
  /** Index of an earlier provider, or none. */
  parent: fc.option(fc.nat(4), { nil: undefined, freq: 2 }),
  stocks: fc.dictionary(fc.constantFrom(...classes), stock, { minKeys: 1, noNullPrototype: true }),
  traits: fc.tuple(fc.subarray(traits), fc.subarray([shares])).map(parts => parts.flat()),
  aggregates: fc.constantFrom(['A1'], ['A2'], aggregates, []),
})

function snapshotOf(seeds: readonly (typeof seed extends fc.Arbitrary<infer T> ? T : never)[]): Snapshot {
  const snapshot = createSnapshot(shares)
  const made: ProviderView[] = []
  for (const [at, one] of seeds.entries()) {
    const parent = one.parent === undefined ? undefined : made[one.parent % Math.max(at, 1)]
    const view: ProviderView = {
      uuid: `p${at}`,
      name: `p${at}`,
      generation: 0,
      parent: parent?.uuid ?? null,
      root: parent?.root ?? `p${at}`,
      updatedAt: '',
      stocks: new Map(Object.entries(one.stocks)),
      traits: new Set(one.traits),
      aggregates: new Set(one.aggregates),
    }
    made.push(view)
    snapshot.put(view)
  }
  return snapshot
}

/** Mostly nothing: a search that asks for too much at once finds nothing, and so tests little. */
const rarely = <T>(some: fc.Arbitrary<T>, none: T): fc.Arbitrary<T> =>
  fc.oneof({ weight: 2, arbitrary: fc.constant(none) }, { weight: 1, arbitrary: some })
const setOf = (values: readonly string[]): fc.Arbitrary<ReadonlySet<string>> =>
  rarely(
    fc.constantFrom(...values).map(one => new Set([one])),
    new Set(),
  )
const anyOf = (values: readonly string[]): fc.Arbitrary<readonly ReadonlySet<string>[]> =>
  rarely(
    fc.subarray([...values], { minLength: 1 }).map(one => [new Set(one)]),
    [],
  )
const group = (suffix: string, subtree: boolean): fc.Arbitrary<Group> =>
  fc.record({
    suffix: fc.constant(suffix),
    resources: fc
      .dictionary(fc.constantFrom(...classes), fc.integer({ min: 1, max: 2 }), { minKeys: subtree ? 0 : 1 })
      .map(one => new Map(Object.entries(one))),
    required: anyOf(traits),
    forbidden: setOf(traits),
    memberOf: anyOf(aggregates),
    forbiddenAggregates: setOf(aggregates),
    inTree: rarely(fc.constantFrom('p0', 'p1', 'nowhere'), undefined),
  })

const search: fc.Arbitrary<Search> = fc.boolean().chain(subtree =>
  fc.record({
    groups: fc
      .tuple(fc.option(group('', false), { freq: 2 }), fc.option(group('1', subtree), { freq: 2 }), group('2', false))
      .map(groups => groups.filter(one => one !== null)),
    isolate: fc.boolean(),
    rootRequired: setOf(traits),
    rootForbidden: setOf(traits),
    sameSubtrees: fc.constant(subtree ? [['1', '2']] : []),
    nested: fc.boolean(),
  }),
)

const hits = (have: ReadonlySet<string>, any: ReadonlySet<string>) => [...any].some(one => have.has(one))

/** The rules said once more, slowly: every assignment of providers to decisions is tried and judged as a whole. */
function bruteForce(snapshot: Snapshot, { groups, ...search }: Search): Set<string> {
  const all = [...snapshot.providers.values()]
  const found = new Set<string>()
  const decisions = groups.flatMap(one =>
    one.suffix === ''
      ? [...one.resources].map(resource => ({ group: one, resources: [resource] }))
      : [{ group: one, resources: [...one.resources] }],
  )
  const ancestors = (provider: ProviderView): string[] =>
    provider.parent === null ? [provider.uuid] : [provider.uuid, ...ancestors(snapshot.providers.get(provider.parent)!)]
  const offersItselfTo = (provider: ProviderView, anchor: string) =>
    provider.traits.has(shares) &&
    all.some(member => member.root === anchor && hits(member.aggregates, provider.aggregates))

  const judge = (anchor: ProviderView, picks: readonly ProviderView[]): boolean => {
    const inRoot = [...search.rootRequired].every(trait => anchor.traits.has(trait))
    if (!inRoot || hits(anchor.traits, search.rootForbidden)) return false
    const sums = new Map<string, number>()
    for (const [at, pick] of picks.entries()) {
      const { group, resources } = decisions[at]!
      const foreign = pick.root !== anchor.uuid
      if (foreign && !offersItselfTo(pick, anchor.uuid)) return false
      if (hits(pick.traits, group.forbidden)) return false
      const member = (provider: ProviderView) => group.memberOf.every(any => hits(provider.aggregates, any))
      const spans = group.suffix === '' && !foreign && member(anchor)
      if (!member(pick) && !spans) return false
      if (hits(pick.aggregates, group.forbiddenAggregates)) return false
      if (group.suffix === '' && hits(anchor.aggregates, group.forbiddenAggregates)) return false
      if (group.inTree !== undefined && snapshot.providers.get(group.inTree)?.root !== pick.root) return false
      const who = group.suffix === '' ? picks.filter((_, i) => decisions[i]!.group === group) : [pick]
      if (!group.required.every(any => who.some(one => hits(one.traits, any)))) return false
      for (const [name, amount] of resources) {
        const have = pick.stocks.get(name)
        if (!have || !isPortion(have, amount)) return false
        const sum = (sums.get(`${pick.uuid} ${name}`) ?? 0) + amount
        if (have.used + sum > capacityOf(have) || sum > have.max_unit) return false
        sums.set(`${pick.uuid} ${name}`, sum)
      }
    }
    const granular = picks.filter((_, at) => decisions[at]!.group.suffix !== '')
    if (search.isolate && new Set(granular).size < granular.length) return false
    const used = [...new Set(picks)]
    if (!search.nested && new Set(used.map(one => one.root)).size < used.length) return false
    return search.sameSubtrees.every(suffixes => {
      const held = picks.filter((_, at) => suffixes.includes(decisions[at]!.group.suffix))
      return held.length === 0 || held.some(top => held.every(one => ancestors(one).includes(top.uuid)))
    })
  }

  const assign = (anchor: ProviderView, picks: readonly ProviderView[]): void => {
    if (picks.length < decisions.length) {
      for (const pick of all) assign(anchor, [...picks, pick])
      return
    }
    if (!judge(anchor, picks)) return
    const resources = new Map<string, Map<string, number>>()
    const mappings = new Map<string, Set<string>>()
    for (const [at, pick] of picks.entries()) {
      const decision = decisions[at]!
      mappings.set(decision.group.suffix, (mappings.get(decision.group.suffix) ?? new Set()).add(pick.uuid))
      for (const [name, amount] of decision.resources) {
        const amounts = resources.get(pick.uuid) ?? new Map<string, number>()
        resources.set(pick.uuid, amounts.set(name, (amounts.get(name) ?? 0) + amount))
      }
    }
    found.add(text({ resources, mappings }))
  }
  for (const anchor of all) if (anchor.parent === null) assign(anchor, [])
  return found
}

const text = ({ resources, mappings }: Candidate): string =>
  JSON.stringify([
    [...resources].map(([uuid, amounts]) => `${uuid} ${[...amounts].map(one => one.join()).sort()}`).sort(),
    [...mappings].map(([suffix, uuids]) => `${suffix} ${[...uuids].sort()}`).sort(),
  ])

test('the search finds exactly what trying everything finds, each once', () => {
  let nonEmpty = 0
  fc.assert(
    fc.property(fc.array(seed, { minLength: 3, maxLength: 5 }), search, (seeds, asked) => {
      const snapshot = snapshotOf(seeds)
      const found = findCandidates(snapshot, asked).candidates.map(text)
      const expected = bruteForce(snapshot, asked)
      assert.deepEqual([...found].sort(), [...expected].sort())
      if (found.length > 0) nonEmpty++
    }),
    { numRuns: 4000 },
  )
  assert.ok(nonEmpty > 200, `only ${nonEmpty} searches found anything`)
})

test('a limit gives the first of what there is, and tells of their trees alone', () => {
  fc.assert(
    fc.property(
      fc.array(seed, { minLength: 3, maxLength: 5 }),
      search,
      fc.integer({ min: 1, max: 3 }),
      (seeds, asked, limit) => {
        const snapshot = snapshotOf(seeds)
        const all = findCandidates(snapshot, asked).candidates.map(text)
        const { candidates, providers } = findCandidates(snapshot, { ...asked, limit })
        assert.deepEqual(candidates.map(text), all.slice(0, limit))
        const used = new Set(candidates.flatMap(one => [...one.resources.keys()]))
        for (const uuid of used) assert.ok(providers.some(one => one.uuid === uuid))
        const roots = new Set([...used].map(uuid => snapshot.providers.get(uuid)!.root))
        for (const one of providers) assert.ok(roots.has(one.root))
      },
    ),
    { numRuns: 300 },
  )
})

test('a snapshot that followed changes equals one made anew', () => {
  const step = fc.record({ at: fc.nat(4), seed, drop: fc.boolean() })
  const view = (
    at: number,
    one: { traits: string[]; aggregates: string[]; stocks: Record<string, Stock> },
  ): ProviderView => ({
    uuid: `p${at}`,
    name: '',
    generation: 0,
    parent: null,
    root: one.traits.includes('T1') ? 'p0' : `p${at}`,
    updatedAt: '',
    stocks: new Map(Object.entries(one.stocks)),
    traits: new Set(one.traits),
    aggregates: new Set(one.aggregates),
  })
  const shape = (snapshot: Snapshot) => ({
    providers: [...snapshot.providers.keys()].sort(),
    trees: [...snapshot.trees].map(([root, tree]) => `${root}: ${[...tree.keys()].sort()}`).sort(),
    members: [...snapshot.members].map(([aggregate, uuids]) => `${aggregate}: ${[...uuids].sort()}`).sort(),
    sharing: [...snapshot.sharing].sort(),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), steps => {
      const followed = createSnapshot(shares)
      const last = new Map<number, ProviderView>()
      for (const { at, seed: one, drop } of steps) {
        if (drop) {
          followed.drop(`p${at}`)
          last.delete(at)
        } else {
          followed.put(view(at, one))
          last.set(at, view(at, one))
        }
      }
      const anew = createSnapshot(shares)
      for (const one of last.values()) anew.put(one)
      assert.deepEqual(shape(followed), shape(anew))
    }),
  )
})

test('an aggregate of the anchor spans its tree, not the providers that others share with it', () => {
  const stocks = (name: string): Record<string, Stock> => ({
    [name]: { total: 2, reserved: 0, min_unit: 1, max_unit: 2, step_size: 1, allocation_ratio: 1, used: 0 },
  })
  const snapshot = snapshotOf([
    { parent: undefined, stocks: stocks('VCPU'), traits: [], aggregates: ['A1', 'A2'] },
    { parent: undefined, stocks: stocks('DISK_GB'), traits: [shares], aggregates: ['A1'] },
  ])
  const found = (aggregate: string) =>
    findCandidates(snapshot, {
      groups: [
        {
          suffix: '',
          resources: new Map(classes.map(name => [name, 1])),
          required: [],
          forbidden: new Set(),
          memberOf: [new Set([aggregate])],
          forbiddenAggregates: new Set(),
        },
      ],
      isolate: false,
      rootRequired: new Set(),
      rootForbidden: new Set(),
      sameSubtrees: [],
      nested: true,
    }).candidates.length
  assert.deepEqual([found('A1'), found('A2')], [1, 0])
})
