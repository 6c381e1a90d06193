/** Pages of role assignments against a model that looks at everything. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { openStore, sql } from '@strata/toolkit/store'
import { testDatabases } from '@strata/toolkit/testing'
import fc from 'fast-check'
import { migrations } from '../../store/migrations/index.ts'
import type { AssignmentRow, IdentityStore, Tables } from '../../store/tables.ts'
import type { Assignment } from '../rules/assignments.ts'
import { type AssignmentQuery, findAssignments } from './list.ts'

const folder = mkdtempSync(join(tmpdir(), 'strata-test-'))
const databases = testDatabases(folder)
let store: IdentityStore
before(async () => {
  store = await openStore<Tables>({ url: databases.url('identity'), migrations })
})
after(async () => {
  await store.close()
  await databases.drop()
  rmSync(folder, { recursive: true })
})

/** Domains d0 and d1; the project n has a parent among those before it, or lies at the top of its domain. */
interface World {
  readonly parents: readonly number[]
  readonly members: readonly (readonly [user: number, group: number])[]
  /** Each role implies one with a higher number; r4 belongs to a domain. */
  readonly implied: readonly (readonly [number, number])[]
  readonly assignments: readonly AssignmentRow[]
}
const [projects, users, groups, roles] = [7, 4, 2, 5]
const upTo = (most: number) => fc.integer({ min: 0, max: most - 1 })
const idOf = (kind: string, most: number) => upTo(most).map(n => `${kind}${n}`)

const assignment: fc.Arbitrary<AssignmentRow> = fc
  .record({
    actor: fc.oneof(
      { weight: 2, arbitrary: idOf('u', users).map(id => ['user', id] as const) },
      idOf('g', groups).map(id => ['group', id] as const),
    ),
    target: fc.oneof(
      { weight: 4, arbitrary: idOf('p', projects).map(id => ['project', id] as const) },
      { weight: 2, arbitrary: idOf('d', 2).map(id => ['domain', id] as const) },
      fc.constant(['system', 'all'] as const),
    ),
    role: idOf('r', roles),
    inherited: fc.boolean(),
  })
  .map(({ actor, target, role, inherited }) => ({
    ...{ actor_type: actor[0], actor_id: actor[1], target_type: target[0], target_id: target[1], role_id: role },
    inherited: inherited && target[0] !== 'system' ? 1 : 0,
  }))
const keyOf = (row: AssignmentRow) => JSON.stringify(row)
const world: fc.Arbitrary<World> = fc.record({
  parents: fc.array(fc.integer({ min: -2, max: projects - 1 }), { minLength: projects, maxLength: projects }),
  members: fc.uniqueArray(fc.tuple(upTo(users), upTo(groups)), { maxLength: 6, selector: String }),
  implied: fc.uniqueArray(
    fc.tuple(upTo(roles), upTo(roles)).filter(([a, b]) => a < b),
    { maxLength: 4, selector: String },
  ),
  assignments: fc.uniqueArray(assignment, { maxLength: 14, selector: keyOf }),
})
const query: fc.Arbitrary<AssignmentQuery> = fc
  .record({
    who: fc.option(fc.oneof(idOf('u', users), idOf('g', groups)), { nil: undefined }),
    roleId: fc.option(idOf('r', roles), { nil: undefined }),
    where: fc.option(fc.oneof(idOf('p', projects), idOf('d', 2), fc.constant('all')), { nil: undefined }),
    inherited: fc.option(fc.boolean(), { nil: undefined }),
    ...{ effective: fc.boolean(), subtree: fc.boolean() },
    withinDomain: fc.option(idOf('d', 2), { nil: undefined }),
  })
  .map(({ who, where, effective, subtree, ...rest }) => ({
    ...rest,
    effective,
    userId: who?.startsWith('u') ? who : undefined,
    // Refused together with `effective`.
    groupId: who?.startsWith('g') && !effective ? who : undefined,
    projectId: where?.startsWith('p') ? where : undefined,
    domainId: where?.startsWith('d') ? where : undefined,
    system: where === 'all',
    subtree: subtree && where?.startsWith('p') === true,
  }))

/** Domain of a project, and the projects above it. */
function shape({ parents }: World) {
  const parentOf = (n: number) => (parents[n]! < n ? parents[n]! : -1)
  const above = (n: number): number[] => (parentOf(n) < 0 ? [] : [parentOf(n), ...above(parentOf(n))])
  const domainOf = (n: number): string => `d${parentOf(above(n).at(-1) ?? n) === -2 ? 1 : 0}`
  return { parentOf, above, domainOf }
}

