import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compilePolicy } from './index.ts'

test('a field check compares a member of the target, whole or by a pattern', () => {
  const policy = compilePolicy([
    { name: 'shared', check: 'field:networks:shared=True' },
    { name: 'external', check: 'field:networks:router:external=True' },
    { name: 'own', check: 'field:port:device_owner=~^network:' },
    { name: 'foreign', check: 'not field:rbac_policy:target=*' },
  ])
  const holds = (rule: string, target: object) => policy.allows(rule, { roles: [] }, { ...target })
  assert.equal(holds('shared', { shared: true }), true)
  assert.equal(holds('shared', { shared: false }), false)
  assert.equal(holds('shared', {}), false)
  assert.equal(holds('external', { 'router:external': true }), true)
  assert.equal(holds('own', { device_owner: 'network:dhcp' }), true)
  assert.equal(holds('own', { device_owner: 'compute:network:' }), false)
  assert.equal(holds('foreign', { target: '*' }), false)
  assert.equal(holds('foreign', { target: 'p' }), true)
  assert.throws(() => compilePolicy([{ name: 'bad', check: 'field:shared' }]), /field:resource:name=value/)
})
