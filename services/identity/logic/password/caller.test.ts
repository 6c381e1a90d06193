import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callerAddress } from './caller.ts'

const seen = (proxies: readonly string[], clientAddress: string, forwarded?: string | string[]) =>
  callerAddress({ reverse_proxies: proxies }, { clientAddress, headers: { 'x-forwarded-for': forwarded } })

test('what others say of where they come from is not heeded', () => {
  assert.equal(seen([], '192.0.2.1', '198.51.100.9'), '192.0.2.1')
  assert.equal(seen(['10.0.0.0/8'], '192.0.2.1', '198.51.100.9'), '192.0.2.1')
})

test('of what comes through our proxies the last that is none of them is the caller', () => {
  const ours = ['10.0.0.0/8', '127.0.0.1', '2001:db8::/64']
  assert.equal(seen(ours, '127.0.0.1', '198.51.100.9'), '198.51.100.9')
  assert.equal(seen(ours, '::ffff:127.0.0.1', '203.0.113.66, 198.51.100.9'), '198.51.100.9')
  assert.equal(seen(ours, '127.0.0.1', '203.0.113.66, 198.51.100.9, 10.1.2.3'), '198.51.100.9')
  assert.equal(seen(ours, '2001:db8::7', ['203.0.113.66', '198.51.100.9']), '198.51.100.9')
  assert.equal(seen(ours, '2001:db8::7', 'gibberish'), 'gibberish')
})

test('without the header the proxy itself is the caller, as for what asks from its machine', () => {
  assert.equal(seen(['127.0.0.1'], '127.0.0.1'), '127.0.0.1')
  assert.equal(seen(['127.0.0.1', '10.0.0.0/8'], '127.0.0.1', '10.1.2.3'), '10.1.2.3')
})
