import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { formatKeys, keys } from './commands/keys.ts'
import { Refusal } from './print.ts'
import { stateAt } from './state.ts'
import { fakeClouds } from './testing/fake-cloud.ts'

describe('strata keys', () => {
  test('a key is shown with its age, and when the next takes its place', () => {
    const now = 1_000_000_000_000
    const ago = (hours: number) => now - hours * 3_600_000
    const text = formatKeys(
      [
        {
          name: 'tokens',
          everyHours: 168,
          keys: [
            { file: '2', state: 'primary', since: ago(2) },
            { file: '0', state: 'staged', since: ago(3) },
          ],
        },
        { name: 'receipts', everyHours: 0, keys: [{ file: '1', state: 'primary', since: ago(0) }] },
        { name: 'credentials', everyHours: 1, keys: [{ file: '1', state: 'primary', since: ago(5) }] },
      ],
      now,
    )
    assert.deepEqual(text.split('\n'), [
      'KEYS         FILE  STATE    SINCE  NEXT CHANGE',
      'tokens       2     primary  2h     in 6d 22h',
      'tokens       0     staged   3h',
      'receipts     1     primary  0s     by hand',
      'credentials  1     primary  5h     within the hour',
    ])
  })

  test('what is changed is what was named, and what makes no sense is refused', async () => {
    const asked: object[] = []
    const load = async () => ({
      ...fakeClouds,
      changeKeys: async (given: object) => {
        asked.push(given)
        return []
      },
    })
    const run = (verb?: string, name?: string) => keys({ state: stateAt('/s'), verb, name, json: false, load })
    await run('rotate')
    await run('rotate', 'jws')
    assert.deepEqual(asked, [{ state: '/s' }, { state: '/s', name: 'jws' }])
    const misused = (thrown: unknown) => thrown instanceof Refusal && thrown.status === 2
    await assert.rejects(run('turn'), misused)
    await assert.rejects(run('status', 'jws'), misused)
  })
})
