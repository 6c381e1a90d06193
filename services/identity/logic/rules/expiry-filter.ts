/** The filter `password_expires_at=lt:2026-11-20T12:34:56Z` of lists of users; without an operator the time must be the same. */
import { badRequest } from '@strata/toolkit/fault'
import { parseTime } from './times.ts'

const operators = { lt: '<', lte: '<=', gt: '>', gte: '>=', eq: '=', neq: '!=' } as const

export interface ExpiryFilter {
  readonly operator: (typeof operators)[keyof typeof operators]
  /** As `password_expires_at` is kept. */
  readonly time: string
}

/** Throws a 400 for an unknown operator or what is no time. */
export function readExpiryFilter(text: string): ExpiryFilter {
  const [, name = 'eq', given = ''] = /^(?:([a-z]{2,3}):)?(.*)$/.exec(text) ?? []
  if (!Object.hasOwn(operators, name))
    throw badRequest(
      `The given operator ${name} is not valid. It must be one of the following: 'eq', 'neq', 'lt', 'lte', 'gt', or 'gte'.`,
      'ValidationError',
    )
  const time = parseTime(given)
  if (!time)
    throw badRequest(
      'Timestamp not in expected format. The server could not comply with the request since it is either malformed or otherwise incorrect. The client is assumed to be in error.',
      'ValidationError',
    )
  return { operator: operators[name as keyof typeof operators], time: time.text }
}
