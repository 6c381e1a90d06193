import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '@strata/toolkit/fault'
import { systemRuntime } from '@strata/toolkit/runtime'
import { loginFailed, passwordExpired } from '../../contract/errors.ts'
import { type Attempt, createThrottle } from './throttle.ts'

function make(perAccount = 5, perAddress = 20, inTurn = false) {
  let now = 1_000_000
  const throttle = createThrottle({ runtime: { ...systemRuntime, now: () => now }, perAccount, perAddress, inTurn })
  /** `right`, `wrong` (401), `refused` (429), or another failure's code. */
  const attempt = async (about: Attempt, outcome: 'right' | 'wrong' | Fault = 'wrong') => {
    try {
      await throttle.attempt(about, async () => {
        if (outcome !== 'right') throw outcome === 'wrong' ? loginFailed() : outcome
      })
      return 'right'
    } catch (thrown) {
      if (!(thrown instanceof Fault)) throw thrown
      return thrown.status === 401 ? 'wrong' : thrown.status === 429 ? 'refused' : thrown.code
    }
  }
  const times = async (count: number, about: Attempt, outcome?: 'right' | 'wrong' | Fault) => {
    const seen = []
    for (let n = 0; n < count; n++) seen.push(await attempt(about, outcome))
    return seen
  }
  return { throttle, attempt, times, advance: (ms: number) => (now += ms) }
}
const at = (account: string, address = '192.0.2.1', weight?: number): Attempt => ({
  accounts: [{ user: { id: account } }],
  address,
  ...(weight !== undefined && { weight }),
})

test('after the permitted failures an account is closed to that address, also for the right password', async () => {
  const { times, attempt, advance } = make()
  assert.deepEqual(await times(6, at('ann')), ['wrong', 'wrong', 'wrong', 'wrong', 'wrong', 'refused'])
  assert.equal(await attempt(at('ann'), 'right'), 'refused')
  assert.equal(await attempt(at('ann', '192.0.2.2'), 'right'), 'right')
  assert.equal(await attempt(at('bob'), 'right'), 'right')
  advance(12_000)
  assert.deepEqual(await times(2, at('ann')), ['wrong', 'refused'])
  advance(60_000)
  assert.equal(await attempt(at('ann'), 'right'), 'right')
})

test('the answer says when to come again', async () => {
  const { times, throttle } = make()
  await times(5, at('ann'))
  await assert.rejects(
    throttle.attempt(at('ann'), async () => {}),
    { status: 429, headers: { 'retry-after': '12' } },
  )
})

test('what is right is not counted, nor a password that is only to be changed, nor another failure', async () => {
  const { times } = make()
  assert.deepEqual(new Set(await times(50, at('ann'), 'right')), new Set(['right']))
  assert.deepEqual(new Set(await times(50, at('bob'), passwordExpired('bob'))), new Set(['wrong']))
  const other = new Fault({ status: 400, code: 'Odd', message: 'odd' })
  assert.deepEqual(new Set(await times(50, at('cid'), other)), new Set(['Odd']))
})

test('an address that tries many accounts is closed to those that it does not know, and to no others', async () => {
  const { attempt, advance } = make()
  assert.equal(await attempt(at('regular'), 'right'), 'right')
  const seen = []
  for (let n = 0; n < 25; n++) seen.push(await attempt(at(`victim${n}`)))
  assert.deepEqual([seen.filter(one => one === 'wrong').length, seen.at(-1)], [20, 'refused'])
  assert.equal(await attempt(at('newcomer'), 'right'), 'refused')
  assert.equal(await attempt(at('regular'), 'right'), 'right')
  assert.equal(await attempt(at('newcomer', '192.0.2.2'), 'right'), 'right')
  advance(3_000)
  assert.equal(await attempt(at('newcomer'), 'right'), 'right')
})

