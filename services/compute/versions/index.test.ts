import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileSchema } from '@strata/toolkit/schema'
import type { ServerView } from '../contract/server.ts'
import { changedServerAt, createSchemaAt, rebuildSchemaAt, serverAt, updateSchemaAt } from './index.ts'

const link = { id: '1', links: [] }
const latest = () =>
  ({
    id: 'x',
    flavor: { vcpus: 1 },
    addresses: { net: [{ version: 4, addr: '10.0.0.1', 'OS-EXT-IPS:type': 'fixed' }] },
    key_name: 'k',
    host_status: 'UP',
    locked: false,
    locked_reason: null,
    description: null,
    tags: [],
    trusted_image_certificates: null,
    server_groups: [],
    pinned_availability_zone: null,
    'OS-EXT-SRV-ATTR:hostname': 'x',
    'OS-EXT-STS:vm_state': 'active',
  }) as unknown as ServerView
const seenAt = (minor: number, extended = true) =>
  Object.keys(JSON.parse(JSON.stringify(serverAt(minor)(latest(), { flavor: link, extended }))))

test('each attribute is there since the version that brought it', () => {
  const since = {
    'OS-EXT-SRV-ATTR:hostname': 3,
    locked: 9,
    host_status: 16,
    description: 19,
    tags: 26,
    trusted_image_certificates: 63,
    server_groups: 71,
    locked_reason: 73,
    pinned_availability_zone: 96,
  }
  for (const [name, minor] of Object.entries(since)) {
    assert.ok(seenAt(minor).includes(name), `${name} in 2.${minor}`)
    assert.ok(!seenAt(minor - 1).includes(name), `${name} in 2.${minor - 1}`)
  }
})

test('the flavor is a link before 2.47, and the host name administrators’ alone before 2.90', () => {
  assert.deepEqual(serverAt(46)(latest(), { flavor: link, extended: false }).flavor, link)
  assert.deepEqual(serverAt(47)(latest(), { flavor: link, extended: false }).flavor, { vcpus: 1 })
  assert.ok(!seenAt(89, false).includes('OS-EXT-SRV-ATTR:hostname'))
  assert.ok(seenAt(90, false).includes('OS-EXT-SRV-ATTR:hostname'))
})

test('updates and rebuilds answer with the core alone before 2.75', () => {
  const at = (minor: number, verb: 'update' | 'rebuild') =>
    JSON.parse(JSON.stringify(changedServerAt(minor, verb, latest())))
  assert.equal(at(74, 'update')['OS-EXT-STS:vm_state'], undefined)
  assert.equal(at(75, 'update')['OS-EXT-STS:vm_state'], 'active')
  assert.deepEqual(at(74, 'update').addresses.net, [{ version: 4, addr: '10.0.0.1' }])
  assert.equal(at(53, 'rebuild').key_name, undefined)
  assert.equal(at(54, 'rebuild').key_name, 'k')
})

test('each member of a request is taken since the version that brought it, and personality until it went', () => {
  const takes = (minor: number, member: object) => {
    const networks = minor >= 37 ? { networks: 'none' } : {}
    const body = { server: { name: 'x', flavorRef: '1', ...networks, ...member } }
    return compileSchema(createSchemaAt(minor))(body).length === 0
  }
  const since: readonly (readonly [object, number])[] = [
    [{ description: 'd' }, 19],
    [{ networks: [{ tag: 't' }] }, 42],
    [{ networks: 'auto' }, 37],
    [{ block_device_mapping_v2: [{ tag: 't' }] }, 42],
    [{ tags: ['a'] }, 52],
    [{ trusted_image_certificates: ['a'] }, 63],
    [{ block_device_mapping_v2: [{ volume_type: 'fast' }] }, 67],
    [{ host: 'h' }, 74],
    [{ hostname: 'my-host' }, 90],
    [{ hostname: 'my-host.example' }, 94],
  ]
  for (const [member, minor] of since) {
    assert.ok(takes(minor, member), `${JSON.stringify(member)} in 2.${minor}`)
    assert.ok(!takes(minor - 1, member), `${JSON.stringify(member)} in 2.${minor - 1}`)
  }
  assert.ok(takes(33, { networks: [{ tag: 't' }] }), 'cards had a tag from 2.32 to 2.36, too')
  assert.ok(
    takes(32, { block_device_mapping_v2: [{ tag: 't' }] }) && !takes(33, { block_device_mapping_v2: [{ tag: 't' }] }),
  )
  assert.ok(takes(56, { personality: [] }) && !takes(57, { personality: [] }))
  const noNetworks = compileSchema(createSchemaAt(37))({ server: { name: 'x', flavorRef: '1' } })
  assert.deepEqual(noNetworks[0], { field: 'server.networks', problem: 'is required' })
  assert.equal(createSchemaAt(75), createSchemaAt(89), 'versions that do not differ share a schema')
  assert.notEqual(updateSchemaAt(18), updateSchemaAt(19))
  assert.notEqual(rebuildSchemaAt(53), rebuildSchemaAt(54))
})
