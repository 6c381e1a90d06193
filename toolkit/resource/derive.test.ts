import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { neutron } from '../dialect/index.ts'
import { badRequest } from '../fault/index.ts'
import { compilePolicy } from '../policy/index.ts'
import { boolean, json, text, time, uuid } from '../schema/index.ts'
import { defineService } from '../service/index.ts'
import { openStore } from '../store/index.ts'
import { idOf, persona, startService, type TestService } from '../testing/index.ts'
import { derive, resource } from './index.ts'

const pond = resource({
  name: 'pond',
  plural: 'ponds',
  path: '/v2.0/ponds',
  table: 'ponds',
  fields: {
    id: uuid().readOnly().filterable(),
    name: text({ maxLength: 10 }).defaultTo('').filterable(),
    project_id: text().immutable().optional().filterable(),
    shared: boolean().defaultTo(false).filterable(),
    fish: json<string[]>({ type: 'array', items: { type: 'string' } }).defaultTo([]),
    depth: text().computed().readOnly(),
    created_at: time().readOnly(),
    updated_at: time().readOnly(),
  },
  policy: { list: 'get_pond', show: 'get_pond', create: 'create_pond', update: 'update_pond', delete: 'delete_pond' },
  fieldRule: (verb, field) => `${verb}_pond:${field}`,
  aliases: { tenant_id: 'project_id' },
})

/** Runs once, when a row is about to be made: its own transaction then fails as that of a slower rival would. */
let overtakenBy: (() => Promise<void>) | undefined

const owner = 'role:admin or (role:member and project_id:%(project_id)s)'
const ponds = defineService({
  type: 'ponds',
  config: [],
  async build(environment) {
    const store = await openStore<object>({
      url: environment.databaseUrl('ponds'),
      migrations: [
        {
          name: '0001-ponds',
          up: db =>
            db.schema
              .createTable('ponds')
              .addColumn('id', 'varchar(36)', c => c.primaryKey())
              .addColumn('name', 'varchar(255)')
              .addColumn('project_id', 'varchar(64)')
              .addColumn('shared', 'integer')
              .addColumn('fish', 'text')
              .addColumn('created_at', 'varchar(32)')
              .addColumn('updated_at', 'varchar(32)')
              .execute(),
        },
      ],
    })
    return {
      type: 'ponds',
      dialect: neutron,
      policy: compilePolicy([
        { name: 'get_pond', check: `${owner} or (role:reader and project_id:%(project_id)s) or True:%(shared)s` },
        { name: 'create_pond', check: owner },
        { name: 'create_pond:shared', check: 'role:admin' },
        { name: 'update_pond', check: owner },
        { name: 'update_pond:shared', check: 'role:admin' },
        { name: 'delete_pond', check: owner },
      ]),
      operations: derive(pond, {
        store,
        dialect: neutron,
        runtime: environment.runtime,
        maxLimit: 1000,
        hooks: {
          restrict: context =>
            context.can('get_pond', {})
              ? []
              : [eb => eb.or([eb('project_id', '=', context.projectId), eb('shared', '=', 1)])],
          decorate: rows => rows.map(row => ({ ...row, depth: `${row.fish.length} m` })),
          beforeCreate(body) {
            if (overtakenBy) {
              const rival = overtakenBy
              overtakenBy = undefined
              queueMicrotask(() => rival())
              throw Object.assign(new Error('duplicate key value violates unique constraint'), { code: '23505' })
            }
            if (body.name === 'tar') throw badRequest('No fish lives in tar.', 'BadPond')
            return {}
          },
        },
      }),
      stop: () => store.close(),
    }
  },
})

