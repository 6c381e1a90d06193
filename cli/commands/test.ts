/**
 * `strata test [lint|unit|scenarios|conformance|bench] [--engine NAME] [-- WORDS]`: everything that says whether the project works.
 * Words choose the test files whose path contains one of them. The last line is `N passed, N failed, N skipped`, alone.
 */
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { dataPlanePackages, installPackages, missingPackages, TEST_PACKAGES } from '../install.ts'
import { duration, Refusal, say, warn } from '../print.ts'
import { root } from '../state.ts'
import { add, type Counts, formatCounts, NOTHING } from '../testing/counts.ts'
import { ENGINE_PACKAGES } from '../testing/engines.ts'
import { enginesOf, run, runOnEngines, runTests } from '../testing/run.ts'
import { conformance, NO_TEMPEST } from './conformance.ts'

type Part = 'lint' | 'unit' | 'scenarios' | 'conformance' | 'bench'
const PARTS: readonly Part[] = ['lint', 'unit', 'scenarios', 'conformance', 'bench']
/** Benchmarks are figures to read, not tests to pass: they run when asked for. */
const DEFAULT_PARTS: readonly Part[] = ['lint', 'unit', 'scenarios', 'conformance']

const UNIT_TIMEOUT_MS = 120_000
const SCENARIO_TIMEOUT_MS = 900_000
const SMOKE_TIMEOUT_SECONDS = 1200

/** Chosen test files of a part, sorted. */
export function testFiles(part: 'unit' | 'scenarios', words: readonly string[], cwd = root): string[] {
  const scenarios = (file: string) => file.startsWith('tests/scenarios/')
  return globSync('{toolkit,sdk,services,clouds,cli,tools,tests}/**/*.test.ts', {
    cwd,
    exclude: name => name === 'node_modules',
  })
    .filter(file => scenarios(file) === (part === 'scenarios') && !file.startsWith('tests/bench/'))
    .filter(file => words.length === 0 || words.some(word => file.includes(word)))
    .sort()
}

/** Types, style, layers, dead code: each counts as one test. */
async function lint(): Promise<Counts> {
  const tool = (name: string) => join(root, 'node_modules', '.bin', name)
  // tsc and knip are Node programs, and the machine's own Node may be another: ours runs them.
  const checks: [string, string, string[]][] = [
    ['types', process.execPath, [tool('tsc'), '--noEmit']],
    ['style', process.execPath, [tool('biome'), 'check', '.']],
    ['layers', process.execPath, [join('tools', 'lint', 'layers.ts')]],
    ['dead code', process.execPath, [tool('knip')]],
  ]
  let counts = NOTHING
  for (const [name, command, words] of checks) {
    const passed = await run(command, words)
    say(`${passed ? '✔' : '✖'} ${name}`)
    counts = add(counts, passed ? { ...NOTHING, passed: 1 } : { ...NOTHING, failed: 1 })
  }
  return counts
}

/** Each `tests/bench/*.bench.ts` alone on the machine, printing its own table. */
async function bench(words: readonly string[]): Promise<Counts> {
  let counts = NOTHING
  const files = globSync('tests/bench/**/*.bench.ts', { cwd: root }).sort()
  for (const file of files.filter(one => words.length === 0 || words.some(word => one.includes(word)))) {
    say(`\n${file}`)
    const done = await run(process.execPath, ['--disable-warning=ExperimentalWarning', file])
    counts = add(counts, done ? { ...NOTHING, passed: 1 } : { ...NOTHING, failed: 1 })
  }
  return counts
}

