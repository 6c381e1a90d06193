/** The `Range` header of a download (RFC 9110, section 14): one range of bytes. */
import { badRequest, Fault } from '@strata/toolkit/fault'

export interface ByteRange {
  /** Both included. */
  readonly start: number
  readonly end: number
}

/** Undefined for the whole. Throws a 400 for several ranges, a 416 for one that is malformed or outside of the data. */
export function parseRange(header: string | undefined, size: number): ByteRange | undefined {
  if (header === undefined) return undefined
  if (header.includes(','))
    throw badRequest('Requests with multiple ranges are not supported. Make several requests with one range each.')
  const [, from, to] = /^\s*bytes\s*=\s*(\d{0,15})\s*-\s*(\d{0,15})\s*$/i.exec(header) ?? []
  if (from === undefined || (from === '' && to === '')) throw unsatisfiable('Invalid Range header.', size)
  if (from === '') {
    const length = Math.min(Number(to), size)
    if (length === 0) throw unsatisfiable('Invalid Range header.', size)
    return { start: size - length, end: size - 1 }
  }
  const start = Number(from)
  const end = to === '' ? size - 1 : Math.min(Number(to), size - 1)
  if (start >= size)
    throw unsatisfiable(
      `Invalid start position in Range header. Start position MUST be in the inclusive range [0, ${size - 1}].`,
      size,
    )
  if (to !== '' && Number(to) < start) throw unsatisfiable('Invalid Range header.', size)
  return { start, end }
}

const unsatisfiable = (message: string, size: number): Fault =>
  new Fault({ status: 416, code: 'RangeNotSatisfiable', message, headers: { 'content-range': `bytes */${size}` } })
