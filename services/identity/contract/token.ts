/**
 * Tokens and how they are asked for (`POST /v3/auth/tokens`). A token's *scope* is a project, a domain, the system, or nothing
 * (unscoped). Its *audit ids* are safe to log: its own first, then that of the first token of its chain.
 */
export interface Ref {
  readonly id?: string
  readonly name?: string
}
export interface RefInDomain extends Ref {
  readonly domain?: Ref
}

/** By what an identity provider says of the user, or by a token that was got by that. */
export interface MappedLogin {
  readonly identity_provider?: string
  readonly protocol?: string
  readonly id?: string
}

export interface AuthRequest {
  readonly auth: {
    readonly identity: {
      readonly methods: readonly string[]
      readonly password?: { readonly user: RefInDomain & { readonly password: string } }
      readonly totp?: { readonly user: RefInDomain & { readonly passcode: string } }
      readonly token?: { readonly id: string }
      readonly mapped?: MappedLogin
      readonly saml2?: MappedLogin
      readonly openid?: MappedLogin
      readonly x509?: MappedLogin
      /** Named by its id, or by its name and its user. */
      readonly application_credential?: Ref & { readonly user?: RefInDomain; readonly secret: string }
    }
    readonly scope?:
      | 'unscoped'
      | {
          readonly project?: RefInDomain
          readonly domain?: Ref
          readonly system?: { readonly all?: boolean }
          readonly unscoped?: object
          readonly 'OS-TRUST:trust'?: { readonly id: string }
        }
  }
}

const string = { type: 'string', maxLength: 4096 }
const ref = {
  type: 'object',
  anyOf: [{ required: ['id'] }, { required: ['name'] }],
  properties: { id: string, name: string },
}
const refInDomain = { ...ref, properties: { ...ref.properties, domain: ref } }

const mappedLogin = { type: 'object', properties: { identity_provider: string, protocol: string, id: string } }

export const authSchema = {
  type: 'object',
  required: ['auth'],
  properties: {
    auth: {
      type: 'object',
      required: ['identity'],
      properties: {
        identity: {
          type: 'object',
          required: ['methods'],
          properties: {
            methods: { type: 'array', minItems: 1, items: string },
            password: {
              type: 'object',
              required: ['user'],
              properties: {
                user: {
                  ...refInDomain,
                  required: ['password'],
                  properties: { ...refInDomain.properties, password: string },
                },
              },
            },
            totp: {
              type: 'object',
              required: ['user'],
              properties: {
                user: {
                  ...refInDomain,
                  required: ['passcode'],
                  properties: { ...refInDomain.properties, passcode: string },
                },
              },
            },
            token: { type: 'object', required: ['id'], properties: { id: string } },
            ...Object.fromEntries(['mapped', 'saml2', 'openid', 'x509'].map(method => [method, mappedLogin])),
            application_credential: {
              ...ref,
              required: ['secret'],
              properties: { ...ref.properties, user: refInDomain, secret: string },
            },
          },
        },
        scope: {
          anyOf: [
            { type: 'string', enum: ['unscoped'] },
            {
              type: 'object',
              maxProperties: 1,
              properties: {
                project: refInDomain,
                domain: ref,
                system: { type: 'object', properties: { all: { type: 'boolean' } } },
                unscoped: { type: 'object' },
                'OS-TRUST:trust': { type: 'object', required: ['id'], properties: { id: string } },
              },
            },
          ],
        },
      },
    },
  },
}

interface Named {
  readonly id: string
  readonly name: string
}

export interface CatalogEntry {
  readonly id: string
  readonly type: string
  readonly name: string
  readonly endpoints: readonly {
    readonly id: string
    readonly interface: string
    readonly region: string | null
    readonly region_id: string | null
    readonly url: string
  }[]
}

/** A request for which an application credential may be used. */
export interface AccessRule {
  readonly id: string
  /** Type of the service. */
  readonly service: string
  readonly method: string
  /** `*` and `{name}` stand for one part, `**` for any number. */
  readonly path: string
}

/** Who vouched for a user, and the groups that it is in by that. */
export interface FederatedUser {
  readonly identity_provider: { readonly id: string }
  readonly protocol: { readonly id: string }
  readonly groups: readonly { readonly id: string }[]
}

/** Another cloud, to which users of this one may go. */
export interface ServiceProviderEntry {
  readonly id: string
  readonly auth_url: string
  readonly sp_url: string
}

/** Answer of `POST` and `GET /v3/auth/tokens`. */
export interface TokenBody {
  readonly token: {
    readonly methods: readonly string[]
    readonly user: Named & {
      readonly domain: Named
      readonly password_expires_at?: string | null
      readonly 'OS-FEDERATION'?: FederatedUser
    }
    readonly audit_ids: readonly string[]
    readonly expires_at: string
    readonly issued_at: string
    readonly project?: Named & { readonly domain: Named }
    readonly is_domain?: boolean
    readonly domain?: Named
    readonly system?: { readonly all: true }
    readonly roles?: readonly Named[]
    readonly catalog?: readonly CatalogEntry[]
    readonly service_providers?: readonly ServiceProviderEntry[]
    readonly 'OS-TRUST:trust'?: {
      readonly id: string
      readonly impersonation: boolean
      readonly trustor_user: { readonly id: string }
      readonly trustee_user: { readonly id: string }
    }
    readonly 'OS-OAUTH1'?: { readonly access_token_id: string; readonly consumer_id: string }
    /** Of a token that is good only together with a certificate: the thumbprint of that. */
    readonly oauth2_credential?: { readonly 'x5t#S256': string }
    readonly application_credential?: Named & {
      readonly restricted: boolean
      readonly access_rules?: readonly AccessRule[]
    }
  }
}
