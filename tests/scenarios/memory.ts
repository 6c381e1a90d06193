/** Resident memory of a process while something goes on, read from /proc. */
import { readFileSync } from 'node:fs'

/** Bytes of RAM that a process holds now. */
export function residentBytes(pid: number): number {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  if (kibibytes === undefined) throw new Error(`process ${pid} has no memory`)
  return Number(kibibytes) * 1024
}

/** By how many bytes the process grew at most while `work` went on, beyond what it held before. */
export async function growthDuring(pid: number, work: () => Promise<unknown>): Promise<number> {
  const before = residentBytes(pid)
  let most = before
  const look = setInterval(() => {
    most = Math.max(most, residentBytes(pid))
  }, 20)
  try {
    await work()
  } finally {
    clearInterval(look)
  }
  return Math.max(most, residentBytes(pid)) - before
}
