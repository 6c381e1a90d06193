/** The plain verbs of all resources, derived from their declarations, and the few of them that need a hand. */
import { type DeriveOptions, derive } from '@strata/toolkit/resource'
import { type ApiRequest, type Operation, operation, withChanges } from '@strata/toolkit/service'
import { endpoint, region, service } from '../contract/catalog.ts'
import { consumer } from '../contract/consumer.ts'
import { credential } from '../contract/credential.ts'
import { endpointGroup } from '../contract/endpoint-group.ts'
import { dialect, invalid } from '../contract/errors.ts'
import { group } from '../contract/group.ts'
import { limit, limitModels, registeredLimit } from '../contract/limit.ts'
import { policy } from '../contract/policy.ts'
import { domain, project } from '../contract/project.ts'
import { role } from '../contract/role.ts'
import { type PasswordChange, passwordChangeSchema, user } from '../contract/user.ts'
import { endpointHooks, regionHooks, serviceHooks } from '../logic/catalog.ts'
import { credentialHooks } from '../logic/credential.ts'
import { domainHooks } from '../logic/domain.ts'
import { endpointGroupHooks } from '../logic/endpoint-filter.ts'
import { identityQuery } from '../logic/federation/identities.ts'
import { groupHooks } from '../logic/group.ts'
import { limitHooks, registeredLimitHooks } from '../logic/limit.ts'
import { consumerHooks } from '../logic/oauth1/consumer.ts'
import type { Parts } from '../logic/parts.ts'
import { callerAddress } from '../logic/password/caller.ts'
import { changeOwnPassword } from '../logic/password/change.ts'
import { projectHooks } from '../logic/project.ts'
import { roleHooks } from '../logic/role.ts'
import { userLogic } from '../logic/user.ts'

/** `changed` hears of each row that the plain verbs make, change or remove. */
export function resourceOperations(parts: Parts, changed?: DeriveOptions<never>['changed']): Operation[] {
  const shared = {
    store: parts.store,
    dialect,
    runtime: parts.runtime,
    newId: (uuid: string) => uuid.replaceAll('-', ''),
    maxLimit: parts.config.max_list_limit,
    changed,
  }
  const users = userLogic(parts)
  return [
    ...derive(domain, { ...shared, hooks: domainHooks(parts) }),
    ...derive(project, { ...shared, hooks: projectHooks(parts) }).map(listing(project.path, { is_domain: 'false' })),
    ...derive(user, { ...shared, hooks: users.hooks })
      .map(before(['POST', 'PATCH'], users.prepare))
      .map(byIdentity),
    operation<PasswordChange>({
      method: 'POST',
      path: '/v3/users/:user_id/password',
      // Whoever knows the original password may; also without a token, since the password may have expired.
      auth: 'none',
      body: passwordChangeSchema,
      async handler(request) {
        const from = callerAddress(parts.config, request)
        await changeOwnPassword(parts, { userId: request.params['user_id']!, change: request.body.user, from })
        return undefined
      },
    }),
    ...derive(group, { ...shared, hooks: groupHooks(parts) }),
    ...derive(role, { ...shared, hooks: roleHooks(parts) }).map(listing(role.path, { domain_id: '' })),
    ...regionOperations(derive(region, { ...shared, hooks: regionHooks(parts) })),
    ...derive(service, { ...shared, hooks: serviceHooks(parts) }),
    ...derive(endpoint, { ...shared, hooks: endpointHooks(parts) }),
    ...derive(endpointGroup, { ...shared, hooks: endpointGroupHooks(parts) }),
    ...derive(policy, shared),
    ...limitOperations(parts, shared),
    ...derive(consumer, { ...shared, hooks: consumerHooks(parts) }),
    ...derive(credential, { ...shared, hooks: credentialHooks(parts) }),
  ]
}

/** Limits are made several at once, under the plural, and only so. */
function limitOperations(parts: Parts, shared: Omit<DeriveOptions<never>, 'hooks'>): Operation[] {
  const severally = { ...shared, dialect: { ...dialect, bulkCreate: true } }
  const onlyPlural =
    (plural: string) =>
    (one: Operation): Operation =>
      one.method === 'POST' ? { ...one, body: { ...(one.body as object), required: [plural] } } : one
  return [
    ...derive(registeredLimit, { ...severally, hooks: registeredLimitHooks() }).map(onlyPlural(registeredLimit.plural)),
    ...derive(limit, { ...severally, hooks: limitHooks(parts) }).map(onlyPlural(limit.plural)),
    operation({
      method: 'GET',
      path: `${limit.path}/model`,
      policy: 'identity:get_limit_model',
      handler() {
        const name = parts.config.limit_enforcement_model
        return { model: { name, description: limitModels[name] } }
      },
    }),
  ]
}

/** A region can also be made under the id that its path names. */
function regionOperations(derived: Operation[]): Operation[] {
  const create = derived.find(one => one.method === 'POST')!
  return [
    ...derived,
    {
      ...create,
      method: 'PUT',
      path: `${region.path}/:id`,
      handler(request) {
        const given = (request.body as { region: { id?: string } }).region
        const id = request.params['id']!
        if (given.id !== undefined && given.id !== id) throw invalid('id', `must be that of the path: ${id}`)
        return create.handler(withChanges(request, { body: { region: { ...given, id } } }))
      },
    },
  ]
}

/** What is asked of how users log in from elsewhere is asked of one and the same way. */
const byIdentity = (one: Operation): Operation =>
  one.method === 'GET' && one.path === user.path
    ? {
        ...one,
        handler: request =>
          one.handler(withChanges(request, { query: { ...request.query, ...identityQuery(request.query) } })),
      }
    : one

/** Filters of the list that hold when the caller says nothing else. */
const listing =
  (path: string, filters: Readonly<Record<string, string>>) =>
  (one: Operation): Operation =>
    one.method === 'GET' && one.path === path
      ? { ...one, handler: request => one.handler(withChanges(request, { query: { ...filters, ...request.query } })) }
      : one

const before =
  (methods: readonly string[], prepare: (request: ApiRequest) => Promise<void>) =>
  (one: Operation): Operation =>
    methods.includes(one.method)
      ? {
          ...one,
          async handler(request) {
            await prepare(request)
            return one.handler(request)
          },
        }
      : one
