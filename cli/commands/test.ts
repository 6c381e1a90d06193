/**
 * `strata test [lint|unit|scenarios|conformance|bench] [-- WORDS]`: everything that says whether the project works. Words choose the
 * test files whose path contains one of them. The last line is `N passed, N failed, N skipped`, alone.
 */
import { spawn } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { dataPlanePackages, installPackages, missingPackages, TEST_PACKAGES } from '../install.ts'
import { duration, Refusal, say, warn } from '../print.ts'
import { root } from '../state.ts'
import { add, type Counts, countsOf, formatCounts, NOTHING } from '../testing/counts.ts'
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

/** Runs a program in the checkout with its output on ours; true when it exits 0. */
function run(command: string, words: readonly string[]): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, words, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
    child.once('error', reject)
    child.once('close', code => resolve(code === 0))
  })
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

/** Runs test files with Node's runner, `concurrency` files at a time. */
export async function runTests(options: {
  files: readonly string[]
  concurrency: number
  timeoutMs: number
}): Promise<Counts> {
  const { files, concurrency, timeoutMs } = options
  if (files.length === 0) return NOTHING
  const folder = mkdtempSync(join(tmpdir(), 'strata-test-'))
  const report = join(folder, 'counts')
  try {
    const succeeded = await run(process.execPath, [
      ...['--disable-warning=ExperimentalWarning', '--test'],
      ...[`--test-concurrency=${concurrency}`, `--test-timeout=${timeoutMs}`],
      ...['--test-reporter=spec', '--test-reporter-destination=stdout'],
      `--test-reporter=${new URL('../testing/reporter.ts', import.meta.url).href}`,
      `--test-reporter-destination=${report}`,
      ...files,
    ])
    return countsOf(readFileSync(report, { encoding: 'utf8', flag: 'a+' }), succeeded)
  } finally {
    rmSync(folder, { recursive: true })
  }
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

/** What scenarios use is installed where we may; where not, they run simulated, and say what they skip. */
async function installTools(): Promise<void> {
  if (process.getuid?.() !== 0) return
  const missing = await missingPackages([...(await dataPlanePackages()), ...TEST_PACKAGES])
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
export async function test(options: { part: string | undefined; words: readonly string[] }): Promise<number> {
  const { part, words } = options
  if (part !== undefined && !PARTS.includes(part as Part)) {
    throw new Refusal(`test takes ${PARTS.join(', ')}; not "${part}"`, 2)
  }
  const byPath = (one: Part) => one !== 'lint' && one !== 'conformance'
  const parts = part ? [part as Part] : DEFAULT_PARTS.filter(one => words.length === 0 || byPath(one))
  const start = performance.now()
  if (parts.includes('scenarios') || parts.includes('bench')) await installTools()
  const work: Record<Part, () => Promise<Counts>> = {
    lint,
    unit: () => runTests({ files: testFiles('unit', words), concurrency: 2, timeoutMs: UNIT_TIMEOUT_MS }),
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
