/** The certificate by which a caller proved itself to a trusted proxy that ends TLS, and says so in a header. */
import type { X509Certificate } from 'node:crypto'
import type { IdentityConfig } from '../contract/config.ts'
import { comesFromProxy } from './federation/proxy.ts'
import { readCertificate, thumbprintOf } from './rules/certificate.ts'
import type { Login } from './token/methods/proof.ts'

type Sent = Pick<Login, 'headers' | 'clientAddress'>
type Config = Pick<IdentityConfig, 'trusted_proxies' | 'client_certificate_header'>

export function certificateOf(config: Config, { headers, clientAddress }: Sent): X509Certificate | undefined {
  const value = headers[config.client_certificate_header.toLowerCase()]
  if (typeof value !== 'string' || value === '' || !comesFromProxy(config, clientAddress)) return undefined
  return readCertificate(value)
}

/** What a token must be bound to that this caller may use, beside those that are bound to nothing. */
export function callersThumbprint(config: Config, sent: Sent): string | undefined {
  const certificate = certificateOf(config, sent)
  return certificate && thumbprintOf(certificate)
}
