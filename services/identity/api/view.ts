/** Resources as the API shows them, where their list is not a derived one. */
import type { Resource } from '@strata/toolkit/resource'
import type { Fields } from '@strata/toolkit/schema'
import type { ApiRequest } from '@strata/toolkit/service'

/** `{ projects: […], links }` of rows that already are as they are shown. */
export function collection<F extends Fields>(
  resource: Resource<F>,
  rows: readonly object[],
  request: ApiRequest,
): Record<string, unknown> {
  return {
    [resource.plural]: rows.map(row => member(resource, row, request)),
    links: { next: null, self: `${request.baseUrl}${request.path}`, previous: null },
  }
}

/** One of them, with its extra attributes and its link. */
export function member<F extends Fields>(resource: Resource<F>, row: object, request: ApiRequest): object {
  const { extra, ...shown } = row as Readonly<Record<string, unknown>>
  return { ...(extra as object | null), ...shown, links: { self: `${request.baseUrl}${resource.path}/${shown['id']}` } }
}
