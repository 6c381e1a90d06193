import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { admin, type Cloud, images, member, networks, reader, startCloud, stranger } from './cloud.test.ts'

let cloud: Cloud
before(async () => {
  cloud = await startCloud()
})
after(() => cloud.close())

test('a server is accepted at once, built, shown and deleted', async () => {
  const made = await cloud.create({ metadata: { a: 'b' }, tags: ['blue'], description: 'mine' })
  assert.equal(made.status, 202, made.text)
  const { id, adminPass, ...rest } = made.json.server
  assert.equal(made.headers['location'], `http://localhost:80/compute/v2.1/servers/${id}`)
  assert.equal(adminPass.length, 12)
  assert.deepEqual(rest, {
    links: [
      { rel: 'self', href: `http://localhost:80/compute/v2.1/servers/${id}` },
      { rel: 'bookmark', href: `http://localhost:80/compute/servers/${id}` },
    ],
    'OS-DCF:diskConfig': 'AUTO',
    security_groups: [{ name: 'default' }],
  })
  await cloud.becomes(id, 'ACTIVE')
  const server = await cloud.show(id)
  assert.deepEqual(server.metadata, { a: 'b' })
  assert.deepEqual(server.tags, ['blue'])
  assert.equal(server.addresses.private[0].version, 4)
  assert.equal(server.image.id, images.cirros)
  assert.equal(server.flavor.original_name, 'nano')
  assert.equal(server['OS-EXT-STS:vm_state'], 'active')
  assert.equal(server['OS-EXT-SRV-ATTR:host'], undefined)
  assert.equal((await cloud.show(id, { as: admin }))['OS-EXT-SRV-ATTR:host'], 'host-1')
  assert.equal((await cloud.call('DELETE', `/servers/${id}`)).status, 204)
  await cloud.gone(id)
  assert.equal(
    (await cloud.call('GET', `/servers/${id}`)).json.itemNotFound.message,
    `Instance ${id} could not be found.`,
  )
})

const bad = async (server: object, options: Parameters<Cloud['create']>[1] = {}) => {
  const answer = await cloud.create(server, options)
  const [[name, fault]] = Object.entries(answer.json) as [[string, { code: number; message: string }]]
  assert.equal(answer.status, fault?.code, answer.text)
  return `${name}: ${fault?.message}`
}

test('a malformed request is refused by the name of its field', async () => {
  assert.match(await bad({ name: '' }), /^badRequest: .*server\.name/)
  assert.match(await bad({ name: ' x' }), /server\.name/)
  assert.match(await bad({ bogus: 1 }), /server\.bogus is not allowed/)
  assert.match(await bad({ metadata: { a: 1 } }), /server\.metadata\.a/)
  assert.match(await bad({ user_data: '!' }), /server\.user_data/)
  assert.match(await bad({ user_data: 'abc' }), /user_data/)
  assert.match(await bad({ tags: ['a,b'] }), /server\.tags\.0/)
  assert.match(await bad({ min_count: 0 }), /server\.min_count/)
  assert.match(await bad({ min_count: 3, max_count: 2 }), /min_count must be <= max_count/)
  assert.match(await bad({ hostname: 'x_y' }), /server\.hostname/)
  assert.match(await bad({ networks: 'all' }), /server\.networks/)
  assert.match(await bad({ networks: undefined }), /server\.networks is required/)
  assert.match(await bad({ networks: 'auto' }, { at: 36 }), /server\.networks/)
  assert.match(await bad({ description: 'x' }, { at: 18 }), /server\.description is not allowed/)
  assert.match(await bad({ personality: [{ path: '/a', contents: 'YQ==' }] }, { at: 1 }), /personality/)
  assert.match(await bad({ trusted_image_certificates: ['a'] }), /trusted_image_certificates/)
})

