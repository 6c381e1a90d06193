/**
 * Tokens for clients of OAuth 2.0 (RFC 6749, section 4.4): for an application credential by its secret, or for a user by a
 * certificate (RFC 8705), to which the token is then bound.
 */
import { loginFailed } from '../contract/errors.ts'
import type { Rule, SchemaVersion } from '../contract/mapping.ts'
import { findMapping } from '../store/federation.ts'
import { findDomain } from '../store/project.ts'
import { findUser, type UserRow } from '../store/user.ts'
import { certificateOf } from './client-certificate.ts'
import type { Parts } from './parts.ts'
import { namesIn, thumbprintOf } from './rules/certificate.ts'
import { applyMapping, type Mapped, MappingFailure } from './rules/mapping/index.ts'
import { authenticate } from './token/authenticate.ts'
import type { Login } from './token/methods/proof.ts'
import type { IssuedToken } from './token/tokens.ts'

type Sent = Pick<Login, 'headers' | 'clientAddress'>

export interface Client {
  readonly id: string
  /** Without it, the certificate that the client showed must do. */
  readonly secret?: string
}

export function oauth2Logic(parts: Parts) {
  const { config, store, tokens, runtime } = parts
  const bySecret = async ({ id, secret }: Client, { headers, clientAddress }: Sent): Promise<IssuedToken> => {
    if (!secret) throw loginFailed()
    const identity = { methods: ['application_credential'], application_credential: { id, secret } }
    const token = await authenticate(parts, { headers, clientAddress, auth: { identity } })
    // The rules of its user may ask for more than one method.
    if ('receipt' in token) throw loginFailed()
    return token
  }
  const byCertificate = async (id: string, certificate: ReturnType<typeof certificateOf>): Promise<IssuedToken> => {
    const issuedAt = runtime.now()
    const user = await findUser(store.db, id)
    if (!certificate || !user?.default_project_id) throw loginFailed()
    const mapping = await findMapping(store.db, config.oauth2_cert_dn_mapping_id)
    const mapped = mapping && mappedUser(mapping, namesIn(certificate))
    if (!mapped || !(await fits(parts, user, mapped))) throw loginFailed()
    const token = await tokens.issue({
      userId: user.id,
      scope: { type: 'project', id: user.default_project_id },
      methods: ['oauth2_credential'],
      issuedAt,
      delegation: { type: 'certificate', id: thumbprintOf(certificate) },
    })
    if (!token) throw loginFailed()
    return token
  }
  return {
    /** Throws `loginFailed()` whatever was wrong. */
    async token(client: Client, sent: Sent): Promise<IssuedToken> {
      const certificate = certificateOf(config, sent)
      const method = certificate ? 'tls_client_auth' : 'client_secret_basic'
      if (!config.oauth2_authn_methods.includes(method)) throw loginFailed()
      return certificate ? byCertificate(client.id, certificate) : bySecret(client, sent)
    },
    /** Seconds until the token ends. */
    secondsLeft: ({ payload }: IssuedToken): number => Math.floor((payload.expiresAt - runtime.now()) / 1000),
  }
}

function mappedUser(
  { rules, schema_version: version }: { readonly rules: string; readonly schema_version: string },
  names: Record<string, readonly string[]>,
): Mapped['user'] | undefined {
  try {
    return applyMapping(JSON.parse(rules) as Rule[], names, version as SchemaVersion).user
  } catch (thrown) {
    if (thrown instanceof MappingFailure) return undefined
    throw thrown
  }
}

/** Whatever the certificate says of the user must be so; and it must say who it is. */
async function fits({ store }: Parts, user: UserRow, said: Mapped['user']): Promise<boolean> {
  const domain = await findDomain(store.db, { id: user.domain_id })
  const { email } = JSON.parse(user.extra ?? '{}') as { email?: unknown }
  const pairs = [
    [said.id, user.id],
    [said.name, user.name],
    [said.email, email],
    [said.domain?.id, user.domain_id],
    [said.domain?.name, domain?.name],
  ]
  return (said.id ?? said.name) !== undefined && pairs.every(([one, other]) => one === undefined || one === other)
}
