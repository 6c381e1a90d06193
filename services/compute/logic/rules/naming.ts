/** Names, passwords and ids that compute makes up for servers. */
import type { Runtime } from '@strata/toolkit/runtime'

/** `web` for one, `web-1`, `web-2`, … for several. */
export const numberedNames = (name: string, count: number): readonly string[] =>
  count === 1 ? [name] : Array.from({ length: count }, (_, index) => `${name}-${index + 1}`)

/** What is left of a server's name that a host name may have; `Server-<id>` when nothing is. */
export function defaultHostname(name: string, serverId: string): string {
  const clean = name
    .replace(/[\s_.]/g, '-')
    .replace(/[^A-Za-z0-9-]/g, '')
    .toLowerCase()
    .slice(0, 63)
    .replace(/^-+|-+$/g, '')
  return clean === '' ? `Server-${serverId}` : clean
}

/** Letters and digits that are not taken for one another. */
const alphabets = ['23456789', 'ABCDEFGHJKLMNPQRSTUVWXYZ', 'abcdefghijkmnopqrstuvwxyz'] as const
const all = alphabets.join('')

/** Has at least one of each kind when it is long enough. */
export function passwordOf(runtime: Pick<Runtime, 'bytes'>, length: number): string {
  const kinds = [...alphabets, ...Array<string>(Math.max(0, length - alphabets.length)).fill(all)].slice(0, length)
  const picked = kinds.map(kind => pick(runtime, kind))
  for (let at = picked.length - 1; at > 0; at--) {
    const other = index(runtime, at + 1)
    ;[picked[at], picked[other]] = [picked[other]!, picked[at]!]
  }
  return picked.join('')
}

const pick = (runtime: Pick<Runtime, 'bytes'>, kind: string): string => kind[index(runtime, kind.length)]!

/** In [0, size), each as likely: bytes that would favour some are thrown away. */
function index(runtime: Pick<Runtime, 'bytes'>, size: number): number {
  const limit = 256 - (256 % size)
  for (;;) {
    const byte = runtime.bytes(1)[0]!
    if (byte < limit) return byte % size
  }
}

/** `r-` and eight letters or digits: what the servers of one request share. */
export function reservationId(runtime: Pick<Runtime, 'bytes'>): string {
  return `r-${[...runtime.bytes(8)].map(byte => (byte % 36).toString(36)).join('')}`
}
