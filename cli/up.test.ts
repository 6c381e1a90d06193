/** The life of a cloud as the operator sees it, with a server process of its own that is only a `/healthz`. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, mock, test } from 'node:test'
import { parse } from 'yaml'
import { down } from './commands/down.ts'
import { purge } from './commands/purge.ts'
import { collectStatus, formatStatus } from './commands/status.ts'
import { up } from './commands/up.ts'
import { takeLock } from './lock.ts'
import { Refusal } from './print.ts'
import { isAlive, terminate, waitUntil } from './process.ts'
import { readServer, type State, stateAt } from './state.ts'
import { fakeClouds } from './testing/fake-cloud.ts'

let home: string
let state: State
let printed: string[]
const realHome = process.env['HOME']
const load = async () => fakeClouds
const serverCommand = [process.execPath, join(import.meta.dirname, 'testing', 'fake-cloud.ts')]

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'strata-up-'))
  process.env['HOME'] = home
  state = stateAt(join(home, 'state'))
  printed = []
  const { write } = process.stdout
  // The runner reports over stdout too, in frames of its own: only our lines are kept back.
  mock.method(process.stdout, 'write', (chunk: string | Uint8Array, ...rest: []) =>
    typeof chunk === 'string' ? printed.push(chunk) > 0 : write.call(process.stdout, chunk, ...rest),
  )
})
afterEach(async () => {
  mock.restoreAll()
  const server = readServer(state)
  if (server) await terminate(server, 100)
  process.env['HOME'] = realHome
  rmSync(home, { recursive: true })
})

const start = (more: Partial<Parameters<typeof up>[0]> = {}) =>
  up({ state, simulated: true, foreground: false, port: 0, serverCommand, readyTimeoutMs: 20_000, ...more })

const userClouds = () => join(home, '.config', 'openstack', 'clouds.yaml')

describe('a cloud', () => {
  test('comes up, says so again, goes down, comes up and is purged', async () => {
    await start()
    const first = readServer(state)!
    assert.ok(isAlive(first))
    assert.match(printed.join(''), /The cloud is ready \(simulated\): http:\/\/127\.0\.0\.1:\d+/)
    assert.equal(parse(readFileSync(userClouds(), 'utf8')).clouds.strata.auth.auth_url, `${first.url}/identity/v3`)

    await start()
    assert.equal(readServer(state)!.pid, first.pid)
    assert.match(printed.join(''), /up already/)

    const report = await collectStatus(state)
    assert.equal(report.status, 'ready')
    assert.equal(report.process?.pid, first.pid)
    assert.match(formatStatus(report), /identity +ready/)

    await down({ state, all: false, load })
    assert.ok(!isAlive(first))
    assert.equal((await collectStatus(state)).status, 'down')
    await down({ state, all: true, load })

    await start()
    const second = readServer(state)!
    await purge({ state, load })
    assert.ok(!isAlive(second))
    assert.equal(existsSync(state.folder), false)
    assert.equal(existsSync(userClouds()), false)
  })

  test('does not touch a clouds.yaml that it cannot read, and says so', async () => {
    mkdirSync(join(home, '.config', 'openstack'), { recursive: true })
    writeFileSync(userClouds(), 'clouds: [')
    await start()
    assert.match(printed.join(''), /clouds\.yaml was left alone: it is not YAML/)
    assert.equal(readFileSync(userClouds(), 'utf8'), 'clouds: [')
  })

  test('of a killed server comes up again', async () => {
    await start()
    const first = readServer(state)!
    process.kill(first.pid, 'SIGKILL')
    await terminate(first, 0)
    assert.equal((await collectStatus(state)).status, 'down')
    await start()
    assert.notEqual(readServer(state)!.pid, first.pid)
  })

  test('in the foreground ends with its terminal, and can be taken down from another', async () => {
    const words = ['up', '--foreground', '--state', state.folder, '--port', '0']
    for (const end of ['SIGINT', 'down']) {
      const child = spawn(serverCommand[0]!, [...serverCommand.slice(1), ...words], { stdio: 'ignore' })
      const ended = once(child, 'exit')
      assert.ok(await waitUntil(async () => (await collectStatus(state)).status === 'ready', 20_000))
      if (end === 'down') await down({ state, all: false, load })
      else child.kill(end as NodeJS.Signals)
      assert.deepEqual(await ended, [0, null])
      assert.equal((await collectStatus(state)).status, 'down')
    }
  })

  test('started twice at once is one cloud', async () => {
    await start()
    const { pid } = readServer(state)!
    await assert.rejects(
      import('./commands/serve.ts').then(({ serve }) => serve({ state, mode: 'simulated', load })),
      /another server works on/,
    )
    assert.equal(readServer(state)!.pid, pid)
  })
})

describe('a start that fails', () => {
  const failure = async (configFile: string) => {
    let caught: unknown
    await start({ configFile: join(home, configFile) }).catch((error: unknown) => {
      caught = error
    })
    assert.ok(caught instanceof Refusal)
    return caught.message
  }

  test('for a reason that the operator can mend says that alone', async () => {
    assert.match(await failure('broken.yaml'), /^the cloud did not start: .*broken\.yaml: "porrt" is no option$/)
  })

  test("relays the server's reason and its log", async () => {
    const message = await failure('unlucky.yaml')
    assert.match(message, /did not start: the bridge fell into the river/)
    assert.match(message, /the fake cloud was started/)
    assert.equal((await collectStatus(state)).status, 'failed')
    await start()
    assert.equal((await collectStatus(state)).status, 'ready')
  })

  test('is noticed when the server dies without a word', async () => {
    assert.match(await failure('dying.yaml'), /the server ended while it was starting/)
  })
})

describe('a state that another command removes', () => {
  test('is waited for by a second purge, which then says so in a sentence', async () => {
    await start()
    // Waiting for a lock stops the thread: the second purge has a process of its own.
    let second: Promise<{ code: number; stderr: string }> | undefined
    const removeDataPlane = async () => {
      const main = join(import.meta.dirname, 'main.ts')
      const child = spawn(process.execPath, [main, 'purge', '--state', state.folder], {
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      second = Promise.all([once(child, 'exit'), text(child.stderr)]).then(([[code], stderr]) => ({ code, stderr }))
      const lockIsOpen = () =>
        readdirSync(`/proc/${child.pid}/fd`).some(fd => linkOf(`/proc/${child.pid}/fd/${fd}`) === state.commandLock)
      assert.ok(await waitUntil(lockIsOpen, 20_000))
    }
    await purge({ state, load: async () => ({ ...fakeClouds, removeDataPlane }) })
    const { code, stderr } = await second!
    assert.equal(code, 1)
    assert.equal(stderr, `strata: another strata command has just removed ${state.folder}\n`)
    assert.equal(existsSync(state.folder), false)
  })

  test('half can be purged again', async () => {
    await start()
    const load = async () => ({ ...fakeClouds, removeDataPlane: () => Promise.reject(new Error('power cut')) })
    await assert.rejects(purge({ state, load }), /power cut/)
    rmSync(state.cloudsFile)
    rmSync(state.settingsFile)
    await purge({ state, load: async () => fakeClouds })
    assert.equal(existsSync(state.folder), false)
  })

  test('is not made anew by down', async () => {
    await down({ state, all: true, load })
    await purge({ state, load })
    assert.equal(existsSync(state.folder), false)
  })

  test('cannot be locked where the folder is no folder: a sentence, not a stack', () => {
    assert.throws(
      () => takeLock(join(home, 'gone', 'run', 'command.lock'), 0),
      /^Error: another strata .* removed \S+gone$/,
    )
    writeFileSync(join(home, 'a.lock'), 'no database at all, and long enough to be told from one')
    assert.throws(() => takeLock(join(home, 'a.lock'), 0), /a\.lock cannot be locked: file is not a database/)
  })
})

const linkOf = (file: string): string | undefined => {
  try {
    return readlinkSync(file)
  } catch {
    return undefined
  }
}

test('purge removes no folder that is no state', async () => {
  await assert.rejects(purge({ state: stateAt(home), load }), /will not be removed/)
  await assert.rejects(purge({ state: stateAt('/'), load }), /will not be removed/)
  const other = mkdtempSync(join(home, 'other-'))
  mkdirSync(join(other, 'run'))
  writeFileSync(join(other, 'settings.json'), '{"editor": "vi"}')
  await assert.rejects(purge({ state: stateAt(other), load }), /does not look like the state/)
  assert.ok(existsSync(other))
})
