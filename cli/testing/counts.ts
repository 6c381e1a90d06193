/** Counts of tests, added up over the runs of `strata test`. */
export interface Counts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

export const NOTHING: Counts = { passed: 0, failed: 0, skipped: 0 }

export function add(one: Counts, other: Counts): Counts {
  return {
    passed: one.passed + other.passed,
    failed: one.failed + other.failed,
    skipped: one.skipped + other.skipped,
  }
}

/** The last line of `strata test`; programs read it, so its form is fixed. */
export function formatCounts({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`
}

/** Counts of one run. A run that ended badly without a failed test (a crash, a kill) is one failure. */
export function countsOf(report: string, succeeded: boolean): Counts {
  const line = report.trim().split('\n').at(-1)
  const counts = line ? (JSON.parse(line) as Counts) : NOTHING
  return succeeded || counts.failed > 0 ? counts : { ...counts, failed: counts.failed + 1 }
}
