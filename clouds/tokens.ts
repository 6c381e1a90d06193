/** Checking a token as any service does: by asking identity over its API. */
import type { Session } from '@strata/sdk'
import type { Named, TokenInfo } from '@strata/toolkit/context'
import type { AccessRule } from '@strata/toolkit/tokens'

type Scoped = Named & { readonly domain: Named }

interface TokenBody {
  readonly token: {
    readonly user: Scoped
    readonly project?: Scoped
    readonly domain?: Named
    readonly system?: { readonly all?: boolean }
    readonly roles?: readonly Named[]
    readonly methods: readonly string[]
    readonly audit_ids: readonly string[]
    readonly issued_at: string
    readonly expires_at: string
    readonly oauth2_credential?: { readonly 'x5t#S256': string }
    readonly application_credential?: {
      readonly id: string
      readonly restricted: boolean
      readonly access_rules?: readonly AccessRule[]
    }
  }
}

/** What the token says, or undefined when identity does not know it (any more). */
export async function verifyOverApi(session: Session, token: string): Promise<TokenInfo | undefined> {
  const { status, body } = await session.call<TokenBody>({
    service: 'identity',
    method: 'GET',
    path: '/v3/auth/tokens',
    query: { nocatalog: true },
    // Says that access rules are heeded here: without it identity does not vouch for a token that has them.
    headers: { 'x-subject-token': token, 'openstack-identity-access-rules': '1.0' },
    accept: [404],
  })
  if (status === 404) return undefined
  const { user, project, domain, system, roles = [], methods, audit_ids, issued_at, expires_at } = body.token
  const credential = body.token.application_credential
  return {
    user,
    project,
    domain,
    system: system?.all,
    roles,
    methods,
    auditIds: audit_ids,
    issuedAt: issued_at,
    expiresAt: expires_at,
    certificate: body.token.oauth2_credential?.['x5t#S256'],
    ...(credential && {
      applicationCredential: {
        id: credential.id,
        restricted: credential.restricted,
        accessRules: credential.access_rules,
      },
    }),
  }
}
