/**
 * Tokens: made, checked, revoked. A token that was checked is remembered under its hash, with its answer already serialized,
 * until something about users, scopes, roles or the catalog changes, or a short time has passed.
 */
import { hash } from 'node:crypto'
import type { TokenInfo } from '@strata/toolkit/context'
import type { Eventual } from '@strata/toolkit/eventual'
import type { Runtime } from '@strata/toolkit/runtime'
import { allEndpoints, allServices, type EndpointRow } from '../../store/catalog.ts'
import { enabledServiceProviders } from '../../store/federation.ts'
import { addRevocation, isRevoked, pruneRevocations } from '../../store/revocation.ts'
import type { Db, IdentityStore } from '../../store/tables.ts'
import type { Directories } from '../directory/directories.ts'
import { filterSource } from '../filter-source.ts'
import type { IsEnabled } from '../password/enabled.ts'
import { type CatalogSource, catalogOf } from '../rules/catalog.ts'
import { type FilterSource, givenEndpoints } from '../rules/endpoint-filter.ts'
import type { TokenPayload } from '../rules/token-payload.ts'
import { bodyOf, infoOf, lookUp, type Surroundings, type TokenFacts } from './describe.ts'
import type { TokenFormat } from './format.ts'

export interface CheckedToken {
  readonly payload: TokenPayload
  readonly info: TokenInfo
  /** The answer, as it is sent. */
  readonly body: Buffer
  readonly bodyWithoutCatalog: Buffer
}

export interface IssuedToken extends CheckedToken {
  readonly text: string
}

export interface Revocation {
  readonly auditId?: string
  /** The token of that audit id, and all that were made from it. */
  readonly auditChainId?: string
  readonly userId?: string
  readonly projectId?: string
  readonly domainId?: string
  readonly trustId?: string
  readonly consumerId?: string
  readonly accessTokenId?: string
}

export interface Tokens {
  /** Undefined when the user may not have such a token. */
  issue(
    about: Pick<TokenPayload, 'userId' | 'scope' | 'methods' | 'issuedAt' | 'delegation' | 'federation'> & {
      /** The token it is made from: it ends when that one does, and continues its chain. */
      readonly from?: TokenPayload
      /** Milliseconds since 1970: it ends then at the latest. */
      readonly notAfter?: number
    },
  ): Promise<IssuedToken | undefined>
  /** Undefined when it is not valid. `expiredFor`: milliseconds for which its end is overlooked. */
  check(text: string, expiredFor?: number): Eventual<CheckedToken | undefined>
  /** Tokens issued until now that match all that is named become invalid. The caller announces the change. */
  revoke(db: Db, what: Revocation): Promise<void>
  /** Forgets what was checked. */
  forget(): void
}