describe('derived verbs', () => {
  let service: TestService
  before(async () => {
    service = await startService(ponds, undefined)
  })
  after(() => service.close())
  const create = (pond: object, as = persona()) => service.request('POST', '/v2.0/ponds', { as, body: { pond } })

  test('create fills in defaults, the owner, aliases and computed fields', async () => {
    const { status, json } = await create({ name: 'a', fish: ['carp'] })
    assert.equal(status, 201)
    assert.match(json.pond.id, /^[0-9a-f-]{36}$/)
    assert.deepEqual(
      [json.pond.project_id, json.pond.tenant_id, json.pond.shared, json.pond.depth],
      [idOf('alpha'), idOf('alpha'), false, '1 m'],
    )
  })

  test('a body that its schema refuses names the field, and an unknown member is refused', async () => {
    const long = await create({ name: 'a'.repeat(11) })
    assert.equal(long.status, 400)
    assert.match(long.json.NeutronError.message, /name must not have more than 10/)
    assert.match((await create({ nme: 'a' })).json.NeutronError.message, /nme is not allowed/)
    assert.match((await create({ depth: '1' })).json.NeutronError.message, /depth is not allowed/)
    assert.equal(
      (
        await service.request('POST', '/v2.0/ponds', {
          body: 'no json',
          headers: { 'content-type': 'application/json' },
        })
      ).status,
      400,
    )
  })

  test('a field with a rule of its own is set by those alone who pass it', async () => {
    assert.equal((await create({ shared: true })).status, 403)
    assert.equal((await create({ shared: false })).status, 201)
    assert.equal((await create({ shared: true }, persona({ roles: ['admin'] }))).status, 201)
  })

  test('bulk creation makes all or none', async () => {
    const bulk = (names: string[]) =>
      service.request('POST', '/v2.0/ponds', { body: { ponds: names.map(name => ({ name })) } })
    assert.equal((await bulk(['b1', 'b2'])).json.ponds.length, 2)
    assert.equal((await bulk(['b3', 'tar'])).json.NeutronError.type, 'BadPond')
    assert.equal((await service.request('GET', '/v2.0/ponds?name=b3')).json.ponds.length, 0)
  })

  test("others' rows are as if they were not there", async () => {
    const mine = (await create({ name: 'mine' })).json.pond.id
    const other = persona({ project: 'beta' })
    assert.equal((await service.request('GET', `/v2.0/ponds/${mine}`, { as: other })).status, 404)
    assert.equal(
      (await service.request('DELETE', `/v2.0/ponds/${mine}`, { as: other })).json.NeutronError.type,
      'PondNotFound',
    )
    const listed = (await service.request('GET', '/v2.0/ponds', { as: other })).json.ponds as { shared: boolean }[]
    assert.ok(listed.length > 0 && listed.every(pond => pond.shared))
    assert.equal(
      (await service.request('GET', `/v2.0/ponds/${mine}`, { as: persona({ roles: ['admin'], project: 'beta' }) }))
        .status,
      200,
    )
  })

  test('pages follow each other by marker in the order asked for', async () => {
    const as = persona({ project: 'pages' })
    for (const name of ['c', 'a', 'd', 'b', 'a']) await create({ name }, as)
    const seen: string[] = []
    let path = `/v2.0/ponds?limit=2&sort_key=name&sort_dir=desc&project_id=${idOf('pages')}`
    while (path) {
      const { json } = await service.request('GET', path, { as })
      seen.push(...json.ponds.map((pond: { name: string }) => pond.name))
      const next = json.ponds_links?.find((link: { rel: string }) => link.rel === 'next')
      path = next ? next.href.slice(next.href.indexOf('/v2.0')) : ''
    }
    assert.deepEqual(seen, ['d', 'c', 'b', 'a', 'a'])
  })

  test('a page asked for links back always, and on when it is full', async () => {
    const as = persona({ project: 'links' })
    for (const name of ['a', 'b']) await create({ name }, as)
    const links = async (query: string) =>
      (await service.request('GET', `/v2.0/ponds?project_id=${idOf('links')}&${query}`, { as })).json.ponds_links?.map(
        (link: { rel: string }) => link.rel,
      )
    assert.deepEqual(await links('limit=2'), ['next', 'previous'])
    assert.deepEqual(await links('limit=3'), ['previous'])
    assert.deepEqual(await links('limit=2&page_reverse=True'), ['next', 'previous'])
    assert.deepEqual(await links('limit=3&page_reverse=True'), ['next'])
    assert.equal(await links('sort_key=name'), undefined)
    assert.deepEqual(await links('limit=2&name=none'), ['previous'])
  })

  test('filters, field selection and bad queries', async () => {
    const { json } = await service.request('GET', '/v2.0/ponds?shared=True&fields=id&fields=tenant_id')
    assert.ok(json.ponds.length > 0)
    for (const pond of json.ponds) assert.deepEqual(Object.keys(pond).sort(), ['id', 'tenant_id'])
    for (const query of ['colour=red', 'shared=maybe', 'limit=x', 'sort_key=fish', 'marker=none'])
      assert.equal((await service.request('GET', `/v2.0/ponds?${query}`)).status, 400, query)
  })

  test('update changes what it names and nothing else; read-only members are refused', async () => {
    const { id } = (await create({ name: 'u', fish: ['eel'] })).json.pond
    const put = (pond: object) => service.request('PUT', `/v2.0/ponds/${id}`, { body: { pond } })
    const { json } = await put({ name: 'v' })
    assert.deepEqual([json.pond.name, json.pond.fish], ['v', ['eel']])
    assert.equal((await put({ project_id: 'x' })).status, 400)
    assert.equal((await put({ id: 'x' })).status, 400)
  })

  test('the same idempotency key finds what the first call made', async () => {
    const call = () =>
      service.request('POST', '/v2.0/ponds', {
        body: { pond: { name: 'once' } },
        headers: { 'idempotency-key': 'saga:step' },
      })
    assert.equal((await call()).json.pond.id, (await call()).json.pond.id)
    assert.equal((await service.request('GET', '/v2.0/ponds?name=once')).json.ponds.length, 1)
  })

  test('calls under way at once with the same key make one row, and none is refused', async () => {
    const call = (as = persona()) =>
      service.request('POST', '/v2.0/ponds', {
        as,
        body: { pond: { name: 'rush' } },
        headers: { 'idempotency-key': 'rush' },
      })
    const answers = await Promise.all([call(), call(), call(), call()])
    assert.deepEqual(
      answers.map(one => one.status),
      [201, 201, 201, 201],
    )
    assert.equal(new Set(answers.map(one => one.json.pond.id)).size, 1)
    assert.equal((await service.request('GET', '/v2.0/ponds?name=rush')).json.ponds.length, 1)
    // The same words of somebody else, or of the same user in another project, are another key.
    assert.notEqual((await call(persona({ user: 'other' }))).json.pond.id, answers[0]!.json.pond.id)
    assert.notEqual((await call(persona({ project: 'beta' }))).json.pond.id, answers[0]!.json.pond.id)
  })

  test('a call that comes while the row of its key is being made, on an engine that does not queue writers, finds it', async () => {
    const call = () =>
      service.request('POST', '/v2.0/ponds', {
        body: { pond: { name: 'race' } },
        headers: { 'idempotency-key': 'race' },
      })
    // What such an engine tells the slower of two: nothing was found, and then the id was taken.
    overtakenBy = async () => void (await call())
    const late = await call()
    assert.equal(late.status, 201)
    assert.equal((await service.request('GET', '/v2.0/ponds?name=race')).json.ponds.length, 1)
  })

  test('what is deleted is gone', async () => {
    const { id } = (await create({ name: 'gone' })).json.pond
    assert.equal((await service.request('DELETE', `/v2.0/ponds/${id}`)).status, 204)
    assert.equal((await service.request('DELETE', `/v2.0/ponds/${id}`)).status, 404)
  })

  test('a request without a valid token is told where to get one', async () => {
    const { status, headers, json } = await service.request('GET', '/v2.0/ponds', { as: 'forged' })
    assert.equal(status, 401)
    assert.equal(json.error.code, 401)
    assert.match(String(headers['www-authenticate']), /^Keystone uri=/)
  })

  test('an unknown path is a 404, a wrong method a 405 that says what is allowed', async () => {
    assert.equal((await service.request('GET', '/v2.0/lakes')).status, 404)
    const { status, headers } = await service.request('PATCH', '/v2.0/ponds')
    assert.deepEqual([status, headers['allow']], [405, 'GET, POST'])
  })
})
