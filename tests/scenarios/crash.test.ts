/**
 * `kill -9` of the server process in the middle of builds, deletions and reboots: guests run on, and after the next
 * `./strata up` whatever was under way has come to its end, and nothing is held for what does not exist.
 */
import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually, startTestCloud, type TestCloud, whyNotReal } from './cloud.ts'
import { type Api, logIn } from './http.ts'
import { ovnPorts, processesOf, tagOf } from './residue.ts'

/** Milliseconds between the last request and the kill: from before anything was done to after most was. */
const MOMENTS = [0, 30, 90, 200, 400, 800, 1500]
const SETTLE_MS = 120_000

interface ServerView {
  readonly id: string
  readonly name: string
  readonly status: string
  readonly 'OS-EXT-STS:task_state': string | null
  readonly fault?: { readonly message: string }
}

for (const mode of ['simulated', 'real'] as const) {
  describe(`the ${mode} cloud, killed`, { skip: mode === 'real' ? whyNotReal() : undefined }, () => {
    let cloud: TestCloud
    let api: Api
    let image: string
    let network: string
    let steady: { readonly id: string; readonly pids: readonly number[] }
    let kicked: string
    let dying: string

    const create = async (name: string): Promise<string> => {
      const server = { name, imageRef: image, flavorRef: '42', networks: [{ uuid: network }] }
      const answer = await api.call('POST', '/compute/v2.1/servers', { body: { server } })
      assert.equal(answer.status, 202, answer.text)
      return answer.json.server.id
    }
    const show = async (id: string): Promise<ServerView | undefined> => {
      const answer = await api.call('GET', `/compute/v2.1/servers/${id}`)
      if (answer.status === 404) return undefined
      assert.equal(answer.status, 200, answer.text)
      return answer.json.server
    }
    const settled = (id: string) =>
      eventually(
        `${id} is at rest`,
        async () => {
          const server = await show(id)
          const busy = server && (server['OS-EXT-STS:task_state'] !== null || server.status === 'BUILD')
          return !busy && { server }
        },
        SETTLE_MS,
      )
    const becomesActive = async (id: string) => {
      const { server } = await settled(id)
      assert.equal(server?.status, 'ACTIVE', JSON.stringify(server))
    }
    const gone = (id: string) => eventually(`${id} is gone`, async () => (await show(id)) === undefined, SETTLE_MS)
    const qemus = (id: string) =>
      processesOf([id])
        .filter(({ command }) => command.includes('qemu-system'))
        .map(({ pid }) => pid)

    before(async () => {
      cloud = await startTestCloud({ mode })
      api = await logIn(cloud, 'strata-demo')
      image = (await api.call('GET', '/image/v2/images?name=tiny-linux')).json.images[0].id
      network = (await api.call('GET', '/network/v2.0/networks?name=private')).json.networks[0].id
      const ids = [await create('steady'), await create('kicked'), await create('dying-0')] as const
      for (const id of ids) await becomesActive(id)
      steady = { id: ids[0], pids: qemus(ids[0]) }
      if (mode === 'real') assert.equal(steady.pids.length, 1)
      ;[, kicked, dying] = ids
    })
    after(() => cloud?.purge())

    for (const [round, moment] of MOMENTS.entries())
      test(`${moment} ms after a create, a delete and a reboot`, async () => {
        const born = await create(`born-${round}`)
        const remove = await api.call('DELETE', `/compute/v2.1/servers/${dying}`)
        assert.equal(remove.status, 204, remove.text)
        const body = { reboot: { type: 'HARD' } }
        const reboot = await api.call('POST', `/compute/v2.1/servers/${kicked}/action`, { body })
        assert.equal(reboot.status, 202, reboot.text)
        await sleep(moment)
        await cloud.kill()
        assert.deepEqual(qemus(steady.id), steady.pids, 'guests run on')
        await cloud.up()
        await gone(dying)
        await becomesActive(kicked)
        const { server } = await settled(born)
        assert.ok(server)
        // Undone is as good as done, if it says why.
        if (server.status === 'ERROR') assert.ok(server.fault?.message, JSON.stringify(server))
        else assert.equal(server.status, 'ACTIVE', JSON.stringify(server))
        await becomesActive(steady.id)
        assert.deepEqual(qemus(steady.id), steady.pids)
        dying = born
      })

    test('holds nothing for what does not exist', async () => {
      const removed = await api.call('DELETE', `/compute/v2.1/servers/${dying}`)
      assert.equal(removed.status, 204)
      await gone(dying)
      const expected = [kicked, steady.id].sort()
      const admin = await logIn(cloud, 'strata')
      const { servers } = (await admin.call('GET', '/compute/v2.1/servers?all_tenants=1')).json
      assert.deepEqual(servers.map((server: ServerView) => server.id).sort(), expected)
      assert.deepEqual(await consumers(admin), expected)
      const ports = (await admin.call('GET', '/network/v2.0/ports')).json.ports as PortView[]
      const guestPorts = ports.filter(port => port.device_owner.startsWith('compute:'))
      assert.deepEqual(guestPorts.map(port => port.device_id).sort(), expected)
      if (mode !== 'real') return
      const folders = join(cloud.state, 'compute', 'instances')
      assert.ok(existsSync(folders))
      assert.deepEqual(readdirSync(folders).sort(), expected)
      const running = processesOf([folders]).filter(({ command }) => command.includes('qemu-system'))
      assert.deepEqual(running.length, 2)
      const known = ports.map(port => port.id)
      const inOvn = await ovnPorts(cloud, tagOf(cloud))
      assert.deepEqual(
        inOvn.filter(name => /^[0-9a-f-]{36}$/.test(name) && !known.includes(name)),
        [],
      )
    })
  })
}

interface PortView {
  readonly id: string
  readonly device_id: string
  readonly device_owner: string
}

/** Whoever holds resources of any provider. */
async function consumers(admin: Api): Promise<string[]> {
  const { resource_providers } = (await admin.call('GET', '/placement/resource_providers')).json
  const held: string[] = []
  for (const { uuid } of resource_providers as { uuid: string }[]) {
    const { allocations } = (await admin.call('GET', `/placement/resource_providers/${uuid}/allocations`)).json
    held.push(...Object.keys(allocations))
  }
  return held.sort()
}
