/** What a run tells: a table by area, each failure with its reason, the reasons of skips, and what a real OpenStack passes. */
import { type Area, areaOf } from './areas.ts'
import type { Outcome, Results } from './outcomes.ts'
import { nameOf } from './selection.ts'

/** A failure that is as it should be; `why` says why. `test` is the name of one, or how several begin. */
export interface KnownFailure {
  readonly test: string
  readonly why: string
}

export interface Totals {
  readonly passed: number
  readonly failed: number
  /** Failures that were known. */
  readonly known: number
  readonly skipped: number
}

export interface Report {
  readonly text: string
  readonly totals: Totals
  /** Nothing failed, or did not run, that was not known to. */
  readonly good: boolean
  /** For programs: outcomes by test id. */
  readonly json: object
}

type Line = readonly [id: string, outcome: Outcome]

const failedOf = (lines: readonly Line[]) =>
  lines.filter(([, { result }]) => result === 'failed' || result === 'not run')

export const knownOf = (id: string, known: readonly KnownFailure[]): KnownFailure | undefined =>
  known.find(({ test }) => nameOf(id) === test || nameOf(id).startsWith(`${test}.`))

function totalsOf(lines: readonly Line[], known: readonly KnownFailure[]): Totals {
  const bad = failedOf(lines)
  const expected = bad.filter(([id]) => knownOf(id, known)).length
  const count = (result: Outcome['result']) => lines.filter(([, outcome]) => outcome.result === result).length
  return { passed: count('passed'), failed: bad.length - expected, known: expected, skipped: count('skipped') }
}

function tableOf(lines: readonly Line[], areas: readonly Area[], known: readonly KnownFailure[]): string[] {
  const row = (cells: readonly (string | number)[]) =>
    `${`${cells[0]}`.padEnd(24)}${cells
      .slice(1)
      .map(cell => `${cell}`.padStart(9))
      .join('')}`
  const rows = areas.flatMap(area => {
    const own = lines.filter(([id]) => areaOf(id) === area)
    if (own.length === 0) return []
    const { passed, failed, known: expected, skipped } = totalsOf(own, known)
    const seconds = own.reduce((sum, [, outcome]) => sum + outcome.seconds, 0)
    return [row([area.name, own.length, passed, failed, expected, skipped, Math.round(seconds)])]
  })
  return [row(['area', 'tests', 'passed', 'failed', 'known', 'skipped', 'seconds']), ...rows]
}

function groupsOf(lines: readonly Line[]): string[] {
  const groups = new Map<string, number>()
  for (const [, { reason }] of lines) groups.set(reason, (groups.get(reason) ?? 0) + 1)
  return [...groups].sort((a, b) => b[1] - a[1]).map(([reason, count]) => `  ${`${count}`.padStart(5)}  ${reason}`)
}

const section = (title: string, lines: readonly string[]): string[] => (lines.length > 0 ? ['', title, ...lines] : [])

function baselineOf(lines: readonly Line[], baseline: readonly string[]): string[] {
  const here = new Set(baseline)
  const shared = lines.filter(([id]) => here.has(id))
  const missing = shared.filter(([, { result }]) => result !== 'passed')
  return [
    '',
    `of ${shared.length} tests that a real OpenStack passes, ${shared.length - missing.length} pass here`,
    // Failures stand above.
    ...missing
      .filter(([, { result }]) => result === 'skipped')
      .map(([id, { reason }]) => `  skipped: ${nameOf(id)}: ${reason}`),
  ]
}

export function report(options: {
  readonly results: Results
  readonly areas: readonly Area[]
  readonly known: readonly KnownFailure[]
  /** Ids that a real OpenStack passes, to compare with; none to leave that out. */
  readonly baseline: readonly string[]
}): Report {
  const { results, areas, known, baseline } = options
  const lines = [...results.outcomes]
  const [bad, skipped] = [failedOf(lines), lines.filter(([, { result }]) => result === 'skipped')]
  const line = ([id, { reason, request }]: Line) => `  ${nameOf(id)}: ${reason}${request ? ` (last: ${request})` : ''}`
  const expected = bad.flatMap(([id]) => {
    const why = knownOf(id, known)?.why
    return why === undefined ? [] : [[id, { result: 'failed', seconds: 0, reason: why }] as const]
  })
  const mended = lines.filter(([id, { result }]) => result === 'passed' && knownOf(id, known))
  const totals = totalsOf(lines, known)
  const text = [
    ...tableOf(lines, areas, known),
    ...section('failed:', bad.filter(([id]) => !knownOf(id, known)).map(line)),
    ...section('failed, as known-failures.yaml explains:', groupsOf(expected)),
    ...section(
      'in known-failures.yaml, and passed:',
      mended.map(([id]) => `  ${nameOf(id)}`),
    ),
    ...section('skipped:', groupsOf(skipped)),
    ...section(
      'left something behind:',
      results.leaks.map(leak => `  ${leak}`),
    ),
    ...(baseline.length > 0 ? baselineOf(lines, baseline) : []),
  ].join('\n')
  return { text, totals, good: totals.failed === 0, json: { totals, outcomes: Object.fromEntries(results.outcomes) } }
}
