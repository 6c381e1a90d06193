/**
 * Tokens: made, checked, revoked. A token that was checked is remembered under its hash, with its answer already serialized,
 * until something about users, scopes, roles or the catalog changes, or a short time has passed.
 */
import { hash } from 'node:crypto'
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
import { parseTime } from '../rules/times.ts'
import type { TokenPayload } from '../rules/token-payload.ts'
import { type CheckedToken, type Stamp, stampOf } from './checked.ts'
import { lookUp, type Surroundings, type TokenFacts } from './describe.ts'
import type { TokenFormat } from './format.ts'

export interface IssuedToken extends CheckedToken {
  readonly text: string
  /** Absent where it rests on more than what this service knows, or on a right that is used up. */
  readonly again?: Renewal
}

export interface Renewal {
  /** Another token of the same kind; nothing is looked up. */
  make(issuedAt: number): IssuedToken
  /** Milliseconds since 1970: then what it rests on ends at the latest. */
  readonly until: number
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
  const refresh = (id: string) => options.directories.refresh('user', id)
  const known = async (payload: TokenPayload) => {
    const own = (await refresh(payload.userId)) === 'own'
    const facts = await lookUp(store.db, payload, standards())
    // Users of a directory may also be behind what was delegated.
    const others = await Promise.all((facts?.delegation?.others ?? []).map(refresh))
    if (others.every(one => one === 'own')) return facts && { facts, own }
    const fresh = await lookUp(store.db, payload, standards())
    return fresh && { facts: fresh, own: false }
  }
  const stampFor = async (facts: TokenFacts): Promise<Stamp> => {
    const { payload, project } = facts
    const catalog = await loadCatalog()
    const endpoints = (project && givenEndpoints(catalog, project.id)) ?? catalog.endpoints
    const entries = () => catalogOf({ ...catalog, endpoints }, { userId: payload.userId, projectId: project?.id })
    return stampOf(facts, { ...catalog, entries })
  }
  const validate = async (text: string, expiredFor: number): Promise<CheckedToken | undefined> => {
    const payload = format.open(text)
    if (!payload || payload.expiresAt + expiredFor <= runtime.now()) return undefined
    const found = await known(payload)
    if (!found || (await isRevoked(store.db, revocable(found.facts)))) return undefined
    return (await stampFor(found.facts))(payload)
  }
  /** `keep`: what services ask about next is then known already. */
  const issued = (stamp: Stamp, payload: TokenPayload, about: { renewal?: Renewal; keep?: Keep }): IssuedToken => {
    const text = format.seal(payload)
    // One of its own, without the answer that the new token makes now: many tokens are never asked about.
    about.keep?.(text, stamp(payload))
    return Object.assign(stamp(payload), { text, again: about.renewal })
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
      const chain = from?.auditIds.at(-1)
      const payloadAt = (at: number): TokenPayload => {
        const own = Buffer.from(runtime.bytes(16)).toString('base64url')
        return {
          userId,
          scope,
          methods,
          issuedAt: at,
          expiresAt: Math.min(from?.expiresAt ?? at + lifetime, notAfter),
          auditIds: chain === undefined ? [own] : [own, chain],
          ...(delegation && { delegation }),
          ...(federation && { federation }),
        }
      }
      const payload = payloadAt(issuedAt)
      const keep = cache.keeper()
      const found = await known(payload)
      if (!found) return undefined
      const stamp = await stampFor(found.facts)
      // Memberships of federated users expire, and other delegations are used up or bound to more than their words.
      const lasting = found.own && !federation && (!delegation || delegation.type === 'application_credential')
      const renewal: Renewal | undefined = lasting
        ? {
            make: at => issued(stamp, payloadAt(at), { renewal, keep: cache.keeper() }),
            until: Math.min(payload.expiresAt, passwordEnd(found.facts)),
          }
        : undefined
      // What it was asked for with may have changed since: such a token is born revoked.
      const isGood = !(await isRevoked(store.db, revocable(found.facts)))
      return issued(stamp, payload, { renewal, keep: isGood ? keep : undefined })
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

/** When the user must have another password. */
const passwordEnd = ({ user }: TokenFacts): number =>
  (user.password_expires_at === null ? undefined : parseTime(user.password_expires_at)?.at) ?? Number.POSITIVE_INFINITY

/** Remembers a token, unless something has changed since this was asked for. */
type Keep = (text: string, token: CheckedToken) => void

interface Cache {
  /** What is known of the token, or what is found out. */
  get(text: string): Eventual<CheckedToken | undefined>
  keeper(): Keep
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
  // Kept by their hash, so that a dump of the memory shows no token.
  const keyOf = (text: string) => hash('sha256', text, 'base64')
  const keeper = (): Keep => {
    const asked = generation
    return (text, token) => {
      // What was looked up while something changed may be of before the change: it serves this request only.
      if (asked !== generation || keep === 0) return
      if (entries.size >= capacity) entries.delete(entries.keys().next().value!)
      entries.set(keyOf(text), { token, until: Math.min(runtime.now() + keep, token.payload.expiresAt) })
    }
  }
  const find = async (text: string) => {
    const remember = keeper()
    const token = await make(text)
    if (token) remember(text, token)
    return token
  }
  return {
    get(text) {
      const known = entries.get(keyOf(text))
      return known && known.until > runtime.now() ? known.token : find(text)
    },
    keeper,
    clear() {
      generation++
      entries = new Map()
    },
  }
}
