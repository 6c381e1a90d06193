/** A cloud on PostgreSQL and on MariaDB: it lives through their absence, and one on SQLite moves there. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { isInstalled, startServer, type TestServer } from '@strata/cli/testing/engines'
import { eventually, startTestCloud, type TestCloud } from './cloud.ts'
import { type Api, logIn } from './http.ts'

/** Makes a server and waits until it runs; gives its id. */
async function boot(api: Api, name: string): Promise<string> {
  const first = async (path: string, list: string, called: string) => {
    const { json } = await api.call('GET', path)
    return json[list].find((one: { name: string }) => one.name === called).id as string
  }
  const imageRef = await first('/image/v2/images', 'images', 'tiny-linux')
  const flavorRef = await first('/compute/v2.1/flavors', 'flavors', 'm1.nano')
  const networks = [{ uuid: await first('/network/v2.0/networks', 'networks', 'private') }]
  const made = await api.call('POST', '/compute/v2.1/servers', {
    body: { server: { name, imageRef, flavorRef, networks } },
  })
  assert.equal(made.status, 202, made.text)
  const { id } = made.json.server
  await eventually(`${name} runs`, async () => (await statusOf(api, id)) === 'ACTIVE', 60_000)
  return id
}

const statusOf = async (api: Api, id: string): Promise<string> =>
  (await api.call('GET', `/compute/v2.1/servers/${id}`)).json.server.status

for (const engine of ['postgres', 'mariadb'] as const) {
  const skip = isInstalled(engine) ? false : `${engine} is not installed`
  describe(`a cloud on ${engine}`, { skip }, () => {
    let server: TestServer
    let cloud: TestCloud
    before(async () => {
      server = await startServer(engine)
      cloud = await startTestCloud({ mode: 'simulated', settings: { database: { url: server.url } } })
    })
    after(async () => {
      await cloud?.purge()
      await server?.stop()
    })

    test('answers 503 in each family’s form while the database is away, and carries on when it returns', async () => {
      const api = await logIn(cloud, 'strata-demo')
      const id = await boot(api, 'vm1')
      const pid = cloud.pid()
      await server.kill()
      const [compute, network] = await Promise.all([
        api.call('GET', `/compute/v2.1/servers/${id}`),
        api.call('GET', '/network/v2.0/networks'),
      ])
      assert.deepEqual([compute.status, network.status], [503, 503], compute.text)
      assert.match(Object.values(compute.json as Record<string, { message: string }>)[0]!.message, /database|again/i)
      assert.equal(typeof network.json.NeutronError.message, 'string')
      await server.restart()
      await eventually('it answers', async () => (await statusOf(api, id)) === 'ACTIVE')
      await boot(api, 'vm2')
      assert.equal(cloud.pid(), pid)
    })

    test('waits for the database when it starts, and says so', async () => {
      await cloud.strata('down')
      await server.kill()
      const log = join(cloud.state, 'log', 'strata.log')
      const up = cloud.up()
      await eventually('the log says so', () => readFileSync(log, 'utf8').includes('waiting for the database at'))
      await server.restart()
      await up
      const { code, stdout } = await cloud.strata('db', 'status')
      assert.equal(code, 0, stdout)
      assert.equal(stdout.match(/up to date/g)?.length, 5, stdout)
    })
  })
}

test('a cloud on SQLite is copied to PostgreSQL and from there to MariaDB, and is the same cloud there', {
  skip: isInstalled('postgres') && isInstalled('mariadb') ? false : 'postgres or mariadb is not installed',
}, async () => {
  const servers = [await startServer('postgres'), await startServer('mariadb')]
  const cloud = await startTestCloud({ mode: 'simulated' })
  try {
    const id = await boot(await logIn(cloud, 'strata-demo'), 'vm1')
    const refused = await cloud.strata('db', 'copy', '--to', servers[0]!.url)
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /the cloud is up/)
    for (const { url } of servers) {
      await cloud.strata('down')
      const copied = await cloud.strata('db', 'copy', '--to', url)
      assert.equal(copied.code, 0, copied.stderr)
      assert.match(copied.stdout, /compute: \d+ rows in \d+ tables, equal on both sides/)
      const twice = await cloud.strata('db', 'copy', '--to', url)
      assert.match(twice.stderr, /the target has tables already/)
      writeFileSync(join(cloud.state, '..', 'strata.yaml'), JSON.stringify({ database: { url } }))
      await cloud.up()
      const api = await logIn(cloud, 'strata-demo')
      assert.equal(await statusOf(api, id), 'ACTIVE')
      await boot(api, `vm-${url.slice(0, 5)}`)
    }
  } finally {
    await cloud.purge()
    for (const server of servers) await server.stop()
  }
})
