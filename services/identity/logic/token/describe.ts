/** What a token says, looked up now: its user and scope must exist and be enabled, and its user have a role there. */
import type { Named, TokenInfo } from '@strata/toolkit/context'
import { isoTime, toMicroseconds } from '@strata/toolkit/runtime'
import type { CatalogEntry, FederatedUser, ServiceProviderEntry, TokenBody } from '../../contract/token.ts'
import type { Validity } from '../../store/expiring-membership.ts'
import { vouches } from '../../store/federation.ts'
import { findDomain, findProject, type ProjectRow } from '../../store/project.ts'
import { implications } from '../../store/role.ts'
import type { Db } from '../../store/tables.ts'
import { findUser, type UserRow } from '../../store/user.ts'
import { type AlsoIn, effectiveRoles, type Place } from '../assignment/effective.ts'
import type { IsEnabled } from '../password/enabled.ts'
import { withImplied } from '../rules/roles.ts'
import type { Federation, TokenPayload } from '../rules/token-payload.ts'
import { type DelegationFacts, lookUpDelegation } from './delegation.ts'

export interface TokenFacts {
  readonly payload: TokenPayload
  readonly user: UserRow
  readonly userDomain: Named
  readonly project?: ProjectRow & { readonly domain: Named }
  readonly domain?: Named
  readonly roles: readonly Named[]
  readonly delegation?: DelegationFacts
}

/** What tokens show beside what they say. */
export interface Surroundings {
  readonly serviceProviders: readonly ServiceProviderEntry[]
}

/** By what users and their groups are judged. */
export interface Standards {
  readonly validity: Validity
  readonly isEnabled: IsEnabled
}

/** Undefined when the token cannot hold (any more). */
export async function lookUp(db: Db, payload: TokenPayload, standards: Standards): Promise<TokenFacts | undefined> {
  const { validity, isEnabled } = standards
  const user = await findUser(db, payload.userId)
  if (!user || !(await isEnabled(db, user))) return undefined
  const userDomain = await enabledDomain(db, user.domain_id)
  if (!userDomain) return undefined
  const delegation = await lookUpDelegation(db, payload, isEnabled)
  if (payload.delegation && !delegation) return undefined
  const { federation } = payload
  if (federation && !(await vouches(db, federation.idpId, federation.protocolId))) return undefined
  const also = { groupIds: federation?.groupIds, validity }
  const facts = { payload, user, userDomain: named(userDomain), roles: [], delegation }
  const { scope } = payload
  if (scope.type === 'unscoped') return facts
  if (scope.type === 'system') return withRoles(db, facts, { type: 'system' }, also)
  if (scope.type === 'domain') {
    const domain = await enabledDomain(db, scope.id)
    return domain && withRoles(db, { ...facts, domain: named(domain) }, { type: 'domain', id: domain.id }, also)
  }
  const project = await findProject(db, scope.id)
  if (!project?.enabled) return undefined
  const domain = project.domain_id === null ? project : await enabledDomain(db, project.domain_id)
  if (!domain) return undefined
  return withRoles(db, { ...facts, project: { ...project, domain: named(domain) } }, { type: 'project', project }, also)
}

async function withRoles(db: Db, facts: TokenFacts, place: Place, also: AlsoIn): Promise<TokenFacts | undefined> {
  const { user, delegation } = facts
  const own = await effectiveRoles(db, delegation?.userId ?? user.id, place, also)
  const roles = delegation?.roleIds ? await amongImplied(db, own, delegation.roleIds) : own
  return roles.length === 0 ? undefined : { ...facts, roles }
}

/** Of `own` those that are named by their ids, or implied by one of these. */
async function amongImplied(db: Db, own: readonly Named[], ids: readonly string[]): Promise<Named[]> {
  const delegated = withImplied(ids, await implications(db))
  return own.filter(role => delegated.has(role.id))
}

async function enabledDomain(db: Db, id: string): Promise<ProjectRow | undefined> {
  const domain = await findDomain(db, { id })
  return domain?.enabled ? domain : undefined
}

const named = ({ id, name }: Named): Named => ({ id, name })

/** For the pipeline of every service. */
export function infoOf(facts: TokenFacts): TokenInfo {
  const { payload, user, userDomain, project, domain, roles } = facts
  return {
    user: { ...named(user), domain: userDomain },
    project: project && { ...named(project), domain: project.domain },
    domain,
    system: payload.scope.type === 'system' || undefined,
    roles,
    methods: payload.methods,
    auditIds: payload.auditIds,
    issuedAt: isoTime(payload.issuedAt),
    expiresAt: isoTime(payload.expiresAt),
    ...facts.delegation?.info,
  }
}

const shownFederation = ({ idpId, protocolId, groupIds }: Federation): FederatedUser => ({
  identity_provider: { id: idpId },
  protocol: { id: protocolId },
  groups: groupIds.map(id => ({ id })),
})

/** As the API shows it; `entries` are those of the catalog, for scoped tokens. */
export function bodyOf(
  facts: TokenFacts,
  { entries: catalog, serviceProviders }: Surroundings & { readonly entries?: readonly CatalogEntry[] },
): TokenBody {
  const { payload, user, userDomain, project, domain, roles } = facts
  const scoped = payload.scope.type !== 'unscoped'
  return {
    token: {
      methods: payload.methods,
      user: {
        domain: userDomain,
        ...named(user),
        ...(payload.federation
          ? { 'OS-FEDERATION': shownFederation(payload.federation) }
          : { password_expires_at: user.password_expires_at }),
      },
      audit_ids: payload.auditIds,
      expires_at: toMicroseconds(isoTime(payload.expiresAt)),
      issued_at: toMicroseconds(isoTime(payload.issuedAt)),
      ...(project && {
        project: { domain: project.domain, ...named(project) },
        is_domain: project.is_domain === 1,
      }),
      ...(domain && { domain }),
      ...(payload.scope.type === 'system' && { system: { all: true } as const }),
      ...(scoped && { roles }),
      ...facts.delegation?.shown,
      ...(scoped && catalog && { catalog }),
      ...(serviceProviders.length > 0 && { service_providers: serviceProviders }),
    },
  }
}
