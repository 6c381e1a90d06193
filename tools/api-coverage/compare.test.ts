import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readCatalog, shapeOf } from './catalog.ts'
import { compare } from './compare.ts'
import { catalogOf } from './import.ts'
import { coverage, readPage } from './main.ts'
import { asPage } from './report.ts'
import { builtServices } from './services.ts'

const service = (...operations: { method: string; path: string; action?: string; status?: 'removed' }[]) => [
  { service: 'compute', project: 'nova', operations },
]

test('paths are compared without the names of parameters, queries and a slash at the end', () => {
  assert.equal(shapeOf('/v3/users/{user_id}?a=b'), '/v3/users/{}')
  assert.equal(shapeOf('/v3/users/:id'), '/v3/users/{}')
  assert.equal(shapeOf('/v2/tasks/<task_id>/'), '/v2/tasks/{}')
  assert.equal(shapeOf('/'), '/')
})

test('each action of a path counts, once', () => {
  const catalog = service(
    { method: 'POST', path: '/servers/{id}/action', action: 'lock' },
    { method: 'POST', path: '/servers/{server}/action', action: 'lock' },
    { method: 'POST', path: '/servers/{id}/action', action: 'rescue' },
  )
  const offered = [{ type: 'compute', operations: [{ method: 'POST', path: '/servers/:x/action', action: 'lock' }] }]
  const [found] = compare(catalog, offered)
  assert.deepEqual([found!.implemented, found!.total], [1, 2])
  assert.deepEqual(
    found!.missing.map(one => one.action),
    ['rescue'],
  )
})

test('what is gone does not count, and HEAD comes with GET', () => {
  const catalog = service(
    { method: 'GET', path: '/os-agents', status: 'removed' },
    { method: 'HEAD', path: '/servers' },
    { method: 'DELETE', path: '/servers' },
  )
  const [found] = compare(catalog, [{ type: 'compute', operations: [{ method: 'GET', path: '/servers' }] }])
  assert.deepEqual([found!.implemented, found!.total], [1, 2])
})

test('a placeholder for fixed words is met by one of them, and not by a parameter', () => {
  const catalog = service({ method: 'GET', path: '/v2.0/{resource_type}/{id}/tags' })
  const met = (path: string) => compare(catalog, [{ type: 'compute', operations: [{ method: 'GET', path }] }])[0]!
  assert.equal(met('/v2.0/networks/:id/tags').implemented, 1)
  assert.equal(met('/v2.0/:anything/:id/tags').implemented, 0)
})

test('notes become facts: no descriptions, no second description of the same', () => {
  const notes = [
    { method: 'GET', path: '/servers', title: 'List', max_microversion: '2.35' },
    { method: 'GET', path: '/servers', variant_of_previous: true },
  ]
  assert.deepEqual(catalogOf('nova', notes).operations, [{ method: 'GET', path: '/v2.1/servers', until: '2.35' }])
})

test('every service of the project is looked at, and is in the catalog', async () => {
  const cwd = join(import.meta.dirname, '..', '..', 'services')
  const there = globSync('*/service.ts', { cwd }).map(file => file.split('/')[0]!)
  const looked = (await builtServices()).map(one => one.type)
  assert.deepEqual(looked.sort(), there.sort())
  const types = readCatalog().map(one => one.service)
  assert.deepEqual(
    there.filter(type => !types.includes(type)),
    [],
  )
})

test('docs/generated/api-coverage.md is up to date: npm run coverage:api -- --write', async () => {
  assert.equal(readPage(), asPage(await coverage()))
})
