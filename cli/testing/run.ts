/** Runs test files with Node's runner, and the unit tests on each database engine. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Refusal, say, warn } from '../print.ts'
import { root } from '../state.ts'
import { add, type Counts, countsOf, NOTHING } from './counts.ts'
import { ENGINE_PACKAGES, isInstalled, type ServerEngine, startServer } from './engines.ts'

/** `rehearsed`: SQLite, with every transaction run and rolled back once before it is run. */
export type TestEngine = 'sqlite' | 'rehearsed' | ServerEngine

const SERVERS: readonly ServerEngine[] = ['postgres', 'mariadb']

/** The engines that `--engine NAME` means. Throws a `Refusal` for a name that means none. */
export function enginesOf(name: string): readonly TestEngine[] {
  if (name === 'all') return ['sqlite', ...SERVERS]
  if (['sqlite', 'rehearsed', ...SERVERS].includes(name)) return [name as TestEngine]
  throw new Refusal(`--engine is sqlite, postgres, mariadb, all or rehearsed; not "${name}"`, 2)
}

/** Runs a program in the checkout with its output on ours; true when it exits 0. */
export function run(command: string, words: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, words, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], env })
    child.once('error', reject)
    child.once('close', code => resolve(code === 0))
  })
}

export interface TestRun {
  readonly files: readonly string[]
  readonly concurrency: number
  readonly timeoutMs: number
  /** Where the tests' databases are, as `testDatabases` of the toolkit reads it; SQLite files unless given. */
  readonly database?: string
}

/** Runs test files with Node's runner, `concurrency` files at a time. */
export async function runTests({ files, concurrency, timeoutMs, database = '' }: TestRun): Promise<Counts> {
  if (files.length === 0) return NOTHING
  const folder = mkdtempSync(join(tmpdir(), 'strata-test-'))
  const report = join(folder, 'counts')
  const words = [
    ...['--disable-warning=ExperimentalWarning', '--test'],
    ...[`--test-concurrency=${concurrency}`, `--test-timeout=${timeoutMs}`],
    ...['--test-reporter=spec', '--test-reporter-destination=stdout'],
    `--test-reporter=${new URL('./reporter.ts', import.meta.url).href}`,
    `--test-reporter-destination=${report}`,
    ...files,
  ]
  try {
    const succeeded = await run(process.execPath, words, { ...process.env, STRATA_TEST_DATABASE: database })
    return countsOf(readFileSync(report, { encoding: 'utf8', flag: 'a+' }), succeeded)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The same files on one engine after another, each with a server of its own. One that is not installed is one test skipped. */
export async function runOnEngines(engines: readonly TestEngine[], tests: Omit<TestRun, 'database'>): Promise<Counts> {
  let counts = NOTHING
  for (const engine of engines) {
    if (engines.length > 1 || engine !== 'sqlite') say(`   on ${engine}`)
    counts = add(counts, await onEngine(engine, tests))
  }
  return counts
}

async function onEngine(engine: TestEngine, tests: Omit<TestRun, 'database'>): Promise<Counts> {
  if (engine === 'sqlite') return runTests(tests)
  if (engine === 'rehearsed') return runTests({ ...tests, database: 'rehearsed' })
  if (tests.files.length === 0) return NOTHING
  if (!isInstalled(engine)) {
    warn(`${engine} is not installed (apt-get install ${ENGINE_PACKAGES.join(' ')}): its tests are skipped`)
    return { ...NOTHING, skipped: 1 }
  }
  const server = await startServer(engine)
  try {
    return await runTests({ ...tests, database: server.url })
  } finally {
    await server.stop()
  }
}
