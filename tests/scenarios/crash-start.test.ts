/** `kill -9` of the server process while it starts: the next `./strata up` makes a whole cloud of what it finds. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually, startTestCloud, type TestCloud, whyNotReal } from './cloud.ts'
import { call, logIn } from './http.ts'
import { processesOf } from './residue.ts'

/** Milliseconds between the birth of the process and its death. */
const MOMENTS = [50, 200, 400, 700, 1100]

/** Runs `up` and kills the server so long after it appeared; `up` fails, unless the cloud was ready by then. */
async function startAndKill(cloud: TestCloud, moment: number): Promise<void> {
  const ended = cloud.up().catch((thrown: Error) => thrown)
  await eventually('there is a process', () => cloud.pid() !== undefined)
  await sleep(moment)
  await cloud.kill()
  const result = await ended
  if (result instanceof Error) assert.match(result.message, /did not start/)
}

async function answersAsReady(cloud: TestCloud): Promise<void> {
  const { status, json } = await call(`${cloud.url}/healthz`, 'GET')
  assert.equal(status, 200)
  assert.equal(json.status, 'ready')
}

describe('the first start of a simulated cloud, killed', () => {
  let cloud: TestCloud
  before(async () => {
    cloud = await startTestCloud({ mode: 'simulated' })
  })
  after(() => cloud?.purge())

  for (const moment of MOMENTS)
    test(`after ${moment} ms, leaves nothing out and makes nothing twice`, async () => {
      const purged = await cloud.strata('purge')
      assert.equal(purged.code, 0, purged.stderr)
      await startAndKill(cloud, moment)
      await cloud.up()
      await answersAsReady(cloud)
      const admin = await logIn(cloud, 'strata')
      const named = async (path: string, key: string) =>
        (await admin.call('GET', path)).json[key].map((one: { name: string }) => one.name).sort()
      const flavors = ['m1.large', 'm1.medium', 'm1.nano', 'm1.small', 'm1.tiny', 'm1.xlarge']
      assert.deepEqual(await named('/compute/v2.1/flavors', 'flavors'), flavors)
      assert.deepEqual(await named('/network/v2.0/networks', 'networks'), ['private', 'public'])
      assert.deepEqual(await named('/network/v2.0/subnets', 'subnets'), ['private-subnet', 'public-subnet'])
      assert.deepEqual(await named('/network/v2.0/routers', 'routers'), ['router1'])
      const { images } = (await admin.call('GET', '/image/v2/images')).json
      assert.deepEqual(
        images.map(({ name, status }: { name: string; status: string }) => [name, status]),
        [['tiny-linux', 'active']],
      )
      const { services } = (await admin.call('GET', '/identity/v3/services')).json
      assert.equal(services.length, new Set(services.map(({ type }: { type: string }) => type)).size)
    })
})

describe('the start of a real cloud, killed', { skip: whyNotReal() }, () => {
  let cloud: TestCloud
  before(async () => {
    cloud = await startTestCloud({ mode: 'real' })
  })
  after(() => cloud?.purge())

  for (const moment of MOMENTS)
    test(`after ${moment} ms, finds or makes each daemon once`, async () => {
      const { code, stderr } = await cloud.strata('down', '--all')
      assert.equal(code, 0, stderr)
      await startAndKill(cloud, moment)
      await cloud.up()
      await answersAsReady(cloud)
      const daemons = ['ovn-northd', 'ovs-vswitchd', 'ovn-controller', 'nb.db', 'sb.db', 'conf.db']
      const running = processesOf([`${cloud.state}/ovn`, '/run/strata-'])
      for (const daemon of daemons) {
        const own = running.filter(({ command }) => command.includes(daemon) && command.includes(cloud.state))
        assert.equal(own.length, 1, `${daemon}: ${own.map(({ command }) => command).join('\n')}`)
      }
    })
})
