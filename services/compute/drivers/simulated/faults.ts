/**
 * What goes wrong on a simulated host, as data. A *fault* says on which operation, for which servers, how often, and what
 * happens then.
 */
import { GuestBuildError, type GuestSpec } from '../../logic/ports/hosts.ts'

export type Operation = 'spawn' | 'start' | 'stop' | 'reboot' | 'pause' | 'unpause' | 'destroy' | 'attach' | 'detach'

export interface SimulatedFault {
  readonly on: Operation
  /** Only servers that fit all that is given; everyone when nothing is. */
  readonly serverId?: string
  /** A name with `*` for any text: `broken-*`. */
  readonly hostname?: string
  /** Image properties that must have these values. */
  readonly properties?: Readonly<Record<string, string>>
  /** How many times it happens before it heals; for ever when absent. */
  readonly times?: number
  /**
   * `fail`: the operation throws `message`. `delay`: it takes `delayMs` longer. `crash`: it succeeds and the guest dies
   * `delayMs` later. `deaf` (stop, reboot): the guest does not heed its power button.
   */
  readonly effect: 'fail' | 'delay' | 'crash' | 'deaf'
  readonly message?: string
  readonly delayMs?: number
}

export interface Faults {
  /** The faults that happen now, to this guest in this operation; each one that is told of counts as happened. */
  strike(on: Operation, spec: Pick<GuestSpec, 'serverId' | 'hostname' | 'properties'>): readonly SimulatedFault[]
}

export function createFaults(faults: readonly SimulatedFault[]): Faults {
  const happened = new Map<SimulatedFault, number>()
  return {
    strike(on, spec) {
      const struck = faults.filter(fault => {
        const left = (fault.times ?? Number.POSITIVE_INFINITY) - (happened.get(fault) ?? 0)
        return left > 0 && fault.on === on && fits(fault, spec)
      })
      for (const fault of struck) happened.set(fault, (happened.get(fault) ?? 0) + 1)
      return struck
    },
  }
}

function fits(fault: SimulatedFault, spec: Pick<GuestSpec, 'serverId' | 'hostname' | 'properties'>): boolean {
  if (fault.serverId !== undefined && fault.serverId !== spec.serverId) return false
  if (fault.hostname !== undefined && !matches(fault.hostname, spec.hostname)) return false
  return Object.entries(fault.properties ?? {}).every(([name, value]) => spec.properties[name] === value)
}

/** Whether `text` fits a pattern in which `*` stands for any text. */
export function matches(pattern: string, text: string): boolean {
  const [first = '', ...rest] = pattern.split('*')
  if (rest.length === 0) return text === pattern
  const last = rest.pop()!
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length) return false
  let at = first.length
  for (const piece of rest) {
    const found = text.indexOf(piece, at)
    if (found < 0) return false
    at = found + piece.length
  }
  return at <= text.length - last.length
}

/** The error that a failing operation throws. */
export function failureOf(struck: readonly SimulatedFault[], on: Operation): Error | undefined {
  const failing = struck.find(fault => fault.effect === 'fail')
  if (!failing) return undefined
  const message = failing.message ?? `The simulated host failed to ${on} the guest.`
  return on === 'spawn' || on === 'start' || on === 'reboot' ? new GuestBuildError(message) : new Error(message)
}
