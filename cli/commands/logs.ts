/** `strata logs [NAME]`: the end of a log of the state folder (`strata` when not named); `--follow` goes on printing. */
import { createReadStream, existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Refusal, say } from '../print.ts'
import type { State } from '../state.ts'
import { lastLines } from '../tail.ts'

export async function logs(options: { state: State; name: string; lines: number; follow: boolean }): Promise<void> {
  const { state, name, lines, follow } = options
  const names = existsSync(state.log) ? readdirSync(state.log).filter(one => one.endsWith('.log')) : []
  if (!names.includes(`${name}.log`)) {
    const known = names.map(one => one.slice(0, -4)).join(', ')
    throw new Refusal(known ? `no log called ${name}; there are: ${known}` : `no logs in ${state.log} yet`)
  }
  const file = join(state.log, `${name}.log`)
  for (const line of lastLines(file, lines)) say(line)
  if (follow) await followFile(file)
}

/** Prints what is appended, for ever; a file that got shorter was turned, and is read from its start. */
async function followFile(file: string): Promise<never> {
  let at = statSync(file).size
  for (;;) {
    await sleep(300)
    const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0
    if (size < at) at = 0
    if (size === at) continue
    for await (const chunk of createReadStream(file, { start: at, end: size - 1 })) process.stdout.write(chunk)
    at = size
  }
}