test('what a request names must be there, active and fit', async () => {
  assert.match(await bad({ imageRef: networks.private }), /Can not find requested image/)
  assert.match(await bad({ imageRef: '' }), /Missing imageRef attribute/)
  assert.match(await bad({ imageRef: images.queued }), /is not active/)
  assert.match(await bad({ imageRef: images.large }), /Flavor's disk is too small for requested image/)
  assert.match(await bad({ flavorRef: 'none' }), /Flavor none could not be found/)
  assert.match(await bad({ key_name: 'none' }), /Invalid key_name provided/)
  assert.match(await bad({ security_groups: [{ name: 'none' }] }), /Security group none not found/)
  assert.match(await bad({ availability_zone: 'mars' }), /requested availability zone is not available/)
  assert.match(await bad({}, { hints: { group: networks.private } }), /Instance group .* could not be found/)
  const volume = { source_type: 'volume', destination_type: 'volume', uuid: networks.private, boot_index: 0 }
  assert.match(await bad({ block_device_mapping_v2: [volume] }), /there is no block storage/)
})

test('networks are chosen, or refused', async () => {
  assert.match(await bad({ networks: [{ uuid: images.cirros }] }), /Network .* could not be found/)
  assert.match(await bad({ networks: [{ uuid: networks.public }] }), /^forbidden: .*external network/)
  assert.match(await bad({ networks: [{ port: images.cirros }] }), /Port id .* could not be found/)
  const used = cloud.world.addPort('used', 'somebody')
  assert.match(await bad({ networks: [{ port: used }] }), /^conflictingRequest: Port .* is still in use/)
  const free = cloud.world.addPort('free')
  assert.match(await bad({ networks: [{ port: free }, { port: free }] }), /specified twice/)
  assert.match(await bad({ networks: [{ port: free }], min_count: 2 }), /single one of them/)
  const id = await cloud.running({ networks: [{ port: free, tag: 'nic' }] })
  await cloud.gone(id)
  assert.equal(cloud.world.ports.get(free)?.deviceId, '', 'the port was let go, not removed')
  const none = await cloud.running({ networks: 'none' })
  assert.deepEqual((await cloud.show(none)).addresses, {})
  await cloud.gone(none)
  cloud.world.nets.push(cloud.world.network(networks.other, 'other'))
  assert.equal(
    await bad({}),
    'conflictingRequest: Multiple possible networks found, use a Network ID to be more specific.',
  )
  cloud.world.nets.pop()
})

test('several servers are numbered and share a reservation; what exceeds the quota is refused whole', async () => {
  const made = await cloud.create({ name: 'many', min_count: 2, max_count: 3, return_reservation_id: true })
  assert.equal(made.status, 202, made.text)
  const found = await cloud.call(
    'GET',
    `/servers?reservation_id=${made.json.reservation_id}&sort_key=display_name&sort_dir=asc`,
  )
  const servers: { id: string; name: string }[] = found.json.servers
  assert.deepEqual(
    servers.map(server => server.name),
    ['many-1', 'many-2', 'many-3'],
  )
  for (const { id } of servers) await cloud.gone(id)
  assert.match(
    await bad({ min_count: 11 }),
    /^forbidden: Quota exceeded for instances: Requested 11, but already used 0 of 10 instances/,
  )
  const all = await cloud.call('GET', '/servers')
  assert.deepEqual(all.json.servers, [], 'nothing was left of the refused request')
})

test('lists are filtered, sorted and paged', async () => {
  const ids: string[] = []
  for (const name of ['web-1', 'web-2', 'db']) ids.push(await cloud.running({ name, tags: [name], metadata: { name } }))
  const names = async (query: string, as = member, at = 96) => {
    const answer = await cloud.call('GET', `/servers?${query}`, { as, at })
    assert.equal(answer.status, 200, answer.text)
    return answer.json.servers.map((server: { name: string }) => server.name)
  }
  assert.deepEqual(await names(''), ['db', 'web-2', 'web-1'])
  assert.deepEqual(await names('name=WEB'), ['web-2', 'web-1'])
  assert.deepEqual(await names('name=^web-[0-9]%2B$'), ['web-2', 'web-1'])
  assert.deepEqual(await names('sort_key=display_name&sort_dir=asc&limit=2'), ['db', 'web-1'])
  assert.deepEqual(await names(`sort_key=display_name&sort_dir=asc&marker=${ids[0]}`), ['web-2'])
  assert.deepEqual(await names(`limit=2&marker=${ids[2]}`), ['web-2', 'web-1'])
  assert.deepEqual(await names('tags=db'), ['db'])
  assert.deepEqual(await names('tags-any=db,web-1'), ['db', 'web-1'])
  assert.deepEqual(await names('not-tags-any=db,web-1'), ['web-2'])
  assert.deepEqual(await names('status=ACTIVE&limit=1'), ['db'])
  assert.deepEqual(await names('status=REBOOT'), [])
  assert.deepEqual(await names('status=nonsense', member, 37), [])
  assert.deepEqual(await names('host=host-1', member, 74), ['db', 'web-2', 'web-1'], 'not for members: passed over')
  assert.deepEqual(await names('all_tenants=1&host=elsewhere', admin), [])
  assert.deepEqual(await names('all_tenants=1&host=host-1&limit=1', admin), ['db'])
  assert.deepEqual(await names('changes-since=2999-01-01T00:00:00Z'), [])
  assert.deepEqual(await names('ip=^10.0.0.&limit=1'), ['db'])
  assert.deepEqual(await names('image=none'), [])
  assert.deepEqual(await names('limit=0'), [])
  assert.deepEqual(await names('', stranger), [])
  const page = await cloud.call('GET', '/servers/detail?limit=2')
  assert.equal(page.json.servers_links[0].rel, 'next')
  assert.match(page.json.servers_links[0].href, new RegExp(`/v2.1/servers/detail\\?limit=2&marker=${ids[1]}$`))
  for (const [query, status] of [
    ['limit=-1', 400],
    ['limit=x', 400],
    ['marker=none', 400],
    ['sort_key=nonsense', 400],
    ['sort_dir=up', 400],
    ['changes-since=yesterday', 400],
    ['status=nonsense', 400],
    ['name=(', 400],
    ['bogus=1', 400],
    ['all_tenants=maybe', 400],
    ['all_tenants=1', 403],
    ['sort_key=host', 403],
    ['status=deleted', 403],
  ] as const)
    assert.equal((await cloud.call('GET', `/servers?${query}`)).status, status, query)
  for (const id of ids) await cloud.gone(id)
})

test('an update changes what it says, and answers as its version does', async () => {
  const id = await cloud.running()
  const body = { server: { name: 'renamed', accessIPv4: '192.0.2.1' } }
  const old = await cloud.call('PUT', `/servers/${id}`, { body, at: 1 })
  assert.equal(old.json.server.name, 'renamed')
  assert.equal(old.json.server.accessIPv4, '192.0.2.1')
  assert.equal(old.json.server['OS-EXT-STS:vm_state'], undefined)
  assert.deepEqual(Object.keys(old.json.server.addresses.private[0]), ['version', 'addr'])
  const now = await cloud.call('PUT', `/servers/${id}`, { body: { server: { description: null } } })
  assert.equal(now.json.server['OS-EXT-STS:vm_state'], 'active')
  const long = { server: { accessIPv6: '2001:DB8:0000::babe:192.0.2.1', accessIPv4: '' } }
  const { accessIPv4, accessIPv6 } = (await cloud.call('PUT', `/servers/${id}`, { body: long })).json.server
  assert.deepEqual([accessIPv4, accessIPv6], ['', '2001:db8::babe:c000:201'])
  assert.equal((await cloud.call('PUT', `/servers/${id}`, { body: { server: { bogus: 1 } } })).status, 400)
  assert.equal((await cloud.call('PUT', `/servers/${id}`, { body, as: reader })).status, 403)
  assert.equal((await cloud.call('PUT', `/servers/${id}`, { body, as: stranger })).status, 404)
  await cloud.gone(id)
})

test('a build that fails says why, and can be deleted', async () => {
  const nowhere = await cloud.create({ availability_zone: 'nova:elsewhere' }, { as: admin })
  assert.match(nowhere.json.badRequest.message, /Compute host elsewhere could not be found/)
  cloud.world.full = true
  const made = await cloud.create()
  await cloud.becomes(made.json.server.id, 'ERROR')
  const server = await cloud.show(made.json.server.id)
  assert.match(server.fault.message, /^No valid host was found\./)
  assert.equal(server.fault.details, undefined, 'details name hosts')
  assert.ok((await cloud.show(made.json.server.id, { as: admin })).fault.details)
  cloud.world.full = false
  await cloud.gone(made.json.server.id)
})
