/** Times that callers give: ISO 8601, UTC unless they say otherwise. */
import { isoTime } from '@strata/toolkit/runtime'

const pattern = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)?$/

export interface GivenTime {
  /** Milliseconds since 1970. */
  readonly at: number
  /** `2026-11-20T12:34:56.789012`, UTC, to the microsecond. */
  readonly text: string
}

/** Undefined when the text is no time. */
export function parseTime(given: string): GivenTime | undefined {
  const [, seconds, fraction = '', zone = 'Z'] = pattern.exec(given) ?? []
  if (seconds === undefined) return undefined
  const whole = Date.parse(`${seconds}${zone}`)
  if (Number.isNaN(whole)) return undefined
  const micro = fraction.padEnd(6, '0').slice(0, 6)
  return { at: whole + Number(micro.slice(0, 3)), text: `${isoTime(whole).slice(0, 19)}.${micro}` }
}
