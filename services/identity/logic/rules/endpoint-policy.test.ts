import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Associations, policyOf } from './endpoint-policy.ts'

type Association = Associations['associations'][number]

const nothing = { endpoint_id: null, service_id: null, region_id: null }
const own = { ...nothing, policy_id: 'own', endpoint_id: 'e' }
const above = { ...nothing, policy_id: 'above', service_id: 's', region_id: 'top' }
const service = { ...nothing, policy_id: 'service', service_id: 's' }
const other = { ...nothing, policy_id: 'other', service_id: 'x' }
const regions = [
  { id: 'top', parent_region_id: null },
  { id: 'below', parent_region_id: 'top' },
]
const find = (associations: readonly Association[], region_id: string | null = 'below') =>
  policyOf({ id: 'e', service_id: 's', region_id }, { associations, regions })

test('the nearest policy holds', () => {
  assert.equal(find([service, above, own]), 'own')
  assert.equal(find([service, above]), 'above')
  assert.equal(find([service, above], null), 'service')
  assert.equal(find([service]), 'service')
  assert.equal(find([other]), undefined)
})
