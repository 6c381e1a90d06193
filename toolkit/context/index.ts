/** Who is asking: what a token proved, and what each layer may ask of it. */
import { forbidden } from '../fault/index.ts'
import type { Log } from '../log/index.ts'
import type { Credentials, Policy, Scope, Target } from '../policy/index.ts'
import type { AccessRule } from '../tokens/access-rules.ts'

export interface Named {
  readonly id: string
  readonly name: string
}

/** What a valid token says (Identity API v3, `GET /v3/auth/tokens`). Times are ISO 8601, UTC. */
export interface TokenInfo {
  readonly user: Named & { readonly domain: Named }
  readonly project?: Named & { readonly domain: Named }
  readonly domain?: Named
  readonly system?: boolean
  readonly roles: readonly Named[]
  readonly methods: readonly string[]
  readonly auditIds: readonly string[]
  readonly issuedAt: string
  readonly expiresAt: string
  /** Of a token that a trustee got by a trust. */
  readonly trust?: { readonly id: string }
  /** Of a token that a consumer got by an access token of OAuth 1.0. */
  readonly accessToken?: { readonly id: string; readonly consumerId: string }
  /** Of a token that is good only in requests that come with this client certificate: its thumbprint. */
  readonly certificate?: string
  /** Of a token got by an application credential. A *restricted* one must not make other credentials. */
  readonly applicationCredential?: {
    readonly id: string
    readonly restricted: boolean
    /** Requests for which alone the token is good; without them, for all. */
    readonly accessRules?: readonly AccessRule[]
  }
}

export interface RequestContext {
  /** `req-` and a UUID, unique to this request. */
  readonly requestId: string
  /** The id under which a caller's caller knows the whole chain of requests. */
  readonly globalRequestId?: string
  /** Absent on the few operations that need no token. */
  readonly token?: TokenInfo
  /** The token as sent; passed on when another service is asked in the caller's name. */
  readonly tokenText?: string
  readonly userId: string
  /** The empty string when the token is not of a project. */
  readonly projectId: string
  readonly domainId: string
  readonly roles: readonly string[]
  readonly scope: Scope | undefined
  readonly credentials: Credentials
  /** Each of its lines carries the request's ids. */
  readonly log: Log
  /** True when the policy has such a rule. */
  knows(rule: string): boolean
  /** True when the rule holds for the caller and the target. */
  can(rule: string, target?: Target): boolean
  /** Throws a 403 naming the rule unless it holds. */
  enforce(rule: string, target?: Target): void
}

export interface ContextInit {
  readonly requestId: string
  readonly globalRequestId?: string
  readonly token?: TokenInfo
  readonly tokenText?: string
  readonly policy: Policy
  readonly log: Log
}

export function createContext(init: ContextInit): RequestContext {
  return new Context(init)
}

class Context implements RequestContext {
  readonly requestId: string
  readonly globalRequestId: string | undefined
  readonly token: TokenInfo | undefined
  readonly tokenText: string | undefined
  readonly userId: string
  readonly projectId: string
  readonly domainId: string
  readonly roles: readonly string[]
  readonly scope: Scope | undefined
  readonly credentials: Credentials
  readonly #policy: Policy
  readonly #base: Log
  #log: Log | undefined = undefined

  constructor(init: ContextInit) {
    const { token } = init
    const credentials = credentialsOf(token)
    this.requestId = init.requestId
    this.globalRequestId = init.globalRequestId
    this.token = token
    this.tokenText = init.tokenText
    this.userId = token?.user.id ?? ''
    this.projectId = token?.project?.id ?? ''
    this.domainId = token?.domain?.id ?? ''
    this.roles = credentials.roles
    this.scope = credentials['scope'] as Scope | undefined
    this.credentials = credentials
    this.#policy = init.policy
    this.#base = init.log
  }

  knows(rule: string): boolean {
    return this.#policy.knows(rule)
  }

  can(rule: string, target?: Target): boolean {
    return this.#policy.allows(rule, this.credentials, target ?? ownTarget(this.token))
  }

  enforce(rule: string, target?: Target): void {
    if (!this.can(rule, target)) throw forbidden(`Policy doesn't allow ${rule} to be performed.`, 'PolicyNotAuthorized')
  }

  /** Made on demand: most requests log nothing of their own. */
  get log(): Log {
    this.#log ??= this.#base.child({ request_id: this.requestId, global_request_id: this.globalRequestId })
    return this.#log
  }
}

const ownTarget = (token: TokenInfo | undefined): Target => ({
  project_id: token?.project?.id,
  user_id: token?.user.id,
  domain_id: token?.domain?.id,
})

const nobody: Credentials = { roles: [] }
const known = new WeakMap<TokenInfo, Credentials>()

/** A token is checked once and then serves many requests; so do the credentials made of it. */
function credentialsOf(token: TokenInfo | undefined): Credentials {
  if (!token) return nobody
  const seen = known.get(token)
  if (seen) return seen
  const made = makeCredentials(token)
  known.set(token, made)
  return made
}

/** Credentials under the names that oslo.policy's rules use. */
function makeCredentials(token: TokenInfo): Credentials {
  const scope: Scope | undefined = token.system
    ? 'system'
    : token.domain
      ? 'domain'
      : token.project
        ? 'project'
        : undefined
  return {
    roles: token.roles.map(role => role.name),
    user_id: token.user.id,
    user_domain_id: token.user.domain.id,
    project_id: token.project?.id,
    tenant: token.project?.id,
    project_domain_id: token.project?.domain.id,
    domain_id: token.domain?.id,
    system_scope: token.system ? 'all' : undefined,
    scope,
    // As the rules of identity name it: `token.project.domain.id`.
    token,
  }
}
