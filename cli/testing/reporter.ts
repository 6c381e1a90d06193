/** A reporter for `node --test`: writes the counts of a whole run as one line of JSON, for `strata test` to add up. */
import type { Counts } from './counts.ts'

interface Event {
  readonly type: string
  readonly data: {
    readonly file?: string
    readonly counts?: { passed: number; failed: number; cancelled: number; skipped: number; todo: number }
  }
}

export default async function* reportCounts(events: AsyncIterable<Event>): AsyncGenerator<string> {
  for await (const { type, data } of events) {
    // Each file has a summary of its own; the one without a file is the run's.
    if (type !== 'test:summary' || data.file !== undefined || !data.counts) continue
    const { passed, failed, cancelled, skipped, todo } = data.counts
    const counts: Counts = { passed, failed: failed + cancelled, skipped: skipped + todo }
    yield `${JSON.stringify(counts)}\n`
  }
}
