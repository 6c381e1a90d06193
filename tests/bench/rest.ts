/** What processes take while nothing is asked of them. */
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { residentBytes } from '../scenarios/memory.ts'

const TICKS_PER_SECOND = 100

/** Seconds of processor time that a process has used, its children apart. See proc(5). */
function processorSeconds(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

export interface Rest {
  readonly bytes: number
  /** Share of one core. */
  readonly processor: number
}

/** Looks at processes for `seconds`, after as many in which they come to rest; memory is what they hold at the end. */
export async function atRest(pids: readonly number[], seconds: number): Promise<readonly Rest[]> {
  await sleep(seconds * 1000)
  const before = pids.map(processorSeconds)
  const start = performance.now()
  await sleep(seconds * 1000)
  const passed = (performance.now() - start) / 1000
  return pids.map((pid, at) => ({
    bytes: residentBytes(pid),
    processor: (processorSeconds(pid) - before[at]!) / passed,
  }))
}
