/**
 * Every list with every filter of it, as the database plans it: none looks through a big table, none sorts what it finds. The
 * queries are not named here but overheard.
 */
import assert from 'node:assert/strict'
import { DatabaseSync, StatementSync } from 'node:sqlite'
import { after, before, test } from 'node:test'
import { needsFiles } from '@strata/toolkit/testing'
import { type Identity, startIdentity } from '../harness.test.ts'

const big = ['users', 'projects', 'assignments', 'memberships', 'user_groups', 'project_tags', 'credentials']

let cloud: Identity
const ids: Record<string, string> = {}
const heard = new Set<string>()
const { all } = StatementSync.prototype
before(async () => {
  StatementSync.prototype.all = function (this: StatementSync, ...values: Parameters<typeof all>) {
    heard.add(this.sourceSQL)
    return all.apply(this, values)
  } as typeof all
  cloud = await startIdentity()
  const { make, grant, call, admin, roles } = cloud
  const parent = await make('project', { name: 'parent', domain_id: 'default' })
  const own = { domain_id: 'default', tags: ['x'] }
  for (const name of ['one', 'two']) await make('project', { name, parent_id: parent.id, ...own })
  const group = await make('group', { name: 'x', domain_id: 'default' })
  for (const name of ['x', 'y']) {
    const user = await make('user', { name, domain_id: 'default' })
    await call('PUT', `/v3/groups/${group.id}/users/${user.id}`, admin)
    await make('credential', { user_id: user.id, type: 'cert', blob: 'x' })
    for (const type of ['totp', 'cert']) await make('credential', { user_id: user.id, type, blob: 'x' })
    ids[name] = user.id
  }
  for (const place of ['domains/default', `projects/${parent.id}`]) {
    await grant(`${place}/groups/${group.id}`, roles.member)
    const inherited = `/v3/OS-INHERIT/${place}/groups/${group.id}/roles/${roles.member}/inherited_to_projects`
    await call('PUT', inherited, admin)
  }
  Object.assign(ids, { parent: parent.id, group: group.id, role: roles.member })
})
after(async () => {
  StatementSync.prototype.all = all
  await cloud.close()
})

/** What the engine does for each query of the list's first two pages, where it is not to follow an index in its order. */
async function faults(list: string, filter: string): Promise<string[]> {
  // The token is looked up now, and known from then on.
  await cloud.call('GET', '/v3/regions', cloud.admin)
  heard.clear()
  const named = filter.replace(/\{(\w+)\}/g, (_, name: string) => ids[name]!)
  const path = `/v3/${list.replace('{group}', ids['group']!)}?limit=1&${named}`
  const { status, text, json } = await cloud.call('GET', path, cloud.admin)
  assert.equal(status, 200, `${path}: ${text}`)
  const next: string | null = json.links.next
  if (next) assert.equal((await cloud.call('GET', next.slice(next.indexOf('/v3')), cloud.admin)).status, 200, next)
  const database = new DatabaseSync(cloud.service.environment.databaseUrl('identity').replace('sqlite:', ''))
  try {
    return [...heard].flatMap(query => {
      const values = Array.from(query.matchAll(/\?/g), () => 'x')
      const steps = database.prepare(`explain query plan ${query}`).all(...values)
      // What was looked up for the rows of a page is as short as the page.
      const short = / in \(\?(, \?)*\)/.test(query) && !/ limit /.test(query)
      return (steps as unknown as { detail: string }[])
        .filter(({ detail }) => {
          const table = /^SCAN (\w+)/.exec(detail)?.[1]
          // Without a filter a page is the beginning of an index.
          if (table && big.includes(table)) return filter !== '' || !detail.includes('USING')
          return detail.includes('USE TEMP B-TREE FOR ORDER BY') && !short
        })
        .map(({ detail }) => `${path}: ${detail} in ${query}`)
    })
  } finally {
    database.close()
  }
}

/** Filters by a part of a name look at every name (no index of any engine knows parts), and those of a group at its members. */
const lists: Readonly<Record<string, readonly string[]>> = {
  users: ['name=x', 'domain_id=default', 'enabled=true', 'domain_id=default&enabled=true', 'domain_id=default&name=x'],
  projects: [
    ...['name=one', 'domain_id=default', 'enabled=true', 'domain_id=default&name=one', 'parent_id={parent}'],
    ...['is_domain=true', 'tags=x', 'tags=x,y', 'tags-any=x,y', 'parent_id={parent}&tags=x'],
  ],
  domains: ['name=x', 'enabled=true'],
  groups: ['name=x', 'domain_id=default', 'domain_id=default&name=x'],
  'groups/{group}/users': ['password_expires_at=gt:2000-01-01T00:00:00Z'],
  roles: ['name=admin', 'domain_id=default'],
  credentials: ['user_id={x}', 'type=cert', 'user_id={x}&type=cert'],
  role_assignments: [
    ...['user.id={x}', 'group.id={group}', 'role.id={role}', 'scope.project.id={parent}', 'scope.domain.id=default'],
    ...['scope.system=all', 'user.id={x}&role.id={role}', 'role.id={role}&scope.project.id={parent}'],
    ...['scope.OS-INHERIT:inherited_to=projects', 'scope.project.id={parent}&include_subtree', 'include_names'],
  ],
}
// All assignments are a list without a filter, also when shown as they amount to.
const effective = ['', ...lists['role_assignments']!]
  .filter(filter => !filter.includes('group.id'))
  .filter(filter => !filter.includes('domain.id') || !filter.includes('inherited_to'))
  .map(filter => `effective&${filter}`)

for (const [list, filters] of Object.entries(lists))
  for (const filter of ['', ...filters, ...(list === 'role_assignments' ? effective : [])])
    test(`the list of ${list}${filter && ` by ${filter}`} follows an index`, { skip: needsFiles }, async () => {
      assert.deepEqual(await faults(list, filter), [])
    })
