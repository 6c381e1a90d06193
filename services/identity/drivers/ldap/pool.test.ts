import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { systemRuntime } from '@strata/toolkit/runtime'
import { createPool, PoolBusy } from './pool.ts'

/** Connections that say how many there are. */
function kit(more: { size?: number; keep?: boolean; patience?: number; lifetime?: number } = {}) {
  let ahead = 0
  const open: { id: number; alive: boolean; close(): void }[] = []
  let made = 0
  const pool = createPool({
    ...{ size: 2, lifetime: 1000, patience: 20, keep: true, ...more },
    runtime: { ...systemRuntime, now: () => systemRuntime.now() + ahead },
    async open() {
      const one = {
        id: ++made,
        alive: true,
        close() {
          this.alive = false
          const at = open.indexOf(one)
          if (at >= 0) open.splice(at, 1)
        },
      }
      open.push(one)
      return one
    },
  })
  return {
    pool,
    open,
    made: () => made,
    later: (ms: number) => {
      ahead += ms
    },
  }
}
const idle = async ({ id }: { id: number }) => id

describe('a pool of connections', () => {
  test('uses one again, until it is old or lost', async () => {
    const { pool, open, later } = kit()
    assert.deepEqual([await pool.use(idle), await pool.use(idle)], [1, 1])
    later(2000)
    assert.equal(await pool.use(idle), 2)
    open[0]!.alive = false
    assert.equal(await pool.use(idle), 3)
    pool.close()
    assert.equal(open.filter(one => one.alive).length, 0)
  })

  test('never has more than its size, and lets others wait for so long', async () => {
    const { pool, made } = kit({ patience: 10_000 })
    let most = 0
    let now = 0
    const work = async () => {
      most = Math.max(most, ++now)
      await new Promise(resolve => setImmediate(resolve))
      now--
    }
    await Promise.all(Array.from({ length: 20 }, () => pool.use(work)))
    assert.deepEqual([most, made()], [2, 2])
    const short = kit({ size: 1 })
    const { promise, resolve: end } = Promise.withResolvers<void>()
    const long = short.pool.use(() => promise)
    await assert.rejects(() => short.pool.use(idle), PoolBusy)
    end()
    await long
    assert.equal(await short.pool.use(idle), 1)
  })

  test('closes what failed, and tries again on a new one where the kept one may have been dead', async () => {
    const { pool, open } = kit()
    await pool.use(idle)
    const fails = (times: number) => async (one: { id: number }) => {
      if (times-- > 0) throw new Error('lost')
      return one.id
    }
    assert.equal(await pool.use(fails(1), () => true), 2)
    assert.deepEqual(
      open.map(one => one.id),
      [2],
    )
    await assert.rejects(() => pool.use(fails(2), () => true), /lost/)
    await assert.rejects(() => pool.use(fails(1), () => true), /lost/, 'a new one that fails is no dead one')
    await pool.use(idle)
    await assert.rejects(() => pool.use(fails(1)), /lost/)
    assert.deepEqual(open, [])
  })
})
