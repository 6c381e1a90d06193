import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { takeLock } from './lock.ts'
import { inspect, isAlive, parseStat, pidFiles, terminate, waitUntil } from './process.ts'

let folder: string
const children: ChildProcess[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'strata-process-'))
})
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  rmSync(folder, { recursive: true })
})

/** A Node process that has run `code` once it prints a line. */
async function start(code: string, ...words: string[]): Promise<number> {
  const script = `${code};console.log('up');setInterval(()=>{},1e6)`
  const child = spawn(process.execPath, ['-e', script, ...words], { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  await once(child.stdout!, 'data')
  return child.pid!
}

test('a process may be called what it likes', () => {
  const rest = `S 1 ${'0 '.repeat(17)}4711 0 99 0`
  assert.deepEqual(parseStat(`12 (a) R (b c) ${rest}`), { state: 'S', startTicks: 4711, rssPages: 99 })
})

describe('a process', () => {
  test('is itself, and not another with its pid', () => {
    const own = inspect(process.pid)!
    assert.ok(isAlive(own))
    assert.ok(!isAlive({ ...own, startTicks: own.startTicks - 1 }))
    assert.ok(own.rss > 2 ** 20 && own.uptimeSeconds > 0 && own.command.length > 0)
    assert.equal(inspect(2 ** 30), undefined)
  })

  test('ends when asked', async () => {
    const id = inspect(await start(''))!
    assert.equal(await terminate(id, 10_000), 'ended')
    assert.ok(!isAlive(id))
  })

  test('is killed when it does not listen', async () => {
    const id = inspect(await start("process.on('SIGTERM',()=>{})"))!
    assert.equal(await terminate(id, 50), 'killed')
    assert.ok(!isAlive(id))
  })
})

test('pid files name our processes, not strangers that were given their pid', async () => {
  mkdirSync(join(folder, 'ovn'))
  writeFileSync(join(folder, 'ovn', 'ours.pid'), `${await start('', folder)}\n`)
  const worker = await start(`process.chdir(${JSON.stringify(join(folder, 'ovn'))})`)
  writeFileSync(join(folder, 'worker.pid'), `${worker}\n`)
  writeFileSync(join(folder, 'stranger.pid'), `${await start('')}\n`)
  writeFileSync(join(folder, 'gone.pid'), '999999999\n')
  writeFileSync(join(folder, 'junk.pid'), 'x')
  const found = pidFiles(folder).map(({ name, process }) => [name, process !== undefined])
  assert.deepEqual(found, [
    ['gone', false],
    ['junk', false],
    ['ovn/ours', true],
    ['stranger', false],
    ['worker', true],
  ])
  assert.deepEqual(pidFiles(join(folder, 'absent')), [])
})

describe('a lock', () => {
  test('has one holder, until released', () => {
    const file = join(folder, 'lock')
    const first = takeLock(file, 0)
    assert.ok(first)
    assert.equal(takeLock(file, 0), undefined)
    first.release()
    first.release()
    const second = takeLock(file, 0)
    assert.ok(second)
    second.release()
  })

  test('is free when its holder was killed', async () => {
    const file = join(folder, 'lock')
    const module = JSON.stringify(new URL('lock.ts', import.meta.url).href)
    const pid = await start(
      `const{takeLock}=await import(${module});globalThis.held=takeLock(${JSON.stringify(file)},0)`,
    )
    assert.equal(takeLock(file, 0), undefined)
    process.kill(pid, 'SIGKILL')
    assert.ok(await waitUntil(() => inspect(pid) === undefined, 5_000))
    const lock = takeLock(file, 0)
    assert.ok(lock)
    lock.release()
  })
})
