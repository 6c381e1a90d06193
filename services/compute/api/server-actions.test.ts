import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { until } from '@strata/toolkit/testing'
import { admin, type Cloud, images, member, reader, startCloud, stranger } from './cloud.test.ts'

let cloud: Cloud
before(async () => {
  cloud = await startCloud()
})
after(() => cloud.close())

test('a server is stopped, started, paused, unpaused and rebooted; what its state forbids is refused', async () => {
  const id = await cloud.running()
  const go = async (body: object, status: string) => {
    assert.equal((await cloud.action(id, body)).status, 202)
    await until('its task has ended', async () => {
      const server = await cloud.show(id)
      return server['OS-EXT-STS:task_state'] === null && server.status === status
    })
  }
  const refused = await cloud.action(id, { 'os-start': null })
  assert.equal(refused.status, 409)
  assert.equal(refused.json.conflictingRequest.message, `Cannot 'start' instance ${id} while it is in vm_state active`)
  await go({ 'os-stop': null }, 'SHUTOFF')
  assert.match((await cloud.action(id, { 'os-stop': null })).text, /Cannot 'stop' instance .* in vm_state stopped/)
  await go({ 'os-start': null }, 'ACTIVE')
  await go({ pause: null }, 'PAUSED')
  await go({ unpause: null }, 'ACTIVE')
  await go({ reboot: { type: 'SOFT' } }, 'ACTIVE')
  await go({ reboot: { type: 'hard' } }, 'ACTIVE')
  assert.equal((await cloud.action(id, { reboot: { type: 'cold' } })).status, 400)
  assert.equal((await cloud.action(id, { explode: null })).status, 400)
  assert.equal((await cloud.action(id, { createImage: { name: 'x' } })).status, 400)
  assert.equal((await cloud.action(id, { changePassword: { adminPass: 'x' } })).status, 501)
  assert.equal((await cloud.action(id, { restore: null })).status, 409)
  const output = await cloud.action(id, { 'os-getConsoleOutput': { length: 2 } })
  assert.equal(output.status, 200)
  const whole: string = (await cloud.action(id, { 'os-getConsoleOutput': null })).json.output
  assert.equal(output.json.output.split('\n').length, 2)
  // The guest is booting: its console may have grown meanwhile.
  assert.ok(whole.includes(output.json.output))
  const history = await cloud.call('GET', `/servers/${id}/os-instance-actions`)
  assert.deepEqual(
    history.json.instanceActions.map((one: { action: string }) => one.action),
    ['reboot', 'reboot', 'unpause', 'pause', 'start', 'stop', 'create'],
  )
  await cloud.gone(id)
  const after = await cloud.call('GET', `/servers/${id}/os-instance-actions`)
  assert.equal(after.json.instanceActions[0].action, 'delete', 'the record outlives the server')
  assert.equal((await cloud.call('GET', `/servers/${id}/os-instance-actions`, { at: 20 })).status, 404)
  assert.equal((await cloud.call('GET', `/servers/${id}/os-instance-actions`, { as: stranger })).status, 404)
})

test('a locked server is changed by administrators alone', async () => {
  const id = await cloud.running()
  assert.equal((await cloud.action(id, { lock: { locked_reason: 'precious' } })).status, 202)
  assert.equal((await cloud.show(id)).locked_reason, 'precious')
  assert.equal(
    (await cloud.action(id, { 'os-stop': null })).json.conflictingRequest.message,
    `Instance ${id} is locked`,
  )
  assert.equal((await cloud.call('DELETE', `/servers/${id}`)).status, 409)
  assert.equal((await cloud.action(id, { lock: { why: 1 } })).status, 400)
  assert.equal((await cloud.action(id, { reboot: { type: 'HARD' } }, { as: admin })).status, 202)
  assert.equal((await cloud.action(id, { unlock: null })).status, 202)
  await cloud.becomes(id, 'ACTIVE')
  assert.equal((await cloud.show(id)).locked, false)
  await cloud.gone(id)
})

test('a rebuild gives the server a new image and keeps its addresses', async () => {
  const id = await cloud.running({ metadata: { a: '1' } })
  const { addresses } = await cloud.show(id)
  const wanted = { imageRef: images.cirros, name: 'again', metadata: { b: '2' } }
  const answer = await cloud.action(id, { rebuild: wanted })
  assert.equal(answer.status, 202, answer.text)
  assert.equal(answer.json.server.status, 'REBUILD')
  assert.equal(answer.json.server.user_data, null)
  assert.ok(answer.json.server.adminPass)
  await cloud.becomes(id, 'ACTIVE')
  const server = await cloud.show(id)
  assert.equal(server.name, 'again')
  assert.deepEqual(server.metadata, { b: '2' })
  assert.deepEqual(server.addresses, addresses)
  assert.equal((await cloud.action(id, { rebuild: { imageRef: images.queued } })).status, 400)
  assert.equal((await cloud.action(id, { rebuild: {} })).status, 400)
  await cloud.gone(id)
})

