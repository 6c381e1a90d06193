/** The service through its HTTP pipeline: discovery, records, lists, patches, members, tags and bad input. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { systemRuntime } from '@strata/toolkit/runtime'
import { idOf, persona, startService, type TestService } from '@strata/toolkit/testing'
import { image } from './service.ts'

const admin = persona({ roles: ['admin'], project: 'operators' })
const alpha = persona({ project: 'alpha' })
const beta = persona({ project: 'beta', user: 'else' })
const gamma = persona({ project: 'gamma', user: 'third' })

let service: TestService
const changes: unknown[] = []
before(async () => {
  // No two images are made in the same millisecond, so that their order is known.
  let last = 0
  const now = () => {
    last = Math.max(last + 1, systemRuntime.now())
    return last
  }
  service = await startService(image, undefined, { runtime: { ...systemRuntime, now } })
  service.environment.bus.subscribe('image.changed', payload => void changes.push(payload))
})
after(() => service.close())

const call = (method: string, path: string, options: Parameters<TestService['request']>[2] = {}) =>
  service.request(method, path, { as: alpha, ...options })
const create = async (body: object = {}, as = alpha) => {
  const answer = await call('POST', '/v2/images', { body, as })
  assert.equal(answer.status, 201, answer.text)
  return answer.json
}
const V21 = 'application/openstack-images-v2.1-json-patch'
const V20 = 'application/openstack-images-v2.0-json-patch'
const patch = (id: string, body: unknown, as = alpha, type = V21) =>
  call('PATCH', `/v2/images/${id}`, { as, body: JSON.stringify(body), headers: { 'content-type': type } })
const activate = async (id: string, as = alpha) => {
  const headers = { 'content-type': 'application/octet-stream' }
  assert.equal((await call('PUT', `/v2/images/${id}/file`, { as, body: `data of ${id}`, headers })).status, 204)
}
const bare = { disk_format: 'raw', container_format: 'bare' }
const names = async (query: string, as = alpha): Promise<string[]> => {
  const answer = await call('GET', `/v2/images?${query}`, { as })
  assert.equal(answer.status, 200, answer.text)
  return answer.json.images.map((one: { name: string }) => one.name)
}

describe('discovery', () => {
  test('versions, without a token, at the address that was asked', async () => {
    const headers = { host: 'cloud.example:5000', 'x-auth-token': '' }
    const choices = await call('GET', '/', { headers })
    assert.equal(choices.status, 300)
    assert.equal(choices.json.versions[0].id, 'v2.16')
    assert.equal(choices.json.versions[0].status, 'CURRENT')
    assert.equal(choices.json.versions[0].links[0].href, 'http://cloud.example:5000/image/v2/')
    assert.equal(choices.json.versions.at(-1).id, 'v2.0')
    const listed = await call('GET', '/versions', { headers })
    assert.equal(listed.status, 200)
    assert.deepEqual(listed.json, choices.json)
  })

  test('schemas, import methods and stores', async () => {
    const schema = (await call('GET', '/v2/schemas/image')).json
    assert.equal(schema.name, 'image')
    assert.deepEqual(schema.additionalProperties, { type: 'string' })
    assert.ok(schema.properties.disk_format.enum.includes('qcow2'))
    assert.equal(schema.properties.checksum.readOnly, true)
    assert.equal((await call('GET', '/v2/schemas/images')).json.properties.images.items.name, 'image')
    for (const name of ['member', 'members', 'task', 'tasks'])
      assert.equal((await call('GET', `/v2/schemas/${name}`)).json.name, name)
    assert.deepEqual((await call('GET', '/v2/info/import')).json['import-methods'].value, ['glance-direct'])
    assert.deepEqual(
      (await call('GET', '/v2/info/stores')).json.stores.map((s: { id: string }) => s.id),
      ['file'],
    )
    assert.equal((await call('GET', '/v2/info/stores/detail')).status, 403)
    const detail = await call('GET', '/v2/info/stores/detail', { as: admin })
    assert.match(detail.json.stores[0].properties.data_dir, /images$/)
  })

  test('nothing else without a token', async () => {
    assert.equal((await call('GET', '/v2/images', { headers: { 'x-auth-token': '' } })).status, 401)
  })
})

describe('records', () => {
  test('an image is as its maker said, with defaults for the rest', async () => {
    const id = '0AAAAAAA-0000-4000-8000-00000000000A'
    const answer = await call('POST', '/v2/images', {
      body: { id, name: 'x', ...bare, tags: ['b', 'a', 'b'], min_disk: 1, protected: true, hw_disk_bus: 'scsi' },
    })
    assert.equal(answer.status, 201)
    assert.equal(answer.headers['location'], `/v2/images/${id.toLowerCase()}`)
    assert.equal(answer.headers['openstack-image-import-methods'], 'glance-direct')
    const { created_at, updated_at, ...rest } = answer.json
    assert.match(created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    assert.equal(updated_at, created_at)
    const path = `/v2/images/${id.toLowerCase()}`
    assert.deepEqual(rest, {
      ...bare,
      id: id.toLowerCase(),
      name: 'x',
      tags: ['a', 'b'],
      min_disk: 1,
      min_ram: 0,
      protected: true,
      hw_disk_bus: 'scsi',
      status: 'queued',
      visibility: 'shared',
      os_hidden: false,
      owner: idOf('alpha'),
      size: null,
      virtual_size: null,
      checksum: null,
      os_hash_algo: null,
      os_hash_value: null,
      self: path,
      file: `${path}/file`,
      schema: '/v2/schemas/image',
    })
    assert.deepEqual((await call('GET', path)).json, answer.json)
    assert.equal((await call('POST', '/v2/images', { body: { id } })).status, 409)
    const kept = await call('DELETE', path)
    assert.equal(kept.status, 403)
    assert.match(kept.json.message, /is protected and cannot be deleted/)
    assert.equal((await patch(id, [{ op: 'replace', path: '/protected', value: false }])).status, 200)
    assert.equal((await call('DELETE', path)).status, 204)
    assert.equal((await call('GET', path)).status, 404)
    assert.equal((await call('DELETE', path)).status, 404)
    assert.deepEqual(
      changes
        .filter(one => (one as { id: string }).id === id.toLowerCase())
        .map(one => (one as { change: string }).change),
      ['created', 'updated', 'deleted'],
    )
  })

  const refused: [body: unknown, status: number, message: RegExp][] = [
    [undefined, 400, /Body expected/],
    [[], 400, /schema 'image'/],
    [{ name: 5 }, 400, /name must be of type null, string/],
    [{ name: 'x'.repeat(256) }, 400, /name/],
    [{ id: 'x' }, 400, /id does not match/],
    [{ visibility: 'secret' }, 400, /visibility must be one of/],
    [{ protected: 'yes' }, 400, /protected must be of type boolean/],
    [{ os_hidden: 1 }, 400, /os_hidden/],
    [{ disk_format: 'exe' }, 400, /disk_format must be one of/],
    [{ container_format: 'box' }, 400, /container_format must be one of/],
    [{ min_disk: -1 }, 400, /min_disk/],
    [{ min_ram: 'much' }, 400, /min_ram must be of type integer/],
    [{ min_ram: 2 ** 40 }, 400, /min_ram/],
    [{ tags: 'a' }, 400, /tags must be of type array/],
    [{ tags: ['x'.repeat(256)] }, 400, /tags/],
    [{ owner: 5 }, 400, /owner/],
    [{ my_property: 5 }, 400, /my_property must be of type string/],
    [{ ['x'.repeat(256)]: 'y' }, 400, /255 characters/],
    [{ tags: Array.from({ length: 129 }, (_, n) => `t${n}`) }, 413, /allowed image tags. Attempted: 129, Maximum: 128/],
    [Object.fromEntries(Array.from({ length: 129 }, (_, n) => [`p${n}`, 'x'])), 413, /image properties/],
    [{ status: 'active' }, 403, /'status' is read-only/],
    [{ checksum: 'x' }, 403, /'checksum' is read-only/],
    [{ size: 5 }, 403, /'size' is read-only/],
    [{ self: 'x' }, 403, /'self' is read-only/],
    [{ os_hash_value: 'x' }, 403, /'os_hash_value' is read-only/],
    [{ deleted: 'true' }, 403, /'deleted' is reserved/],
    [{ location: 'file:///etc/passwd' }, 403, /'location' is reserved/],
    [{ os_glance_import_task: 'x' }, 403, /is reserved/],
    [{ owner: idOf('beta') }, 403, /not permitted to create images owned by/],
    [{ visibility: 'public' }, 403, /publicize_image/],
  ]
  for (const [body, status, message] of refused)
    test(`refused: ${JSON.stringify(body)?.slice(0, 60)}`, async () => {
      const before = (await names('limit=1000&visibility=all')).length
      const answer = await call('POST', '/v2/images', { body })
      assert.equal(answer.status, status, answer.text)
      assert.match(answer.json.message, message)
      assert.match(answer.json.code, new RegExp(`^${status} `))
      assert.equal((await names('limit=1000&visibility=all')).length, before)
    })

  test('properties may be called what they like', async () => {
    const made = await create({ constructor: 'a', toString: 'b', hasOwnProperty: 'c' })
    assert.deepEqual([made.constructor, made.toString, made.hasOwnProperty], ['a', 'b', 'c'])
    const changed = await patch(made.id, [
      { op: 'add', path: '/__proto__', value: 'd' },
      { op: 'remove', path: '/toString' },
    ])
    assert.equal(changed.status, 200)
    assert.match(changed.text, /"__proto__":"d"/)
    assert.doesNotMatch(changed.text, /toString/)
    assert.equal((await patch(made.id, [{ op: 'replace', path: '/valueOf', value: 'x' }])).status, 409)
  })

  test('malformed JSON and other methods', async () => {
    const malformed = await call('POST', '/v2/images', { body: '{', headers: { 'content-type': 'application/json' } })
    assert.equal(malformed.status, 400)
    assert.equal((await call('PUT', '/v2/images', { body: {} })).status, 405)
    assert.equal((await call('GET', "/v2/images/x'; drop table images")).status, 404)
  })

  test('deactivated images are only read by administrators', async () => {
    const { id } = await create({ ...bare, name: 'off' })
    const act = (verb: string, as = alpha) => call('POST', `/v2/images/${id}/actions/${verb}`, { as })
    assert.equal((await act('deactivate')).status, 403)
    await activate(id)
    assert.equal((await act('reactivate')).status, 204)
    assert.equal((await act('deactivate')).status, 204)
    assert.equal((await act('deactivate')).status, 204)
    assert.equal((await call('GET', `/v2/images/${id}`)).json.status, 'deactivated')
    assert.equal((await call('GET', `/v2/images/${id}/file`)).status, 403)
    assert.equal((await call('GET', `/v2/images/${id}/file`, { as: admin })).status, 200)
    assert.equal((await act('reactivate')).status, 204)
    assert.equal((await call('GET', `/v2/images/${id}/file`)).status, 200)
  })

  test('the only store keeps the data', async () => {
    const { id } = await create()
    assert.equal((await call('DELETE', `/v2/stores/file/${id}`, { as: admin })).status, 403)
    assert.equal((await call('DELETE', `/v2/stores/other/${id}`, { as: admin })).status, 409)
  })
})

describe('patches', () => {
  test('add, replace and remove, all or nothing', async () => {
    const { id } = await create({ name: 'p', old: '1', ...bare })
    const changed = await patch(id, [
      { op: 'replace', path: '/name', value: 'q' },
      { op: 'add', path: '/new~1prop', value: '2' },
      { op: 'remove', path: '/old' },
      { op: 'replace', path: '/tags', value: ['z', 'y', 'z'] },
    ])
    assert.equal(changed.status, 200)
    assert.equal(changed.json.name, 'q')
    assert.equal(changed.json['new/prop'], '2')
    assert.equal('old' in changed.json, false)
    assert.deepEqual(changed.json.tags, ['y', 'z'])
    const failed = await patch(id, [
      { op: 'replace', path: '/name', value: 'lost' },
      { op: 'remove', path: '/nothing' },
    ])
    assert.equal(failed.status, 409)
    assert.equal((await call('GET', `/v2/images/${id}`)).json.name, 'q')
    assert.equal((await patch(id, [])).status, 200)
  })

  test('the older dialect', async () => {
    const { id } = await create({ have: 'x' })
    const changed = await patch(
      id,
      [
        { replace: '/name', value: 'q' },
        { add: '/fresh', value: 'y' },
      ],
      alpha,
      V20,
    )
    assert.equal(changed.status, 200)
    assert.equal(changed.json.fresh, 'y')
    assert.equal((await patch(id, [{ add: '/have', value: 'y' }], alpha, V20)).status, 409)
    assert.equal((await patch(id, [{ remove: '/have' }], alpha, V20)).status, 200)
    assert.equal((await patch(id, [{ add: '/a', replace: '/b', value: 'y' }], alpha, V20)).status, 400)
  })

  const cases: [change: unknown, status: number][] = [
    [{ op: 'replace', path: '/missing', value: 'x' }, 409],
    [{ op: 'remove', path: '/missing' }, 409],
    [{ op: 'remove', path: '/name' }, 403],
    [{ op: 'replace', path: '/status', value: 'active' }, 403],
    [{ op: 'replace', path: '/id', value: 'x' }, 403],
    [{ op: 'add', path: '/deleted', value: 'x' }, 403],
    [{ op: 'add', path: '/os_glance_x', value: 'x' }, 403],
    [{ op: 'add', path: '/locations/-', value: {} }, 403],
    [{ op: 'replace', path: '/owner', value: idOf('beta') }, 403],
    [{ op: 'add', path: '/owner', value: idOf('beta') }, 403],
    [{ op: 'replace', path: '/visibility', value: 'public' }, 403],
    [{ op: 'replace', path: '/visibility', value: 'x' }, 400],
    [{ op: 'replace', path: '/name', value: 5 }, 400],
    [{ op: 'replace', path: '/name' }, 400],
    [{ op: 'add', path: '/prop', value: 5 }, 400],
    [{ op: 'add', path: `/${'x'.repeat(256)}`, value: 'x' }, 400],
    [{ op: 'move', path: '/name', value: 'x' }, 400],
    [{ path: '/name', value: 'x' }, 400],
    [{ op: 'replace', value: 'x' }, 400],
    [{ op: 'replace', path: 5, value: 'x' }, 400],
    [{ op: 'replace', path: 'name', value: 'x' }, 400],
    [{ op: 'replace', path: '/', value: 'x' }, 400],
    [{ op: 'replace', path: '/name/', value: 'x' }, 400],
    [{ op: 'replace', path: '/a//b', value: 'x' }, 400],
    [{ op: 'replace', path: '/na~2me', value: 'x' }, 400],
    [{ op: 'replace', path: '/tags/-', value: 'x' }, 400],
    ['name', 400],
    [null, 400],
  ]
  test('refused, and nothing changed', async () => {
    const made = await create({ name: 'n' })
    for (const [change, status] of cases) {
      const answer = await patch(made.id, [change])
      assert.equal(answer.status, status, `${JSON.stringify(change)}: ${answer.text}`)
    }
    assert.equal((await patch(made.id, { op: 'remove' })).status, 400)
    const other = await patch(made.id, [], alpha, 'application/json')
    assert.equal(other.status, 415)
    assert.equal(other.headers['accept-patch'], `${V20}, ${V21}`)
    assert.deepEqual((await call('GET', `/v2/images/${made.id}`)).json, made)
  })

  test('formats are fixed once there is data', async () => {
    const { id } = await create(bare)
    assert.equal((await patch(id, [{ op: 'replace', path: '/container_format', value: 'bare' }])).status, 200)
    await activate(id)
    const late = await patch(id, [{ op: 'replace', path: '/disk_format', value: 'qcow2' }])
    assert.equal(late.status, 403)
    assert.match(late.json.message, /can be only replaced for a queued image/)
  })

  test('an administrator gives images away and publishes them', async () => {
    const { id } = await create()
    const changed = await patch(
      id,
      [
        { op: 'replace', path: '/owner', value: idOf('beta') },
        { op: 'replace', path: '/visibility', value: 'public' },
      ],
      admin,
    )
    assert.equal(changed.status, 200)
    assert.equal(changed.json.owner, idOf('beta'))
    assert.equal((await call('DELETE', `/v2/images/${id}`)).status, 403)
    assert.equal((await call('DELETE', `/v2/images/${id}`, { as: beta })).status, 204)
  })

  test('tags, one at a time', async () => {
    const { id } = await create({ tags: ['a'] })
    const tag = (method: string, name: string) => call(method, `/v2/images/${id}/tags/${encodeURIComponent(name)}`)
    assert.equal((await tag('PUT', 'b c')).status, 204)
    assert.equal((await tag('PUT', 'a')).status, 204)
    assert.deepEqual((await call('GET', `/v2/images/${id}`)).json.tags, ['a', 'b c'])
    assert.equal((await tag('DELETE', 'b c')).status, 204)
    assert.equal((await tag('DELETE', 'b c')).status, 404)
    assert.equal((await tag('PUT', 'x'.repeat(256))).status, 400)
    assert.equal((await call('PUT', `/v2/images/${id}/tags/x`, { as: beta })).status, 404)
  })
})

describe('lists', () => {
  const owner = persona({ project: 'lists', user: 'lister' })
  before(async () => {
    for (const [name, more] of [
      ['one', { os_distro: 'debian', min_ram: 10, tags: ['t', 'u'] }],
      ['two', { visibility: 'private', tags: ['t'] }],
      ['three, really', { visibility: 'community', disk_format: 'qcow2', container_format: 'bare' }],
      ['hidden', { os_hidden: true }],
      ['kept', { protected: true }],
    ] as const)
      await create({ name, ...more }, owner)
    const one = await create({ name: 'sized', ...bare }, owner)
    await activate(one.id, owner)
  })

  const cases: [query: string, expected: string[]][] = [
    ['sort=name:asc', ['kept', 'one', 'sized', 'three, really', 'two']],
    ['sort_key=name&sort_dir=desc', ['two', 'three, really', 'sized', 'one', 'kept']],
    ['sort_dir=asc', ['one', 'two', 'three, really', 'kept', 'sized']],
    ['sort=size:desc,name:asc', ['sized', 'kept', 'one', 'three, really', 'two']],
    ['name=one', ['one']],
    ['name=in:one,%22three,%20really%22&sort=name:asc', ['one', 'three, really']],
    ['status=active', ['sized']],
    ['status=in:active,saving', ['sized']],
    ['disk_format=qcow2', ['three, really']],
    ['visibility=private', ['two']],
    ['visibility=community', ['three, really']],
    ['os_hidden=true', ['hidden']],
    ['protected=true', ['kept']],
    ['tag=t&sort=name:asc', ['one', 'two']],
    ['tag=t&tag=u', ['one']],
    ['os_distro=debian', ['one']],
    ['os_distro=other', []],
    ['size_min=1', ['sized']],
    ['size_min=1&size_max=2', []],
    ['min_ram=10', ['one']],
    ['created_at=gt:2000-01-01T00:00:00Z&name=one', ['one']],
    ['created_at=lt:2000-01-01T00:00:00Z', []],
    ['limit=0', []],
  ]
  for (const [query, expected] of cases)
    test(query, async () => assert.deepEqual(await names(`${query}&owner=${idOf('lists')}`, owner), expected))

  test('an exact time is found by the second it shows', async () => {
    const { created_at } = (await call('GET', '/v2/images?name=one', { as: owner })).json.images[0]
    assert.deepEqual(await names(`created_at=eq:${created_at}&name=one`, owner), ['one'])
    assert.deepEqual(await names(`created_at=neq:${created_at}&name=one`, owner), [])
    assert.deepEqual(await names(`created_at=gte:${created_at}&name=one`, owner), ['one'])
    assert.deepEqual(await names(`created_at=gt:${created_at}&name=one`, owner), [])
  })

  test('pages lead from the first to the last', async () => {
    for (const sort of ['name:asc', 'size:desc', 'status:asc,size:asc', 'disk_format:desc', 'created_at:desc']) {
      const seen: string[] = []
      let next = `/v2/images?limit=2&sort=${sort}&owner=${idOf('lists')}`
      for (let pages = 0; next; pages++) {
        assert.ok(pages < 4, 'pages go on for ever')
        const { json } = await call('GET', next, { as: owner })
        assert.equal(json.first, `/v2/images?${new URLSearchParams({ limit: '2', sort, owner: idOf('lists') })}`)
        assert.equal(json.schema, '/v2/schemas/images')
        seen.push(...json.images.map((one: { name: string }) => one.name))
        next = json.next
      }
      assert.deepEqual(seen, await names(`sort=${sort}&owner=${idOf('lists')}`, owner))
    }
    assert.equal((await call('GET', '/v2/images?marker=nobody', { as: owner })).status, 400)
    assert.equal((await call('GET', '/v2/images?limit=x', { as: owner })).status, 400)
  })

  test('who sees what', async () => {
    const all = `limit=1000&owner=${idOf('lists')}`
    assert.deepEqual(await names(all, gamma), [])
    assert.deepEqual(await names(`${all}&visibility=community`, gamma), ['three, really'])
    assert.deepEqual(await names(`${all}&visibility=all`, gamma), ['three, really'])
    assert.equal((await names(`${all}&visibility=all`, admin)).length, 5)
    assert.equal((await names(all, admin)).length, 4)
  })
})

describe('members', () => {
  const members = (id: string) => `/v2/images/${id}/members`
  const answer = (id: string, status: unknown, as = beta, who = idOf('beta')) =>
    call('PUT', `${members(id)}/${who}`, { as, body: { status } })

  test('an offer, its acceptance and its end', async () => {
    const { id } = await create({ name: 'offered', ...bare })
    await activate(id)
    assert.equal((await call('GET', `/v2/images/${id}`, { as: beta })).status, 404)
    const offer = await call('POST', members(id), { body: { member: idOf('beta') } })
    assert.equal(offer.status, 200)
    const { created_at, updated_at, ...rest } = offer.json
    assert.equal(created_at, updated_at)
    assert.deepEqual(rest, { member_id: idOf('beta'), image_id: id, status: 'pending', schema: '/v2/schemas/member' })
    assert.equal((await call('POST', members(id), { body: { member: idOf('beta') } })).status, 409)

    assert.equal((await call('GET', `/v2/images/${id}`, { as: beta })).status, 200)
    assert.equal((await call('GET', `/v2/images/${id}/file`, { as: beta })).status, 200)
    assert.deepEqual(await names('name=offered', beta), [])
    assert.deepEqual(await names('name=offered&member_status=pending', beta), ['offered'])
    assert.deepEqual(await names('name=offered&member_status=all', beta), ['offered'])
    assert.equal((await answer(id, 'accepted', alpha)).status, 403)
    assert.equal((await answer(id, 'maybe')).status, 400)
    assert.equal((await answer(id, 'accepted')).json.status, 'accepted')
    assert.deepEqual(await names('name=offered', beta), ['offered'])

    await call('POST', members(id), { body: { member: idOf('gamma') } })
    const ids = async (as: string) =>
      (await call('GET', members(id), { as })).json.members.map((m: { member_id: string }) => m.member_id)
    assert.deepEqual(await ids(alpha), [idOf('beta'), idOf('gamma')])
    assert.deepEqual(await ids(beta), [idOf('beta')])
    assert.equal((await call('GET', `${members(id)}/${idOf('gamma')}`, { as: beta })).status, 404)
    assert.equal((await answer(id, 'rejected', beta, idOf('gamma'))).status, 404)
    assert.equal((await call('GET', `${members(id)}/${idOf('beta')}`, { as: beta })).json.status, 'accepted')

    assert.equal((await call('DELETE', `${members(id)}/${idOf('beta')}`, { as: beta })).status, 403)
    assert.equal((await call('DELETE', `${members(id)}/${idOf('beta')}`)).status, 204)
    assert.equal((await call('DELETE', `${members(id)}/${idOf('beta')}`)).status, 404)
    assert.equal((await call('GET', `/v2/images/${id}`, { as: beta })).status, 404)
  })

  test('bad offers', async () => {
    const { id } = await create()
    for (const body of [{}, { member: '' }, { member: 5 }, { member: 'x'.repeat(256) }, [], undefined])
      assert.equal((await call('POST', members(id), { body })).status, 400, JSON.stringify(body))
    await call('POST', members(id), { body: { member: idOf('beta') } })
    for (const body of [{}, [], { status: 5 }])
      assert.equal((await call('PUT', `${members(id)}/${idOf('beta')}`, { as: beta, body })).status, 400)
    const secret = await create({ visibility: 'private' })
    const refused = await call('POST', members(secret.id), { body: { member: idOf('beta') } })
    assert.equal(refused.status, 403)
    assert.match(refused.json.message, /Only shared images have members/)
    assert.equal((await call('GET', members(secret.id))).status, 403)
    assert.equal((await call('GET', `${members(secret.id)}/${idOf('beta')}`)).status, 404)
  })
})
