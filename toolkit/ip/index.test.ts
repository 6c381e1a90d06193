import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { canonicalAddress, encloses, eui64, formatAddress, formatPrefix, parseAddress, parsePrefix } from './index.ts'

test('texts of addresses and back', () => {
  for (const version of [4, 6] as const)
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: (1n << (version === 4 ? 32n : 128n)) - 1n }), value => {
        assert.deepEqual(parseAddress(formatAddress({ version, value })), { version, value })
      }),
    )
  assert.equal(canonicalAddress('2001:DB8:0:0::0001'), '2001:db8::1')
  for (const bad of ['10.1', '010.0.0.1', '10.0.0.256', 'fe80::1%eth0', '', 'x', '1::2::3'])
    assert.equal(parseAddress(bad), undefined, bad)
})

test('prefixes lose their host bits', () => {
  assert.equal(formatPrefix(parsePrefix('10.0.0.7/24')!), '10.0.0.0/24')
  assert.equal(formatPrefix(parsePrefix('2001:db8::7/64')!), '2001:db8::/64')
  assert.ok(encloses(parsePrefix('0.0.0.0/0')!, parsePrefix('255.255.255.255/32')!))
  for (const bad of ['10.0.0.0', '10.0.0.0/33', '::/129', '10.0.0.0/', '10.0.0.0/-1'])
    assert.equal(parsePrefix(bad), undefined, bad)
})

test('a host makes its address from its MAC as RFC 4291 says', () => {
  const address = eui64(parsePrefix('2001:db8::/64')!, 'fa:16:3e:01:02:03')
  assert.equal(formatAddress(address), '2001:db8::f816:3eff:fe01:203')
})
