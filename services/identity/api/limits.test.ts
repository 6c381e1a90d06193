import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Identity, startIdentity, statuses } from '../harness.test.ts'

let cloud: Identity
let service: string
let count = 0
before(async () => {
  cloud = await startIdentity()
  service = (await cloud.call('GET', '/v3/services?type=compute', cloud.admin)).json.services[0].id
})
after(() => cloud.close())

const kit = (own: Identity) => ({
  register: (...values: object[]) =>
    own.call('POST', '/v3/registered_limits', own.admin, { registered_limits: values }),
  create: (...values: object[]) => own.call('POST', '/v3/limits', own.admin, { limits: values }),
  change: (id: string, amount: number) =>
    own.call('PATCH', `/v3/limits/${id}`, own.admin, { limit: { resource_limit: amount } }),
})
const about = (name: string) => ({ service_id: service, region_id: 'RegionOne', resource_name: name })
const fresh = () => `resource${++count}`

describe('registered limits', () => {
  const one = (id: string) => `/v3/registered_limits/${id}`

  test('several are made at once, shown, listed, changed and deleted', async () => {
    const { register } = kit(cloud)
    const [cores, ram] = [fresh(), fresh()]
    const answer = await register(
      { ...about(cores), default_limit: 20 },
      { service_id: service, resource_name: ram, default_limit: -1, description: 'MiB' },
    )
    assert.equal(answer.status, 201, answer.text)
    const [{ id, links, ...rest }, second] = answer.json.registered_limits
    assert.deepEqual(rest, { ...about(cores), default_limit: 20, description: null })
    assert.match(links.self, /registered_limits/)
    assert.deepEqual([second.region_id, second.default_limit, second.description], [null, -1, 'MiB'])
    const listed = await cloud.call('GET', `/v3/registered_limits?resource_name=${cores}`, cloud.admin)
    assert.deepEqual(
      listed.json.registered_limits.map((each: { id: string }) => each.id),
      [id],
    )
    const body = { registered_limit: { default_limit: 5, resource_name: fresh() } }
    const changed = await cloud.call('PATCH', one(id), cloud.admin, body)
    assert.deepEqual([changed.status, changed.json.registered_limit.default_limit], [200, 5])
    assert.equal((await register({ ...about(cores), default_limit: 1 })).status, 201)
    assert.equal((await cloud.call('DELETE', one(id), cloud.admin)).status, 204)
    assert.equal((await cloud.call('GET', one(id), cloud.admin)).status, 404)
  })

  test('there is one for each resource of a service and region', async () => {
    const { register } = kit(cloud)
    const name = fresh()
    const everywhere = { service_id: service, resource_name: name, default_limit: 1 }
    assert.equal((await register(everywhere)).status, 201)
    assert.equal((await register(everywhere)).status, 409)
    assert.equal((await register({ ...everywhere, region_id: 'RegionOne' })).status, 201)
    const twice = { ...about(fresh()), default_limit: 1 }
    assert.equal((await register(twice, twice)).status, 409)
    assert.equal((await register(twice)).status, 201)
  })

  test('malformed ones are refused', async () => {
    const { register } = kit(cloud)
    assert.deepEqual(
      await statuses([
        register({ ...about('x') }),
        register({ ...about('x'), default_limit: -2 }),
        register({ ...about('x'), default_limit: 1, colour: 'red' }),
        register({ ...about('x'), service_id: 'none', default_limit: 1 }),
        register({ ...about('x'), region_id: 'none', default_limit: 1 }),
        register(),
        cloud.call('POST', '/v3/registered_limits', cloud.admin, {
          registered_limit: { ...about('x'), default_limit: 1 },
        }),
      ]),
      [400, 400, 400, 400, 400, 400, 400],
    )
  })
})

