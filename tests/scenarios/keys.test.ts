/** Keys that an operator changes while clients are at work, and while the cloud is down. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startTestCloud, type TestCloud } from './cloud.ts'
import { type Answer, logIn } from './http.ts'

let cloud: TestCloud
before(async () => {
  cloud = await startTestCloud({
    mode: 'simulated',
    // Both forms of tokens; and no token is remembered for long, so that keys are asked for.
    settings: { identity: { token_provider: 'jws', token_cache_seconds: 0 } },
  })
})
after(() => cloud?.purge())

const rotate = async (...names: string[]) => {
  const { code, stdout, stderr } = await cloud.strata('keys', 'rotate', ...names)
  assert.equal(code, 0, stderr)
  return stdout
}

test('no request fails while keys are changed, and tokens and secrets of before are good afterwards', async () => {
  const first = await logIn(cloud, 'strata')
  const consumer = await first.call('POST', '/identity/v3/OS-OAUTH1/consumers', { body: { consumer: {} } })
  assert.equal(consumer.status, 201, consumer.text)
  let over = false
  let asked = 0
  const atWork = async () => {
    while (!over) {
      const next = await logIn(cloud, 'strata')
      for (const api of [first, next]) {
        const answers: Answer[] = [
          await api.call('GET', '/identity/v3/auth/projects'),
          await api.call('GET', '/compute/v2.1/flavors'),
        ]
        assert.deepEqual(
          answers.map(answer => answer.status),
          [200, 200],
        )
        asked += answers.length
      }
    }
  }
  const clients = Promise.all([atWork(), atWork()])
  const changes = (async () => {
    for (let n = 0; n < 3; n++) await rotate()
  })().finally(() => {
    over = true
  })
  await Promise.all([clients, changes])
  assert.ok(asked > 20, `${asked} requests`)

  const { code, stdout } = await cloud.strata('keys', 'status', '--json')
  assert.equal(code, 0)
  const rings = JSON.parse(stdout) as { name: string; keys: { state: string }[] }[]
  assert.deepEqual(
    rings.map(ring => [ring.name, ring.keys.filter(key => key.state === 'primary').length]),
    [
      ['tokens', 1],
      ['jws', 1],
      ['receipts', 1],
      ['credentials', 1],
    ],
  )

  await cloud.strata('down')
  assert.equal(await rotate('jws'), 'The key of jws was changed.\n')
  await cloud.up()
  assert.equal((await first.call('GET', '/identity/v3/auth/projects')).status, 200)
  assert.equal((await cloud.strata('keys', 'rotate', 'nothing')).code, 1)
})
