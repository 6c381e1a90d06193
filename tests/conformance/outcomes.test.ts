import assert from 'node:assert/strict'
import { test } from 'node:test'
import { collect, lastRequestOf, reasonOfTraceback } from './outcomes.ts'
import type { Packet } from './subunit.ts'

const traceback = `Traceback (most recent call last):
  File "a.py", line 1, in x
    y()
tempest.lib.exceptions.NotFound: Object not found
Details: no such thing`

const file = (test: string, name: string, content: string): Packet => ({
  test,
  file: { name, content: Buffer.from(content) },
})

async function outcomes(chosen: readonly string[], packets: readonly Packet[]) {
  const stream = (async function* () {
    yield* packets
  })()
  return collect({ packets: stream, chosen, tell: () => {} })
}

test('the reason of a failure is its exception, in one line and without its module', () => {
  assert.equal(reasonOfTraceback(traceback), 'NotFound: Object not found Details: no such thing')
  const chained = `${traceback}\n\nDuring handling of the above exception, another exception occurred:\n\n${traceback.replace('NotFound', 'Conflict')}`
  assert.match(reasonOfTraceback(chained), /^Conflict: /)
})

test('the last request is found in the log', () => {
  const log =
    'Request (A:test_a): 201 POST http://127.0.0.1:5000/identity/v3/users 0.1s\n...\nRequest (A:test_a): 404 GET http://127.0.0.1:5000/identity/v3/users/1 0.012s\n'
  assert.equal(lastRequestOf(log), '404 GET /identity/v3/users/1')
  assert.equal(lastRequestOf('nothing'), undefined)
})

test('each chosen test has an outcome, with its time and reason', async () => {
  const { outcomes: found } = await outcomes(
    ['m.C.good', 'm.C.bad', 'm.C.skipped', 'm.C.hung', 'm.C.silent'],
    [
      { test: 'm.C.good', status: 'inprogress', at: 10 },
      { test: 'm.C.good', status: 'success', at: 12 },
      file('m.C.bad', 'traceback', traceback.slice(0, 40)),
      file('m.C.bad', 'traceback', traceback.slice(40)),
      { test: 'm.C.bad', status: 'fail' },
      file('m.C.skipped', 'reason', 'no such feature'),
      { test: 'm.C.skipped', status: 'skip' },
      { test: 'm.C.hung', status: 'inprogress', at: 13 },
    ],
  )
  const told = Object.fromEntries([...found].map(([id, { result, reason }]) => [id, `${result}: ${reason}`]))
  assert.deepEqual(told, {
    'm.C.good': 'passed: ',
    'm.C.bad': 'failed: NotFound: Object not found Details: no such thing',
    'm.C.skipped': 'skipped: no such feature',
    'm.C.hung': 'not run: begun and not ended',
    'm.C.silent': 'not run: nothing was heard of it',
  })
  assert.equal(found.get('m.C.good')!.seconds, 2)
})

test('tests of a class whose fixture fails or skips get its outcome; cleaning up that fails is a leak', async () => {
  const { outcomes: found, leaks } = await outcomes(
    ['m.C.a[id-1]', 'm.D.b[id-2,smoke]', 'n.E.c'],
    [
      file('setUpClass (m.C)', 'traceback', traceback),
      { test: 'setUpClass (m.C)', status: 'fail' },
      file('setUpClass (m.D)', 'reason', 'not enabled'),
      { test: 'setUpClass (m.D)', status: 'skip' },
      file('unittest.loader._FailedTest.n', 'traceback', 'ImportError: Failed to import'),
      { test: 'unittest.loader._FailedTest.n', status: 'fail' },
      file('tearDownClass (m.C)', 'traceback', traceback),
      { test: 'tearDownClass (m.C)', status: 'fail' },
    ],
  )
  assert.match(found.get('m.C.a[id-1]')!.reason, /^setUpClass: NotFound/)
  assert.deepEqual(
    [found.get('m.D.b[id-2,smoke]')!.result, found.get('m.D.b[id-2,smoke]')!.reason],
    ['skipped', 'not enabled'],
  )
  assert.match(found.get('n.E.c')!.reason, /^import: ImportError/)
  assert.equal(leaks.length, 1)
})