test('metadata and tags are read and written item by item', async () => {
  const id = await cloud.running({ metadata: { a: '1' } })
  const path = `/servers/${id}/metadata`
  const send = async (method: string, tail: string, body?: object) => {
    const answer = await cloud.call(method, `/servers/${id}${tail}`, { body })
    return [answer.status, answer.json]
  }
  assert.deepEqual(await send('POST', '/metadata', { metadata: { b: '2' } }), [200, { metadata: { a: '1', b: '2' } }])
  assert.deepEqual(await send('PUT', '/metadata/a', { meta: { a: '3' } }), [200, { meta: { a: '3' } }])
  assert.equal((await send('PUT', '/metadata/a', { meta: { b: '3' } }))[0], 400)
  assert.deepEqual(await send('GET', '/metadata/a'), [200, { meta: { a: '3' } }])
  assert.equal((await send('DELETE', '/metadata/a'))[0], 204)
  assert.equal((await send('GET', '/metadata/a'))[0], 404)
  assert.equal((await send('GET', '/metadata/constructor'))[0], 404)
  assert.deepEqual(await send('PUT', '/metadata', { metadata: {} }), [200, { metadata: {} }])
  const many = Object.fromEntries(Array.from({ length: 129 }, (_, n) => [`k${n}`, 'v']))
  assert.equal((await send('PUT', '/metadata', { metadata: many }))[0], 403)
  assert.equal((await cloud.call('POST', path, { body: { metadata: { a: '1' } }, as: reader })).status, 403)

  assert.deepEqual(await send('PUT', '/tags', { tags: ['b', 'a', 'b'] }), [200, { tags: ['b', 'a'] }])
  assert.equal((await send('PUT', '/tags/c'))[0], 201)
  assert.equal((await send('PUT', '/tags/c'))[0], 204)
  assert.equal((await send('GET', '/tags/c'))[0], 204)
  assert.equal((await send('DELETE', '/tags/c'))[0], 204)
  assert.equal((await send('GET', '/tags/c'))[0], 404)
  assert.equal((await send('PUT', `/tags/${'x'.repeat(61)}`))[0], 400)
  assert.equal((await send('DELETE', '/tags'))[0], 204)
  assert.deepEqual(await send('GET', '/tags'), [200, { tags: [] }])
  assert.equal((await cloud.call('GET', `/servers/${id}/tags`, { at: 25 })).status, 404)
  await cloud.gone(id)
})

test('interfaces are attached and detached, and show in the addresses', async () => {
  const id = await cloud.running()
  const path = `/servers/${id}/os-interface`
  const port = cloud.world.addPort('second')
  const made = await cloud.call('POST', path, { body: { interfaceAttachment: { port_id: port } } })
  assert.equal(made.status, 200, made.text)
  assert.equal(made.json.interfaceAttachment.port_id, port)
  const list = await cloud.call('GET', path, { at: 1 })
  assert.equal(list.json.interfaceAttachments.length, 2)
  assert.deepEqual(Object.keys(list.json.interfaceAttachments[0]).sort(), [
    'fixed_ips',
    'mac_addr',
    'net_id',
    'port_id',
    'port_state',
  ])
  assert.equal((await cloud.call('GET', `/servers/${id}/ips`)).json.addresses.private.length, 2)
  assert.equal((await cloud.call('GET', `/servers/${id}/ips/private`)).json.private.length, 2)
  assert.equal((await cloud.call('GET', `/servers/${id}/ips/none`)).status, 404)
  assert.equal((await cloud.call('DELETE', `${path}/${port}`)).status, 202)
  await until('the interface is gone', async () => (await cloud.call('GET', `${path}/${port}`)).status === 404)
  const both = { interfaceAttachment: { port_id: port, net_id: port } }
  assert.equal((await cloud.call('POST', path, { body: both })).status, 400)
  assert.equal((await cloud.call('DELETE', `${path}/${port}`)).status, 404)
  await cloud.gone(id)
})