async function fill(one: World): Promise<void> {
  const { parentOf, domainOf } = shape(one)
  await store.transaction(async tx => {
    for (const table of ['assignments', 'memberships', 'implied_roles', 'roles', 'user_groups', 'users'] as const)
      await tx.deleteFrom(table).execute()
    await sql`delete from projects`.execute(tx)
    const project = (id: string, domain: string | null, parent: string | null) =>
      sql`insert into projects (id, name, name_scope, domain_id, parent_id, is_domain, enabled, options)
          values (${id}, ${id}, 'x', ${domain}, ${parent}, ${domain === null ? 1 : 0}, 1, '{}')`.execute(tx)
    for (const id of ['d0', 'd1']) await project(id, null, null)
    for (let n = 0; n < projects; n++)
      await project(`p${n}`, domainOf(n), parentOf(n) < 0 ? domainOf(n) : `p${parentOf(n)}`)
    for (let n = 0; n < users; n++)
      await sql`insert into users (id, name, domain_id, enabled, options)
                values (${`u${n}`}, ${`u${n}`}, 'd0', 1, '{}')`.execute(tx)
    for (let n = 0; n < groups; n++)
      await sql`insert into user_groups (id, name, domain_id) values (${`g${n}`}, ${`g${n}`}, 'd0')`.execute(tx)
    for (let n = 0; n < roles; n++)
      await sql`insert into roles (id, name, name_scope, domain_id, options)
                values (${`r${n}`}, ${`r${n}`}, 'x', ${n === roles - 1 ? 'd0' : null}, '{}')`.execute(tx)
    for (const [user, group] of one.members)
      await tx
        .insertInto('memberships')
        .values({ user_id: `u${user}`, group_id: `g${group}` })
        .execute()
    for (const [prior, implied] of one.implied)
      await tx
        .insertInto('implied_roles')
        .values({ prior_role_id: `r${prior}`, implied_role_id: `r${implied}` })
        .execute()
    for (const row of one.assignments) await tx.insertInto('assignments').values(row).execute()
  })
}

/** Everything that there is, unfolded and then narrowed. */
function model(one: World, asked: AssignmentQuery): string[] {
  const { above, domainOf } = shape(one)
  const all = Array.from({ length: projects }, (_, n) => n)
  const number = (id: string) => Number(id.slice(1))
  const below = (row: AssignmentRow) =>
    all.filter(n =>
      row.target_type === 'domain' ? domainOf(n) === row.target_id : above(n).includes(number(row.target_id)),
    )
  const impliedBy = (role: number): number[] => [
    ...new Set([role, ...one.implied.filter(([prior]) => prior === role).flatMap(([, next]) => impliedBy(next))]),
  ]
  let found: AssignmentRow[] = one.assignments.filter(
    row => asked.inherited === undefined || row.inherited === Number(asked.inherited),
  )
  if (asked.effective)
    found = found.flatMap(row =>
      (row.actor_type === 'user'
        ? [row.actor_id]
        : one.members.filter(([, group]) => group === number(row.actor_id)).map(([user]) => `u${user}`)
      ).flatMap(userId =>
        (row.inherited
          ? below(row).map(n => ['project', `p${n}`] as const)
          : [[row.target_type, row.target_id] as const]
        ).flatMap(([type, id]) =>
          impliedBy(number(row.role_id))
            .filter(role => role !== roles - 1)
            .map(role => ({
              ...{ actor_type: 'user' as const, actor_id: userId, target_type: type, target_id: id },
              ...{ role_id: `r${role}`, inherited: 0 },
            })),
        ),
      ),
    )
  const inTree = (id: string) =>
    id === asked.projectId || (asked.subtree && above(number(id)).includes(number(asked.projectId!)))
  return found
    .filter(row => asked.roleId === undefined || row.role_id === asked.roleId)
    .filter(row => asked.userId === undefined || (row.actor_type === 'user' && row.actor_id === asked.userId))
    .filter(row => asked.groupId === undefined || (row.actor_type === 'group' && row.actor_id === asked.groupId))
    .filter(row => asked.projectId === undefined || (row.target_type === 'project' && inTree(row.target_id)))
    .filter(row => asked.domainId === undefined || (row.target_type === 'domain' && row.target_id === asked.domainId))
    .filter(row => !asked.system || row.target_type === 'system')
    .filter(
      row =>
        asked.withinDomain === undefined ||
        (row.target_type === 'domain'
          ? row.target_id === asked.withinDomain
          : row.target_type === 'project' && domainOf(number(row.target_id)) === asked.withinDomain),
    )
    .map(plain)
    .sort()
}

const plain = ({ actor_type, actor_id, target_type, target_id, role_id, inherited }: Assignment): string =>
  [actor_type, actor_id, target_type, target_id, role_id, inherited].join(' ')

async function pages(asked: AssignmentQuery, limit: number): Promise<string[]> {
  const found: string[] = []
  let marker: string | undefined
  do {
    const page = await findAssignments(store.db, asked, { limit, marker })
    assert.ok(page.assignments.length <= limit)
    assert.ok(page.next === undefined || page.assignments.length === limit)
    found.push(...page.assignments.map(plain))
    marker = page.next
  } while (marker !== undefined)
  return found.sort()
}

test('pages of every list together are what a model of everything finds, each once', async () => {
  await fc.assert(
    fc.asyncProperty(
      world,
      fc.array(query, { minLength: 4, maxLength: 4 }),
      fc.integer({ min: 1, max: 9 }),
      async (one, queries, limit) => {
        await fill(one)
        for (const asked of queries) assert.deepEqual(await pages(asked, limit), model(one, asked))
      },
    ),
    { numRuns: 150 },
  )
})

test('a marker of something else is refused', async () => {
  for (const marker of ['', 'none', Buffer.from('[0,[],[]]').toString('base64url')])
    await assert.rejects(findAssignments(store.db, { effective: false, subtree: false }, { limit: 1, marker }), {
      status: 400,
    })
})
