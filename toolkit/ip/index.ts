/**
 * IP addresses and prefixes as numbers. An *address* is its version and its value; a *range* is its first and last value,
 * both included; a *prefix* (CIDR) is a range with a length. Texts come out as RFC 5952 wants them.
 */
import ipaddr from 'ipaddr.js'

export type IpVersion = 4 | 6

export interface Address {
  readonly version: IpVersion
  readonly value: bigint
}

export interface Range {
  readonly first: bigint
  readonly last: bigint
}

export interface Prefix extends Range {
  readonly version: IpVersion
  readonly length: number
}

const bits = (version: IpVersion): number => (version === 4 ? 32 : 128)

/** Undefined when the text is no address: `10.1` and zones (`fe80::1%eth0`) are none. */
export function parseAddress(text: string): Address | undefined {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return { version: 4, value: numberOf(ipaddr.IPv4.parse(text)) }
  if (!text.includes(':') || text.includes('%') || !ipaddr.IPv6.isValid(text)) return undefined
  return { version: 6, value: numberOf(ipaddr.IPv6.parse(text)) }
}

const numberOf = (address: ipaddr.IPv4 | ipaddr.IPv6): bigint =>
  address.toByteArray().reduce((value, byte) => (value << 8n) | BigInt(byte), 0n)

export function formatAddress({ version, value }: Address): string {
  if (version === 4) return [24n, 16n, 8n, 0n].map(shift => (value >> shift) & 255n).join('.')
  const bytes = Array.from({ length: 16 }, (_, at) => Number((value >> BigInt(8 * (15 - at))) & 255n))
  return new ipaddr.IPv6(bytes).toRFC5952String()
}

/** The address written in its one canonical way; undefined when the text is none. */
export function canonicalAddress(text: string): string | undefined {
  const address = parseAddress(text)
  return address && formatAddress(address)
}

/** `10.0.0.7/24` is the prefix 10.0.0.0/24: bits beyond the length count for nothing. Undefined when the text is no prefix. */
export function parsePrefix(text: string): Prefix | undefined {
  const [, head, tail] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? []
  const address = head === undefined ? undefined : parseAddress(head)
  if (!address || Number(tail) > bits(address.version)) return undefined
  return prefixOf(address, Number(tail))
}

/** The prefix of that length in which the address lies. */
export function prefixOf({ version, value }: Address, length: number): Prefix {
  const free = BigInt(bits(version) - length)
  const first = (value >> free) << free
  return { version, length, first, last: first + (1n << free) - 1n }
}

export function formatPrefix({ version, first, length }: Prefix): string {
  return `${formatAddress({ version, value: first })}/${length}`
}

export const holds = (range: Range, value: bigint): boolean => range.first <= value && value <= range.last
export const overlaps = (a: Range, b: Range): boolean => a.first <= b.last && b.first <= a.last
export const encloses = (outer: Range, inner: Range): boolean => outer.first <= inner.first && inner.last <= outer.last
export const sizeOf = ({ first, last }: Range): bigint => last - first + 1n

/** The address that a host with that MAC gives itself in a /64 (RFC 4291, modified EUI-64). */
export function eui64(prefix: Prefix, mac: string): Address {
  const octets = mac.split(':').map(part => Number.parseInt(part, 16))
  const id = [octets[0]! ^ 2, octets[1]!, octets[2]!, 0xff, 0xfe, octets[3]!, octets[4]!, octets[5]!]
  return { version: 6, value: prefix.first + id.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n) }
}
