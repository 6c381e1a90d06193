import assert from 'node:assert/strict'
import { test } from 'node:test'
import { permits } from './access-rules.ts'

const may = (pattern: string, path: string) =>
  permits([{ service: 'compute', method: 'GET', path: pattern }], { service: 'compute', method: 'GET', path })

test('a rule names a service, a method and a path, all of them', () => {
  const rules = [{ service: 'compute', method: 'GET', path: '/v2.1/servers' }]
  const asked = rules[0]!
  assert.equal(permits(rules, asked), true)
  assert.equal(permits(rules, { ...asked, method: 'DELETE' }), false)
  assert.equal(permits(rules, { ...asked, service: 'network' }), false)
  assert.equal(permits(rules, { ...asked, path: '/v2.1/servers/1' }), false)
  assert.equal(permits([], asked), false)
})

test('wildcards stand for one part, a double one for any number', () => {
  assert.equal(may('/v2.1/servers/*/ips', '/v2.1/servers/1/ips'), true)
  assert.equal(may('/v2.1/servers/{id}/ips', '/v2.1/servers/1/ips'), true)
  assert.equal(may('/v2.1/servers/*/ips', '/v2.1/servers/1/2/ips'), false)
  assert.equal(may('/v2.1/servers/*', '/v2.1/servers'), false)
  assert.equal(may('/v2.1/**', '/v2.1/servers/1/2/ips'), true)
  assert.equal(may('/v2.1/**/ips', '/v2.1/servers/1/ips'), true)
  assert.equal(may('/v2.1/**/ips', '/v2.1/servers/1/ipsec'), false)
})

test('what looks like a regular expression is none', () => {
  assert.equal(may('/v2.1/serv.*', '/v2.1/servers'), false)
  assert.equal(may('/v2.1/a+', '/v2.1/aa'), false)
})
