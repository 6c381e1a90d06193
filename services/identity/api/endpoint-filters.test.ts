import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Identity, inProject, plan, startIdentity, statuses } from '../harness.test.ts'

let cloud: Identity
let compute: { id: string }
let endpoints: { id: string; service_id: string; interface: string }[]
before(async () => {
  cloud = await startIdentity()
  compute = (await cloud.call('GET', '/v3/services?type=compute', cloud.admin)).json.services[0]
  endpoints = (await cloud.call('GET', '/v3/endpoints', cloud.admin)).json.endpoints
})
after(() => cloud.close())

const root = '/v3/OS-EP-FILTER'
const ask = (method: string, path: string, body?: object) => cloud.call(method, `${root}/${path}`, cloud.admin, body)
const makeGroup = async (filters: object, name = 'group') =>
  (await ask('POST', 'endpoint_groups', { endpoint_group: { name, filters } })).json.endpoint_group
const ids = (rows: { id: string }[]) => rows.map(row => row.id).sort()

/** Ids of the endpoints in the catalog of a fresh token of the project. */
async function catalogOf(project: string): Promise<string[]> {
  const scope = { project: { id: project } }
  const { token } = (await cloud.tryLogin({ name: 'admin', password: plan.adminPassword, scope })).json
  return token.catalog.flatMap((entry: { endpoints: { id: string }[] }) => ids(entry.endpoints)).sort()
}
async function newProject(name: string): Promise<string> {
  const { id } = await cloud.make('project', { name })
  const { user } = (await cloud.show(cloud.admin)).json.token
  await cloud.grant(`projects/${id}/users/${user.id}`, cloud.roles.admin)
  return id
}

describe('endpoint groups', () => {
  test('one is made, shown, listed, changed and deleted', async () => {
    const made = await ask('POST', 'endpoint_groups', {
      endpoint_group: { name: 'g', description: 'd', filters: { service_id: compute.id } },
    })
    assert.equal(made.status, 201, made.text)
    const { id, links, ...rest } = made.json.endpoint_group
    assert.deepEqual(rest, { name: 'g', description: 'd', filters: { service_id: compute.id } })
    assert.match(links.self, new RegExp(`OS-EP-FILTER/endpoint_groups/${id}$`))
    assert.deepEqual(
      await statuses([ask('GET', `endpoint_groups/${id}`), ask('HEAD', `endpoint_groups/${id}`)]),
      [200, 200],
    )
    const change = { endpoint_group: { filters: { interface: 'public' } } }
    const changed = (await ask('PATCH', `endpoint_groups/${id}`, change)).json.endpoint_group
    assert.deepEqual(changed.filters, { interface: 'public' })
    const listed = (await ask('GET', `endpoint_groups/${id}/endpoints`)).json.endpoints
    assert.deepEqual(ids(listed), ids(endpoints.filter(one => one.interface === 'public')))
    assert.equal((await ask('DELETE', `endpoint_groups/${id}`)).status, 204)
    assert.equal((await ask('GET', `endpoint_groups/${id}`)).status, 404)
  })

  test('malformed ones are refused', async () => {
    for (const group of [{ name: 'x' }, { filters: {} }, { name: 'x', filters: { colour: 'red' } }])
      assert.equal((await ask('POST', 'endpoint_groups', { endpoint_group: group })).status, 400)
    const wrong = { name: 'x', filters: { interface: 'secret' } }
    assert.equal((await ask('POST', 'endpoint_groups', { endpoint_group: wrong })).status, 400)
  })
})

describe('the catalog of a project', () => {
  test('has the endpoints that it was given, and all when none are left', async () => {
    const project = await newProject('filtered')
    const all = await catalogOf(project)
    assert.deepEqual(all, ids(endpoints))
    const one = endpoints[0]!.id
    const path = `projects/${project}/endpoints/${one}`
    assert.equal((await ask('GET', path)).status, 404)
    assert.deepEqual([(await ask('PUT', path)).status, (await ask('PUT', path)).status], [204, 204])
    assert.equal((await ask('GET', path)).status, 204)
    assert.deepEqual(await catalogOf(project), [one])
    const given = (await ask('GET', `projects/${project}/endpoints`)).json.endpoints
    assert.deepEqual([ids(given), given[0].enabled, given[0].region], [[one], true, 'RegionOne'])
    assert.deepEqual(ids((await ask('GET', `endpoints/${one}/projects`)).json.projects), [project])
    assert.equal((await ask('DELETE', path)).status, 204)
    assert.equal((await ask('DELETE', path)).status, 404)
    assert.deepEqual(await catalogOf(project), all)
  })

  test('has the endpoints of its groups, as they are now', async () => {
    const project = await newProject('grouped')
    const group = await makeGroup({ service_id: compute.id, interface: 'public' })
    const path = `endpoint_groups/${group.id}/projects/${project}`
    assert.equal((await ask('PUT', path)).status, 204)
    const before = await catalogOf(project)
    assert.equal(before.length, 1)
    assert.equal((await ask('GET', path)).json.endpoint_group.id, group.id)
    assert.deepEqual(ids((await ask('GET', `projects/${project}/endpoint_groups`)).json.endpoint_groups), [group.id])
    assert.deepEqual(ids((await ask('GET', `endpoint_groups/${group.id}/projects`)).json.projects), [project])
    await ask('PATCH', `endpoint_groups/${group.id}`, { endpoint_group: { filters: { service_id: compute.id } } })
    assert.equal((await catalogOf(project)).length, 3)
    assert.equal((await ask('DELETE', path)).status, 204)
    assert.equal((await ask('GET', path)).status, 404)
    assert.deepEqual(await catalogOf(project), ids(endpoints))
  })

  test('nothing is given to or by what does not exist, nor by those who may not', async () => {
    const project = await newProject('strict')
    const group = await makeGroup({})
    assert.deepEqual(
      await statuses([
        ask('PUT', `projects/none/endpoints/${endpoints[0]!.id}`),
        ask('PUT', `projects/${project}/endpoints/none`),
        ask('PUT', `endpoint_groups/none/projects/${project}`),
        ask('PUT', `endpoint_groups/${group.id}/projects/none`),
        ask('GET', 'projects/none/endpoints'),
        ask('GET', 'endpoints/none/projects'),
        ask('GET', 'endpoint_groups/none/endpoints'),
      ]),
      [404, 404, 404, 404, 404, 404, 404],
    )
    const demo = await cloud.login({ name: 'demo', password: plan.demoPassword, scope: inProject('demo') })
    const asDemo = (method: string, path: string) => cloud.call(method, `${root}/${path}`, demo)
    assert.deepEqual(
      await statuses([
        asDemo('GET', 'endpoint_groups'),
        asDemo('PUT', `projects/${project}/endpoints/${endpoints[0]!.id}`),
        asDemo('GET', `projects/${project}/endpoints`),
      ]),
      [403, 403, 403],
    )
  })
})
