/** `strata test` tested: what it counts, and what it makes of runs that end badly. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { testFiles } from './commands/test.ts'
import { add, countsOf, formatCounts, NOTHING } from './testing/counts.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'strata-counts-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

/** Runs test files of this text through `runTests` in a process of its own, as `strata test` does. */
async function counted(...texts: string[]): Promise<unknown> {
  const files = texts.map((text, at) => {
    const file = join(folder, `${at}.test.ts`)
    writeFileSync(file, `import { describe, test } from 'node:test'\n${text}`)
    return file
  })
  const command = JSON.stringify(new URL('testing/run.ts', import.meta.url).href)
  const options = JSON.stringify({ files, concurrency: 2, timeoutMs: 10_000 })
  const script = `const {runTests}=await import(${command});console.log('\\n'+JSON.stringify(await runTests(${options})))`
  // Node's runner refuses to run inside a test of itself, which it knows by this variable.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', script], { env })
  return JSON.parse(stdout.trim().split('\n').at(-1)!)
}

describe('the counts of a run', () => {
  test('tell passed, failed and skipped, over all files', async () => {
    const one = "describe('a', () => { test('b', () => {}); test.skip('c', () => {}) })\ntest.todo('d')\n"
    const two = "test('e', () => { throw new Error('no') })\ntest('f', () => {})\n"
    assert.deepEqual(await counted(one, two), { passed: 2, failed: 1, skipped: 2 })
  })

  test('count a file that cannot be loaded as a failure', async () => {
    assert.deepEqual(await counted("import './absent.ts'\n"), { passed: 0, failed: 1, skipped: 0 })
  })

  test('of no file are nothing', async () => assert.deepEqual(await counted(), NOTHING))

  test('show a runner that died as a failure', () => {
    assert.deepEqual(countsOf('', false), { passed: 0, failed: 1, skipped: 0 })
    assert.deepEqual(countsOf('{"passed":3,"failed":0,"skipped":0}\n', false), { passed: 3, failed: 1, skipped: 0 })
    assert.deepEqual(countsOf('{"passed":3,"failed":2,"skipped":0}\n', false), { passed: 3, failed: 2, skipped: 0 })
    assert.deepEqual(countsOf('{"passed":3,"failed":0,"skipped":1}\n', true), { passed: 3, failed: 0, skipped: 1 })
  })

  test('add up to the last line', () => {
    const total = add({ passed: 1, failed: 2, skipped: 3 }, { passed: 10, failed: 20, skipped: 30 })
    assert.equal(formatCounts(total), '11 passed, 22 failed, 33 skipped')
  })
})

test('test files are chosen by part and by words of their path', () => {
  for (const file of [
    'toolkit/saga/run.test.ts',
    'cli/up.test.ts',
    'node_modules/x/a.test.ts',
    'cli/node_modules/x/a.test.ts',
    'tests/scenarios/boot.test.ts',
    'tests/bench/up.test.ts',
    'tests/conformance/nova.test.ts',
    'cli/up.ts',
  ]) {
    mkdirSync(join(folder, file, '..'), { recursive: true })
    writeFileSync(join(folder, file), '')
  }
  assert.deepEqual(testFiles('scenarios', [], folder), ['tests/scenarios/boot.test.ts'])
  assert.deepEqual(testFiles('unit', [], folder), [
    'cli/up.test.ts',
    'tests/conformance/nova.test.ts',
    'toolkit/saga/run.test.ts',
  ])
  assert.deepEqual(testFiles('unit', ['saga', 'nova'], folder), [
    'tests/conformance/nova.test.ts',
    'toolkit/saga/run.test.ts',
  ])
})
