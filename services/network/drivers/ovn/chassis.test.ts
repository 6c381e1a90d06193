import assert from 'node:assert/strict'
import { test } from 'node:test'
import { completedChassis, ownChassis, withoutMapping } from './chassis.ts'

const SETTINGS = {
  chassis: 'h1',
  southbound: 'tcp:192.0.2.1:6642',
  encapIp: '127.0.0.1',
  integrationBridge: 'br-int',
  datapathType: 'system',
  bridgeMapping: 'public:br-ex',
}

test('what an operator set stays, our mapping joins it', () => {
  const held = { 'system-id': 'theirs', 'ovn-encap-ip': '192.0.2.7', 'ovn-bridge-mappings': 'storage:br-st' }
  const { hostname, ...change } = completedChassis(held, SETTINGS)
  assert.equal(hostname, 'h1')
  assert.deepEqual(change, {
    'ovn-remote': 'tcp:192.0.2.1:6642',
    'ovn-encap-type': 'geneve',
    'ovn-bridge': 'br-int',
    'ovn-bridge-datapath-type': 'system',
    'ovn-bridge-mappings': 'storage:br-st,public:br-ex',
    'ovn-cms-options': 'enable-chassis-as-gw',
  })
  assert.deepEqual(completedChassis({ ...held, hostname: 'h', ...(change as Record<string, string>) }, SETTINGS), {})
  assert.deepEqual(withoutMapping(change as Record<string, string>, 'public:br-ex'), {
    'ovn-bridge-mappings': 'storage:br-st',
  })
  assert.deepEqual(withoutMapping({ 'ovn-bridge-mappings': 'public:br-ex' }, 'public:br-ex'), {
    'ovn-bridge-mappings': null,
  })
})

test('a machine without an external network loses what said it had one', () => {
  const settings = ownChassis({ ...SETTINGS, bridgeMapping: undefined })
  assert.deepEqual([settings['ovn-bridge-mappings'], settings['ovn-cms-options']], [null, null])
})
