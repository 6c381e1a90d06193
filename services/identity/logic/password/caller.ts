/** From where a request comes, for counting guesses and taking turns; never for believing anything. */
import { holds, parseAddress, parsePrefix } from '@strata/toolkit/ip'
import type { IdentityConfig } from '../../contract/config.ts'

export interface Sent {
  /** As they were sent; names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** IP address of the peer. */
  readonly clientAddress: string
}

/** The address that the nearest of our own proxies saw; what stands before it in the header, anybody may have written. */
export function callerAddress(config: Pick<IdentityConfig, 'reverse_proxies'>, sent: Sent): string {
  if (config.reverse_proxies.length === 0) return sent.clientAddress
  const forwarded = [sent.headers['x-forwarded-for'] ?? []].flat().flatMap(text => text.split(','))
  const way = [sent.clientAddress, ...forwarded.map(one => one.trim()).reverse()]
  const stranger = way.findIndex(one => !config.reverse_proxies.some(range => lies(one, range)))
  return way[stranger] ?? way.at(-1)!
}

function lies(address: string, range: string): boolean {
  const parsed = parseAddress(address.replace(/^::ffff:(?=\d+\.)/i, ''))
  const prefix = parsePrefix(range.includes('/') ? range : `${range}/${range.includes(':') ? 128 : 32}`)
  return parsed !== undefined && prefix?.version === parsed.version && holds(prefix, parsed.value)
}
