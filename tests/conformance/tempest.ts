/** Runs Tempest, Debian's, on chosen tests, in a folder of its own. */
import { spawn } from 'node:child_process'
import { createWriteStream, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { collect, type Outcome, type Results } from './outcomes.ts'
import { type Settings, toIni } from './settings.ts'
import { packetsOf } from './subunit.ts'

const PYTHON = '/usr/lib/python3/dist-packages'
/** A test that hangs is ended by its own fixture. */
const TEST_TIMEOUT_SECONDS = 300

/** Debian's programs under Debian's Python: another one, first on somebody's PATH, has no Tempest. No proxy to this machine. */
const environment = (folder: string) => ({
  PATH: '/usr/bin:/bin:/usr/sbin:/sbin',
  HOME: folder,
  LANG: 'C.UTF-8',
  TEMPEST_CONFIG_DIR: folder,
  TEMPEST_CONFIG: 'tempest.conf',
  OS_TEST_TIMEOUT: `${TEST_TIMEOUT_SECONDS}`,
  PYTHON: '/usr/bin/python3',
  PYTHONDONTWRITEBYTECODE: '1',
  // Some plugins name tests in the order of Python's sets: all workers must agree on it.
  PYTHONHASHSEED: '0',
})

/** Resolves to what became of each test; rejects when Tempest could not run at all. */
export async function runTempest(options: {
  readonly folder: string
  readonly settings: Settings
  readonly tests: readonly string[]
  readonly workers: number
  /** Then the run is ended, and what is left did not run. */
  readonly timeoutSeconds: number
  readonly tell: (id: string, outcome: Outcome) => void
}): Promise<Results> {
  const { folder, settings, tests, workers, timeoutSeconds, tell } = options
  if (tests.length === 0) return { outcomes: new Map(), leaks: [] }
  mkdirSync(folder, { recursive: true })
  // It holds the administrator's password.
  writeFileSync(join(folder, 'tempest.conf'), toIni(settings), { mode: 0o600 })
  writeFileSync(join(folder, 'tests.txt'), tests.map(id => `${id}\n`).join(''))
  writeFileSync(
    join(folder, '.stestr.conf'),
    `[DEFAULT]\ntest_path=${PYTHON}/tempest/test_discover\ntop_dir=${PYTHON}\ngroup_regex=([^\\.]*\\.)*\n`,
  )
  const words = ['run', '--subunit', '--load-list', join(folder, 'tests.txt'), '--concurrency', `${workers}`]
  const child = spawn('/usr/bin/tempest', words, {
    cwd: folder,
    env: environment(folder),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  // Its workers too, which are in its process group.
  const end = () => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGTERM')
  }
  const timer = setTimeout(end, timeoutSeconds * 1000)
  // Before whoever removes the cloud, which ends this process, too.
  const interrupted = () => {
    end()
    setImmediate(() => process.exit(130))
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.prependOnceListener(signal, interrupted)
  child.stderr.pipe(createWriteStream(join(folder, 'stderr.txt')))
  const failed = new Promise<never>((_, reject) => child.once('error', reject))
  let packets = 0
  async function* counted() {
    for await (const packet of packetsOf(child.stdout)) {
      packets++
      yield packet
    }
  }
  try {
    const results = await Promise.race([collect({ packets: counted(), chosen: tests, tell }), failed])
    if (packets === 0) throw new Error(`tempest told of no test; see ${join(folder, 'stderr.txt')}`)
    return results
  } finally {
    clearTimeout(timer)
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted)
  }
}