test('guessing from many addresses closes the account to unknown ones, and not to its owner', async () => {
  const { attempt } = make()
  assert.equal(await attempt(at('ann', '198.51.100.1'), 'right'), 'right')
  const seen = []
  for (let n = 0; n < 30; n++) seen.push(await attempt(at('ann', `203.0.113.${n}`)))
  assert.equal(seen.filter(one => one === 'wrong').length, 25)
  assert.equal(await attempt(at('ann', '203.0.113.99'), 'right'), 'refused')
  assert.equal(await attempt(at('ann', '198.51.100.1'), 'right'), 'right')
})

test('being known at an address does not make guessing there easier', async () => {
  const { attempt, times } = make()
  assert.equal(await attempt(at('ann'), 'right'), 'right')
  assert.deepEqual((await times(6, at('ann'))).at(-1), 'refused')
})

test('whoever has an IPv6 address has its whole network, and IPv4 in IPv6 is IPv4', async () => {
  const { times, attempt } = make()
  await times(5, at('ann', '2001:db8::1'))
  assert.equal(await attempt(at('ann', '2001:db8::ffff:1'), 'right'), 'refused')
  assert.equal(await attempt(at('ann', '2001:db8:0:1::1'), 'right'), 'right')
  await times(5, at('bob', '192.0.2.7'))
  assert.equal(await attempt(at('bob', '::ffff:192.0.2.7'), 'right'), 'refused')
})

test('of passcodes fewer are permitted, but always one', async () => {
  assert.deepEqual(await make(7).times(3, at('ann', undefined, 3)), ['wrong', 'wrong', 'refused'])
  assert.deepEqual(await make(1).times(2, at('ann', undefined, 3)), ['wrong', 'refused'])
})

test('guesses at the same time are no more than those one after the other', async () => {
  const { throttle } = make()
  let tried = 0
  const guesses = Array.from({ length: 40 }, () =>
    throttle
      .attempt(at('ann'), async () => {
        tried++
        await systemRuntime.sleep(1)
        throw loginFailed()
      })
      .catch((thrown: Fault) => thrown.status),
  )
  const statuses = await Promise.all(guesses)
  assert.equal(tried, 5)
  assert.equal(statuses.filter(one => one === 429).length, 35)
})

test('many right logins at the same time all succeed, those beyond the limit after the first', async () => {
  const { throttle } = make()
  let running = 0
  let most = 0
  const logins = Array.from({ length: 40 }, () =>
    throttle.attempt(at('ann'), async () => {
      most = Math.max(most, ++running)
      await systemRuntime.sleep(1)
      running--
    }),
  )
  await Promise.all(logins)
  assert.equal(most, 5)
})

test('attempts on one account are made in turn where that is asked for, and those on others beside them', async () => {
  const { throttle } = make(0, 0, true)
  const running = new Map<string, number>()
  let most = 0
  let together = 0
  const attempt = (account: string, address: string) =>
    throttle.attempt(at(account, address), async () => {
      running.set(account, (running.get(account) ?? 0) + 1)
      most = Math.max(most, ...running.values())
      together = Math.max(
        together,
        [...running.values()].reduce((sum, one) => sum + one),
      )
      await systemRuntime.sleep(1)
      running.set(account, running.get(account)! - 1)
    })
  const places = Array.from({ length: 10 }, (_, n) => `192.0.2.${n}`)
  await Promise.all(places.flatMap(place => [attempt('ann', place), attempt('bob', place)]))
  assert.deepEqual([most, together], [1, 2])
})

test('what names no account is no guess', async () => {
  const { times, attempt } = make()
  assert.deepEqual(new Set(await times(50, { accounts: [], address: '192.0.2.1' })), new Set(['wrong']))
  assert.equal(await attempt(at('ann'), 'right'), 'right')
})

test('0 permits any number', async () => {
  const { times } = make(0, 0)
  assert.deepEqual(new Set(await times(300, at('ann'))), new Set(['wrong']))
})

test('it keeps no more than it can, and what is under way is never forgotten', async () => {
  const { throttle, attempt } = make(5, 0)
  let end = () => {}
  const slow = throttle.attempt(at('slow'), () => new Promise<void>(resolve => (end = resolve)))
  for (let n = 0; n < 12_000; n++)
    await attempt(at(`account${n}`, `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`), 'right')
  end()
  await slow
})
