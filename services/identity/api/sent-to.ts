/** Where a request went, as consumers of OAuth 1.0 sign it. */
import type { ApiRequest } from '@strata/toolkit/service'
import type { SentTo } from '../logic/oauth1/signed.ts'

export const sentTo = ({ baseUrl, path, query }: ApiRequest, form: unknown = {}): SentTo => ({
  baseUrl,
  path,
  parameters: [...pairsOf(query), ...pairsOf(form ?? {})],
})

const pairsOf = (given: object): (readonly [string, string])[] =>
  Object.entries(given as Readonly<Record<string, string | string[] | undefined>>).flatMap(([name, value]) =>
    [value ?? []].flat().map(one => [name, one] as const),
  )
