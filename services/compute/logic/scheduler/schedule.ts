/** The decision: which hosts may take a server, best first, and what turned the others away. */
import { filters } from './filters.ts'
import type { HostState, ScheduleRequest } from './types.ts'
import { byWeight } from './weighers.ts'

export interface TurnedAway {
  /** A filter's name, or what Placement lacked, in words that follow a number of hosts. */
  readonly by: string
  readonly hosts: readonly string[]
}

export interface Decision {
  readonly hosts: readonly HostState[]
  readonly turnedAway: readonly TurnedAway[]
}

/** `hosts` are those that Placement found room on; each filter sees what the ones before it left. */
export function schedule(hosts: readonly HostState[], request: ScheduleRequest, random: () => number): Decision {
  const turnedAway: TurnedAway[] = []
  let left = hosts
  for (const filter of filters) {
    const kept = left.filter(host => filter.accepts(host, request))
    if (kept.length < left.length)
      turnedAway.push({ by: filter.name, hosts: left.filter(host => !kept.includes(host)).map(host => host.hostname) })
    left = kept
  }
  return { hosts: byWeight(left, request, random), turnedAway }
}

/** What one resource looks like over all hosts: for saying why there was no room. */
export interface Room {
  readonly resource: string
  readonly asked: number
  /** Free units by host name. */
  readonly free: ReadonlyMap<string, number>
}

/** Counts each host once, under the first resource that it lacks. */
export function lackOfRoom(rooms: readonly Room[]): readonly TurnedAway[] {
  const blamed = new Set<string>()
  const reasons: TurnedAway[] = []
  for (const { resource, asked, free } of rooms) {
    const short = [...free].filter(([host, units]) => units < asked && !blamed.has(host))
    if (short.length === 0) continue
    for (const [host] of short) blamed.add(host)
    const most = Math.max(...short.map(([, units]) => units))
    reasons.push({
      by: `too little ${resource} (${asked} asked, at most ${Math.max(0, most)} free)`,
      hosts: short.map(([host]) => host),
    })
  }
  return reasons
}

/** The sentence that callers read; its beginning is what clients look for. */
export function noValidHost(total: number, turnedAway: readonly TurnedAway[]): string {
  if (total === 0) return 'No valid host was found. There is no compute host.'
  const words = turnedAway.map(({ by, hosts }) =>
    by.startsWith('too little') ? `${hosts.length} had ${by}` : `${by} turned ${hosts.length} away`,
  )
  return `No valid host was found. Of ${total} ${total === 1 ? 'host' : 'hosts'}, ${words.join(', ') || 'all were taken by others meanwhile'}.`
}