/** OpenStack's smoke tests of all services that there are. Where Tempest cannot be had, that is one test skipped. */
async function smoke(words: readonly string[]): Promise<Counts> {
  const folder = mkdtempSync(join(tmpdir(), 'strata-smoke-'))
  const file = join(folder, 'outcomes.json')
  const timeout = ['--timeout', `${SMOKE_TIMEOUT_SECONDS}`]
  try {
    const status = await conformance(['all', '--smoke', ...timeout, '--json', file, '--', ...words])
    if (status === NO_TEMPEST) return { ...NOTHING, skipped: 1 }
    const { totals } = JSON.parse(readFileSync(file, 'utf8')) as { totals: Counts & { known: number } }
    return { passed: totals.passed, failed: totals.failed, skipped: totals.skipped + totals.known }
  } catch (error) {
    warn(`conformance: ${(error as Error).message}`)
    return { ...NOTHING, failed: 1 }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Of the unit tests, those that say what an engine must do; they run on all engines, the others when asked for. */
const ENGINE_TESTS = /^toolkit\/(store|testing|saga|rehearsal|resource|notifications)\/|\/store\/.*\.test\.ts$/

/** On the engine that was asked for; else all tests on SQLite, and those of engines on the others. */
async function unit(words: readonly string[], engine: string | undefined): Promise<Counts> {
  const files = testFiles('unit', words)
  const tests = { files, concurrency: 2, timeoutMs: UNIT_TIMEOUT_MS }
  if (engine !== undefined) return runOnEngines(enginesOf(engine), tests)
  const ofEngines = { ...tests, files: files.filter(file => ENGINE_TESTS.test(file)) }
  return add(await runTests(tests), await runOnEngines(['postgres', 'mariadb'], ofEngines))
}

/** What tests use is installed where we may; where not, they run simulated, and say what they skip. */
async function installTools(wanted: readonly string[]): Promise<void> {
  if (process.getuid?.() !== 0) return
  const missing = await missingPackages(wanted)
  if (!missing?.length) return
  say(`installing ${missing.join(' ')} …`)
  const folder = mkdtempSync(join(tmpdir(), 'strata-install-'))
  const log = join(folder, 'install.log')
  await installPackages(missing, log).then(
    () => rmSync(folder, { recursive: true }),
    (error: Error) => warn(`${error.message} (see ${log})`),
  )
}

/** Runs the parts that were named (or all but bench). Resolves to the exit status. */
export async function test(options: {
  part: string | undefined
  words: readonly string[]
  /** Of the unit tests: `sqlite`, `postgres`, `mariadb`, `all` or `rehearsed`. */
  engine?: string | undefined
}): Promise<number> {
  const { part, words, engine } = options
  if (part !== undefined && !PARTS.includes(part as Part)) {
    throw new Refusal(`test takes ${PARTS.join(', ')}; not "${part}"`, 2)
  }
  if (engine !== undefined) enginesOf(engine)
  if (engine !== undefined && part !== 'unit') throw new Refusal('--engine goes with "test unit"', 2)
  const byPath = (one: Part) => one !== 'lint' && one !== 'conformance'
  const parts = part ? [part as Part] : DEFAULT_PARTS.filter(one => words.length === 0 || byPath(one))
  const start = performance.now()
  const machines = parts.includes('scenarios') || parts.includes('bench')
  const servers = parts.includes('unit') && engine !== 'sqlite' && engine !== 'rehearsed'
  await installTools([
    ...(machines ? [...(await dataPlanePackages()), ...TEST_PACKAGES] : []),
    ...(servers ? ENGINE_PACKAGES : []),
  ])
  const work: Record<Part, () => Promise<Counts>> = {
    lint,
    unit: () => unit(words, engine),
    // Scenarios share the machine's network and processors: one at a time.
    scenarios: () => runTests({ files: testFiles('scenarios', words), concurrency: 1, timeoutMs: SCENARIO_TIMEOUT_MS }),
    conformance: () => smoke(words),
    bench: () => bench(words),
  }
  let total = NOTHING
  for (const name of parts) {
    say(`── ${name}`)
    const counts = await work[name]()
    say(`   ${name}: ${formatCounts(counts)}`)
    total = add(total, counts)
  }
  say(`took ${duration((performance.now() - start) / 1000)}`)
  const ran = total.passed + total.failed + total.skipped
  if (ran === 0) warn('no test was chosen')
  say(formatCounts(total))
  return total.failed > 0 || ran === 0 ? 1 : 0
}
