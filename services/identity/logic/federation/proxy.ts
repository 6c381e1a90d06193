/**
 * What a reverse proxy says of a user that it logged in (mod_auth_openidc, mod_shib, mod_auth_mellon): in headers that begin in
 * one way (`assertion_prefix`), and that count only when they come from its address (`trusted_proxies`; none by default).
 */
import { holds, parseAddress, parsePrefix } from '@strata/toolkit/ip'
import type { IdentityConfig } from '../../contract/config.ts'
import { loginFailed, missing } from '../../contract/errors.ts'
import type { Assertion, Rule } from '../../contract/mapping.ts'
import { findMapping } from '../../store/federation.ts'
import type { Parts } from '../parts.ts'
import { attributesOf } from '../rules/mapping/index.ts'
import type { Login } from '../token/methods/proof.ts'
import { vouching } from './login.ts'

type Sent = Pick<Login, 'headers' | 'clientAddress'>

/** Values of an attribute; none where the proxy says nothing of it. */
export type Attributes = (name: string) => readonly string[]

export const comesFromProxy = (config: Pick<IdentityConfig, 'trusted_proxies'>, clientAddress: string): boolean =>
  config.trusted_proxies.some(range => lies(clientAddress, range))

/** Undefined when the request does not come from a proxy that is trusted. */
export function attributesFrom(
  { config }: Pick<Parts, 'config'>,
  { headers, clientAddress }: Sent,
): Attributes | undefined {
  if (!comesFromProxy(config, clientAddress)) return undefined
  const prefix = spelled(config.assertion_prefix)
  const sent = new Map(
    Object.entries(headers)
      .filter(([name, value]) => value !== undefined && spelled(name).startsWith(prefix))
      .map(([name, value]) => [spelled(name), values(value!)]),
  )
  return name => {
    const wanted = spelled(name)
    // As servers of old name the headers of a request: HTTP_OIDC_EMAIL.
    const header = wanted.startsWith('http-') ? wanted.slice(5) : wanted
    return sent.get(header) ?? sent.get(prefix + wanted) ?? []
  }
}

/** The assertion as the mapping of that protocol asks for it; throws a 401 unless a trusted proxy sent it. */
export async function assertionFromProxy(
  parts: Parts,
  { idpId, protocolId, ...sent }: Sent & { readonly idpId: string; readonly protocolId: string },
): Promise<Assertion> {
  const attributes = attributesFrom(parts, sent)
  if (!attributes) throw loginFailed()
  const { db } = parts.store
  const { protocol } = await vouching(db, idpId, protocolId)
  const mapping = await findMapping(db, protocol.mapping_id)
  if (!mapping) throw missing('mapping', protocol.mapping_id)
  const names = attributesOf(JSON.parse(mapping.rules) as Rule[])
  const others = ['REMOTE_USER', protocol.remote_id_attribute || parts.config.remote_id_attribute]
  return Object.fromEntries(
    [...names, ...others].map(name => [name, attributes(name)]).filter(([, found]) => found!.length > 0),
  ) as Assertion
}

/** Headers have no case, and some servers write `_` as `-`. */
const spelled = (name: string): string => name.toLowerCase().replaceAll('_', '-')

/** Several values come in one text, apart by semicolons; none is empty. */
function values(value: string | readonly string[]): readonly string[] {
  return [value]
    .flat()
    .flatMap(text => decoded(text).split(';'))
    .filter(text => text !== '')
}

/** Node reads headers as Latin-1; what is UTF-8 was meant as that. */
function decoded(text: string): string {
  const bytes = Buffer.from(text, 'latin1')
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return text
  }
}

function lies(address: string, range: string): boolean {
  const client = parseAddress(address.replace(/^::ffff:(?=\d+\.)/i, ''))
  const whole = parseAddress(range)
  const prefix = parsePrefix(whole ? `${range}/${whole.version === 4 ? 32 : 128}` : range)
  return (
    client !== undefined && prefix !== undefined && client.version === prefix.version && holds(prefix, client.value)
  )
}