describe('limits', () => {
  test('one is for a project or a domain, of what is registered', async () => {
    const { register, create, change } = kit(cloud)
    const name = fresh()
    const registered = (await register({ ...about(name), default_limit: 10 })).json.registered_limits[0].id
    const project = await cloud.make('project', { name })
    const values = { ...about(name), resource_limit: 5 }
    const answer = await create({ ...values, project_id: project.id }, { ...values, domain_id: 'default' })
    assert.equal(answer.status, 201, answer.text)
    const [{ id, links: _, ...rest }] = answer.json.limits
    assert.deepEqual(rest, { ...values, project_id: project.id, domain_id: null, description: null })
    assert.deepEqual(
      await statuses([
        create({ ...values, project_id: project.id }),
        create({ ...values }),
        create({ ...values, project_id: project.id, domain_id: 'default' }),
        create({ ...values, project_id: 'none' }),
        create({ ...values, ...about('unregistered'), project_id: project.id }),
      ]),
      [409, 400, 400, 400, 403],
    )
    assert.equal((await change(id, 50)).json.limit.resource_limit, 50)
    const moved = { limit: { project_id: 'other' } }
    assert.equal((await cloud.call('PATCH', `/v3/limits/${id}`, cloud.admin, moved)).status, 400)
    const path = `/v3/registered_limits/${registered}`
    const renamed = { registered_limit: { resource_name: fresh() } }
    assert.deepEqual(
      await statuses([cloud.call('DELETE', path, cloud.admin), cloud.call('PATCH', path, cloud.admin, renamed)]),
      [403, 403],
    )
    const cheaper = { registered_limit: { default_limit: 1 } }
    assert.equal((await cloud.call('PATCH', path, cloud.admin, cheaper)).status, 200)
    assert.equal((await cloud.call('DELETE', `/v3/projects/${project.id}`, cloud.admin)).status, 204)
    assert.equal((await cloud.call('GET', `/v3/limits/${id}`, cloud.admin)).status, 404)
  })

  test('members see those of their project, domains those of theirs, nobody but administrators changes any', async () => {
    const { register, create } = kit(cloud)
    const name = fresh()
    await register({ ...about(name), default_limit: 10 })
    const domain = await cloud.make('domain', { name })
    const make = async (label: string, domainId: string) => {
      const own = { name: `${name}${label}`, domain_id: domainId }
      const project = await cloud.make('project', own)
      const user = await cloud.make('user', { ...own, password: 'pw' })
      await cloud.grant(`projects/${project.id}/users/${user.id}`, cloud.roles.member)
      await cloud.grant(`domains/${domainId}/users/${user.id}`, cloud.roles.reader)
      const as = (scope: object) => cloud.login({ id: user.id, password: 'pw', scope })
      const values = { ...about(name), project_id: project.id, resource_limit: 1 }
      const { id } = (await create(values)).json.limits[0]
      return { id, member: await as({ project: { id: project.id } }), reader: await as({ domain: { id: domainId } }) }
    }
    const [one, other] = [await make('a', domain.id), await make('b', 'default')]
    const own = (await create({ ...about(name), domain_id: domain.id, resource_limit: 7 })).json.limits[0].id
    const list = async (as: string) =>
      (await cloud.call('GET', `/v3/limits?resource_name=${name}`, as)).json.limits
        .map((each: { id: string }) => each.id)
        .sort()
    assert.deepEqual(await list(one.member), [one.id])
    assert.deepEqual(await list(one.reader), [one.id, own].sort())
    assert.deepEqual(await list(cloud.admin), [one.id, own, other.id].sort())
    const show = (id: string, as: string) => cloud.call('GET', `/v3/limits/${id}`, as)
    const body = { limit: { resource_limit: 9 } }
    assert.deepEqual(
      await statuses([
        show(one.id, one.member),
        show(one.id, one.reader),
        show(own, one.reader),
        show(other.id, one.member),
        show(other.id, one.reader),
        cloud.call('PATCH', `/v3/limits/${one.id}`, one.member, body),
        cloud.call('DELETE', `/v3/limits/${one.id}`, one.reader),
        cloud.call('GET', '/v3/registered_limits', one.member),
      ]),
      [200, 200, 200, 403, 403, 403, 403, 200],
    )
  })

  test('the model is flat unless configured', async () => {
    const { json } = await cloud.call('GET', '/v3/limits/model', cloud.admin)
    assert.equal(json.model.name, 'flat')
    assert.equal(typeof json.model.description, 'string')
  })
})

test('in the strict two-level model no project goes above its domain, nor below another project', async () => {
  const own = await startIdentity({ limit_enforcement_model: 'strict_two_level' })
  try {
    const { register, create, change } = kit(own)
    service = (await own.call('GET', '/v3/services?type=compute', own.admin)).json.services[0].id
    assert.equal((await own.call('GET', '/v3/limits/model', own.admin)).json.model.name, 'strict_two_level')
    await register({ ...about('cores'), default_limit: 10 })
    const project = await own.make('project', { name: 'p' })
    const body = { project: { name: 'child', parent_id: project.id } }
    assert.equal((await own.call('POST', '/v3/projects', own.admin, body)).status, 403)
    const forProject = (amount: number) => create({ ...about('cores'), project_id: project.id, resource_limit: amount })
    assert.deepEqual(await statuses([forProject(11), forProject(-1)]), [403, 403])
    const ofDomain = (await create({ ...about('cores'), domain_id: 'default', resource_limit: 20 })).json.limits[0].id
    const ofProject = (await forProject(15)).json.limits[0].id
    assert.equal((await change(ofProject, 21)).status, 403)
    const below = await change(ofDomain, 14)
    assert.equal(below.status, 403)
    assert.match(below.json.error.message, /15/)
    assert.equal((await change(ofDomain, 15)).status, 200)
  } finally {
    await own.close()
  }
})
