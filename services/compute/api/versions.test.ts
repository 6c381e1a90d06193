import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { persona } from '@strata/toolkit/testing'
import { flavorOperations } from './flavors.ts'
import { type Small, startSmall } from './small.test.ts'
import { beforeMicroversions, extensionOperations, versionOperations } from './versions.ts'

let small: Small
before(async () => {
  small = await startSmall(parts => {
    const operations = [...flavorOperations(parts), ...extensionOperations()]
    return [...versionOperations(), ...operations, ...beforeMicroversions(operations)]
  })
})
after(() => small.close())

const get = (path: string, as = '', at = 1) => small.call('GET', path, { as, at })

test('the versions are told to everybody', async () => {
  for (const root of ['', '/']) {
    const { status, json } = await get(root)
    assert.equal(status, 200)
    assert.deepEqual(json.versions[1], {
      id: 'v2.1',
      status: 'CURRENT',
      version: '2.96',
      min_version: '2.1',
      updated: '2013-07-23T11:33:21Z',
      links: [{ rel: 'self', href: 'http://localhost:80/compute/v2.1/' }],
    })
    assert.equal(json.versions[0].id, 'v2.0')
  }
})

test('each version has a document of its own where its link leads', async () => {
  for (const { id, links } of (await get('/')).json.versions) {
    const path = new URL(links[0].href).pathname.replace('/compute', '')
    for (const where of [path, path.replace(/\/$/, '')]) {
      const { version } = (await get(where)).json
      assert.equal(version.id, id)
      assert.equal(version['media-types'][0].base, 'application/json')
    }
  }
})

test('what comes after a version needs a token', async () => {
  assert.equal((await get('/v2.1/flavors')).status, 401)
  assert.equal((await get('/v2/flavors')).status, 401)
})

test('extensions are listed and shown', async () => {
  const reader = persona({ roles: ['reader'] })
  const { extensions } = (await get('/v2.1/extensions', reader)).json
  assert.deepEqual(Object.keys(extensions[0]).sort(), ['alias', 'description', 'links', 'name', 'namespace', 'updated'])
  assert.equal((await get('/v2.1/extensions/os-keypairs', reader)).json.extension.name, 'Keypairs')
  assert.equal((await get('/v2.1/extensions/os-none', reader)).status, 404)
})

test('the API before microversions is that of 2.1, whatever is asked for', async () => {
  const admin = persona({ roles: ['admin'] })
  const flavor = { name: 'n', ram: 1, vcpus: 1, disk: 1, id: 'n' }
  const made = await small.call('POST', '/v2/flavors', { as: admin, body: { flavor }, at: 90 })
  assert.equal(made.status, 200)
  assert.equal('description' in made.json.flavor, false)
  assert.equal('description' in (await get('/v2/flavors/n', admin, 90)).json.flavor, false)
  assert.equal('description' in (await get('/v2.1/flavors/n', admin, 90)).json.flavor, true)
  assert.equal((await small.call('PUT', '/v2/flavors/n', { as: admin, body: {}, at: 90 })).status, 405)
})
