import assert from 'node:assert/strict'
import { test } from 'node:test'
import { catalogOf, expandUrl } from './catalog.ts'

const endpoint = (id: string, url: string, enabled = 1) => ({
  id,
  service_id: 's',
  interface: 'public',
  region_id: 'RegionOne',
  url,
  enabled,
})
const service = { id: 's', type: 'compute', name: 'nova', enabled: 1 }

test('an endpoint stands with its region under both names', () => {
  const [entry] = catalogOf({ services: [service], endpoints: [endpoint('e', 'http://x/')] }, { userId: 'u' })
  assert.deepEqual(entry, {
    id: 's',
    type: 'compute',
    name: 'nova',
    endpoints: [{ id: 'e', interface: 'public', region: 'RegionOne', region_id: 'RegionOne', url: 'http://x/' }],
  })
})

test('disabled services and endpoints are left out', () => {
  assert.deepEqual(catalogOf({ services: [{ ...service, enabled: 0 }], endpoints: [] }, { userId: 'u' }), [])
  const off = { services: [service], endpoints: [endpoint('e', 'http://x/', 0)] }
  assert.deepEqual(catalogOf(off, { userId: 'u' })[0]!.endpoints, [])
})

test('an address that needs a project is left out of catalogs without one', () => {
  const source = { services: [service], endpoints: [endpoint('e', 'http://x/$(project_id)s')] }
  assert.deepEqual(catalogOf(source, { userId: 'u' })[0]!.endpoints, [])
  assert.equal(catalogOf(source, { userId: 'u', projectId: 'p' })[0]!.endpoints[0]!.url, 'http://x/p')
})

test('only known names are filled in', () => {
  assert.equal(expandUrl('http://x/%(tenant_id)s/$(user_id)s', { tenant_id: 't', user_id: 'u' }), 'http://x/t/u')
  assert.equal(expandUrl('http://x/$(constructor)s', {}), undefined)
})
