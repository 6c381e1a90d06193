/**
 * Who asks without a token, by a client certificate: a trusted proxy has checked it, and says who issued it and to whom. The
 * issuer is an identity provider, under the SHA-256 of its distinguished name; its mapping makes a user of what is in the
 * certificate. What the user asks for it asks in a project or domain that the request names.
 */
import { createHash } from 'node:crypto'
import { loginFailed } from '../../contract/errors.ts'
import type { TokenlessConfig } from '../../contract/tokenless.ts'
import type { Parts } from '../parts.ts'
import { tokenFor } from '../token/complete.ts'
import type { Login } from '../token/methods/proof.ts'
import type { AskedScope } from '../token/scope.ts'
import type { IssuedToken } from '../token/tokens.ts'
import { federatedLogin } from './login.ts'
import { assertionFromProxy, attributesFrom } from './proxy.ts'

type Sent = Pick<Login, 'headers' | 'clientAddress'>

/** A token for this request alone; it goes nowhere. Throws a 401 when nothing in the request does in the place of one. */
export async function tokenOfCertificate(parts: Parts, config: TokenlessConfig, sent: Sent): Promise<IssuedToken> {
  const [issuer, ...others] = attributesFrom(parts, sent)?.(config.issuer_attribute) ?? []
  if (issuer === undefined || others.length > 0 || !config.trusted_issuer.includes(issuer)) throw loginFailed()
  const scope = scopeIn(sent.headers)
  if (!scope) throw loginFailed()
  const issuedAt = parts.runtime.now()
  const place = { idpId: createHash('sha256').update(issuer).digest('hex'), protocolId: config.protocol }
  const assertion = await assertionFromProxy(parts, { ...place, ...sent })
  const proof = await federatedLogin(parts, { ...place, assertion })
  const auth = { identity: { methods: ['x509'] }, scope }
  const token = await tokenFor(parts, { auth, asked: ['x509'], proofs: [proof], issuedAt })
  // Who must prove more than that it has a certificate cannot do so here.
  if (!('text' in token)) throw loginFailed()
  return token
}

/** `X-Project-Id`, `X-Project-Name` with its domain, `X-Domain-Id` or `X-Domain-Name`. */
function scopeIn(headers: Sent['headers']): AskedScope | undefined {
  const named = (name: string) => {
    const value = headers[name]
    return typeof value === 'string' && value !== '' ? value : undefined
  }
  const ref = (kind: string) => {
    const [id, name] = [named(`${kind}-id`), named(`${kind}-name`)]
    return id !== undefined ? { id } : name !== undefined ? { name } : undefined
  }
  const project = ref('x-project')
  if (project) return { project: { ...project, domain: ref('x-project-domain') } }
  const domain = ref('x-domain')
  return domain && { domain }
}