test('security groups and floating IPs are passed on to the network', async () => {
  const id = await cloud.running()
  const groups = async () =>
    (await cloud.call('GET', `/servers/${id}/os-security-groups`)).json.security_groups.map(
      (group: { name: string }) => group.name,
    )
  assert.equal((await cloud.action(id, { addSecurityGroup: { name: 'web' } })).status, 202)
  assert.deepEqual(await groups(), ['default', 'web'])
  assert.deepEqual((await cloud.show(id)).security_groups, [{ name: 'default' }, { name: 'web' }])
  assert.equal((await cloud.action(id, { removeSecurityGroup: { name: 'web' } })).status, 202)
  assert.equal((await cloud.action(id, { removeSecurityGroup: { name: 'web' } })).status, 404)
  assert.equal((await cloud.action(id, { addSecurityGroup: { name: 'none' } })).status, 404)
  const { address } = cloud.world.floating
  assert.equal((await cloud.action(id, { addFloatingIp: { address } })).status, 400, 'there is no such action any more')
  assert.equal((await cloud.action(id, { addFloatingIp: { address } }, { at: 43 })).status, 202)
  assert.notEqual(cloud.world.floating.portId, null)
  assert.equal((await cloud.action(id, { removeFloatingIp: { address } }, { at: 43 })).status, 202)
  assert.equal(cloud.world.floating.portId, null)
  await cloud.gone(id)
})

test('administrators reset states and see events', async () => {
  const id = await cloud.running()
  assert.equal((await cloud.action(id, { 'os-resetState': { state: 'error' } })).status, 403)
  assert.equal((await cloud.action(id, { 'os-resetState': { state: 'error' } }, { as: admin })).status, 202)
  assert.equal((await cloud.show(id)).status, 'ERROR')
  assert.equal((await cloud.call('POST', `/servers/${id}/metadata`, { body: { metadata: {} } })).status, 409)
  const [{ request_id }] = (await cloud.call('GET', `/servers/${id}/os-instance-actions`)).json.instanceActions
  const events = async (as: string, at: number) =>
    (await cloud.call('GET', `/servers/${id}/os-instance-actions/${request_id}`, { as, at })).json.instanceAction.events
  assert.equal(await events(member, 50), undefined)
  assert.equal((await events(admin, 50)).length, 1)
  assert.deepEqual(Object.keys((await events(member, 62))[0]).sort(), [
    'event',
    'finish_time',
    'hostId',
    'result',
    'start_time',
  ])
  assert.equal((await events(admin, 84))[0].host, 'host-1')
  assert.equal((await cloud.action(id, { forceDelete: null })).status, 202)
  await until('it is gone', async () => (await cloud.call('GET', `/servers/${id}`)).status === 404)
})

test('who may do what', async () => {
  const id = await cloud.running()
  const table: readonly (readonly [string, string, object | undefined, readonly number[]])[] = [
    // Reader, stranger, administrator of another project.
    ['GET', '', undefined, [200, 404, 200]],
    ['GET', '/metadata', undefined, [200, 404, 200]],
    ['GET', '/tags', undefined, [200, 404, 200]],
    ['GET', '/ips', undefined, [200, 404, 200]],
    ['GET', '/os-interface', undefined, [200, 404, 200]],
    ['GET', '/os-security-groups', undefined, [200, 404, 200]],
    ['GET', '/os-server-password', undefined, [200, 404, 200]],
    ['GET', '/os-volume_attachments', undefined, [200, 404, 200]],
    ['GET', '/os-instance-actions', undefined, [200, 404, 200]],
    ['PUT', '/tags', { tags: ['a'] }, [403, 404, 200]],
    ['POST', '/metadata', { metadata: { a: 'b' } }, [403, 404, 200]],
    ['DELETE', '/os-server-password', undefined, [403, 404, 204]],
    ['POST', '/action', { 'os-getConsoleOutput': {} }, [403, 404, 200]],
    ['POST', '/action', { 'os-start': null }, [403, 404, 409]],
    ['POST', '/action', { lock: null }, [403, 404, 202]],
    ['POST', '/action', { unlock: null }, [403, 404, 202]],
    ['POST', '/action', { 'os-resetState': { state: 'active' } }, [403, 403, 202]],
    ['DELETE', '', undefined, [403, 404, 204]],
  ]
  for (const [method, tail, body, wanted] of table) {
    const got: number[] = []
    for (const as of [reader, stranger, admin])
      got.push((await cloud.call(method, `/servers/${id}${tail}`, { as, body })).status)
    assert.deepEqual(got, wanted, `${method} ${tail} ${JSON.stringify(body)}`)
  }
})
