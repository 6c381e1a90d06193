/** Reading request headers. */
import { badRequest, conflict } from '@strata/toolkit/fault'
import type { ApiRequest } from '@strata/toolkit/service'

/** A header's value; of one that was sent twice the first. */
export function header(request: Pick<ApiRequest, 'headers'>, name: string): string | undefined {
  const value = request.headers[name]
  return Array.isArray(value) ? value[0] : value
}

/** Bytes that the sender says there are; undefined when it does not know. Throws a 400 for what is not a size. */
export function sizeHeader(request: Pick<ApiRequest, 'headers'>, name: string): number | undefined {
  const text = header(request, name)
  if (text === undefined) return undefined
  if (!/^\d{1,15}$/.test(text.trim())) throw badRequest(`The header ${name} must be a number of bytes.`)
  return Number(text)
}

/** Throws a 409 for a store that this cloud does not have. */
export function requireStore(asked: string | undefined, storeId: string): void {
  if (asked !== undefined && asked !== storeId)
    throw conflict(`The selected store ${asked} is not available on this node.`)
}