export function createTokens(options: {
  readonly store: IdentityStore
  readonly directories: Pick<Directories, 'refresh'>
  readonly runtime: Runtime
  readonly format: TokenFormat
  readonly isEnabled: IsEnabled
  /** Milliseconds. */
  readonly lifetime: number
  readonly allowExpired: number
  readonly cacheFor: number
  /** Minutes for which memberships hold that an identity provider vouched for, where it does not say itself. */
  readonly membershipsFor: number
}): Tokens {
  const { store, runtime, format, lifetime } = options
  const cache = tokenCache({ runtime, keep: options.cacheFor, make: text => validate(text, 0) })
  let catalog: ReturnType<typeof readCatalog> | undefined
  const loadCatalog = () => {
    catalog ??= readCatalog(store.db).catch(thrown => {
      catalog = undefined
      throw thrown
    })
    return catalog
  }
  const standards = () => ({
    isEnabled: options.isEnabled,
    validity: { now: runtime.now(), defaultTtl: options.membershipsFor },
  })
  const known = async (payload: TokenPayload) => {
    const refresh = (id: string) => options.directories.refresh('user', id)
    await refresh(payload.userId)
    const facts = await lookUp(store.db, payload, standards())
    // Users of a directory may also be behind what was delegated.
    const others = await Promise.all((facts?.delegation?.others ?? []).map(refresh))
    return others.every(one => one === 'own') ? facts : lookUp(store.db, payload, standards())
  }
  const complete = async (facts: TokenFacts): Promise<CheckedToken> => {
    const { payload, project } = facts
    const catalog = await loadCatalog()
    const endpoints = (project && givenEndpoints(catalog, project.id)) ?? catalog.endpoints
    const entries = catalogOf({ ...catalog, endpoints }, { userId: payload.userId, projectId: project?.id })
    return {
      payload,
      info: infoOf(facts),
      body: Buffer.from(JSON.stringify(bodyOf(facts, { ...catalog, entries }))),
      bodyWithoutCatalog: Buffer.from(JSON.stringify(bodyOf(facts, catalog))),
    }
  }
  const validate = async (text: string, expiredFor: number): Promise<CheckedToken | undefined> => {
    const payload = format.open(text)
    if (!payload || payload.expiresAt + expiredFor <= runtime.now()) return undefined
    const facts = await known(payload)
    if (!facts || (await isRevoked(store.db, revocable(facts)))) return undefined
    return complete(facts)
  }
  return {
    async issue({
      userId,
      scope,
      methods,
      issuedAt,
      delegation,
      federation,
      from,
      notAfter = Number.POSITIVE_INFINITY,
    }) {
      const own = Buffer.from(runtime.bytes(16)).toString('base64url')
      const chain = from?.auditIds.at(-1)
      const payload: TokenPayload = {
        userId,
        scope,
        methods,
        issuedAt,
        expiresAt: Math.min(from?.expiresAt ?? issuedAt + lifetime, notAfter),
        auditIds: chain === undefined ? [own] : [own, chain],
        ...(delegation && { delegation }),
        ...(federation && { federation }),
      }
      const facts = await known(payload)
      if (!facts) return undefined
      return { text: format.seal(payload), ...(await complete(facts)) }
    },
    check: (text, expiredFor = 0) => (expiredFor > 0 ? validate(text, expiredFor) : cache.get(text)),
    async revoke(db, what) {
      const now = runtime.now()
      await pruneRevocations(db, now)
      await addRevocation(db, {
        id: runtime.uuid(),
        audit_id: what.auditId ?? null,
        audit_chain_id: what.auditChainId ?? null,
        user_id: what.userId ?? null,
        project_id: what.projectId ?? null,
        domain_id: what.domainId ?? null,
        trust_id: what.trustId ?? null,
        consumer_id: what.consumerId ?? null,
        access_token_id: what.accessTokenId ?? null,
        issued_before: now,
        expires_at: now + lifetime + options.allowExpired,
      })
    },
    forget() {
      catalog = undefined
      cache.clear()
    },
  }
}

async function readCatalog(db: Db): Promise<CatalogSource & FilterSource<EndpointRow> & Surroundings> {
  return {
    services: await allServices(db),
    serviceProviders: await enabledServiceProviders(db),
    ...(await filterSource(db, await allEndpoints(db))),
  }
}

function revocable({ payload, user, project, domain, delegation }: TokenFacts) {
  const domains = [user.domain_id, project?.domain.id, domain?.id]
  return {
    auditId: payload.auditIds[0]!,
    chainId: payload.auditIds.at(-1)!,
    userIds: [user.id, ...(delegation?.others ?? [])],
    projectId: project?.id,
    domainIds: [...new Set(domains.filter(id => id !== undefined))],
    issuedAt: payload.issuedAt,
  }
}

interface Cache {
  /** What is known of the token, or what is found out. */
  get(text: string): Eventual<CheckedToken | undefined>
  clear(): void
}

function tokenCache(options: {
  readonly runtime: Runtime
  /** Milliseconds. */
  readonly keep: number
  readonly make: (text: string) => Promise<CheckedToken | undefined>
}): Cache {
  const { runtime, keep, make } = options
  const capacity = 10_000
  let entries = new Map<string, { readonly token: CheckedToken; readonly until: number }>()
  let generation = 0
  const remember = async (key: string, text: string) => {
    const asked = generation
    const token = await make(text)
    // What was looked up while something changed may be of before the change: it serves this request only.
    if (!token || asked !== generation) return token
    if (entries.size >= capacity) entries.delete(entries.keys().next().value!)
    entries.set(key, { token, until: Math.min(runtime.now() + keep, token.payload.expiresAt) })
    return token
  }
  return {
    get(text) {
      // Kept by their hash, so that a dump of the memory shows no token.
      const key = hash('sha256', text, 'base64')
      const known = entries.get(key)
      return known && known.until > runtime.now() ? known.token : remember(key, text)
    },
    clear() {
      generation++
      entries = new Map()
    },
  }
}
