/** Identity providers, protocols, mappings, service providers (`OS-FEDERATION`). */
import { type DeriveOptions, derive } from '@strata/toolkit/resource'
import { type ApiRequest, type Operation, operation, reply } from '@strata/toolkit/service'
import { dialect } from '../contract/errors.ts'
import { identityProvider, type ProtocolBody, protocolSchema } from '../contract/identity-provider.ts'
import { mapping } from '../contract/mapping.ts'
import { domain, project } from '../contract/project.ts'
import { serviceProvider } from '../contract/service-provider.ts'
import { alsoIn } from '../logic/assignment/caller.ts'
import { reachableDomains, reachableProjects } from '../logic/assignment/reachable.ts'
import { identityProviderHooks, type Protocol, protocolLogic } from '../logic/federation/idp.ts'
import { mappingHooks } from '../logic/federation/mapping.ts'
import { serviceProviderHooks } from '../logic/federation/service-provider.ts'
import type { Parts } from '../logic/parts.ts'
import { collection } from './view.ts'

export function federationOperations(parts: Parts): Operation[] {
  const shared = {
    store: parts.store,
    dialect,
    runtime: parts.runtime,
    maxLimit: parts.config.max_list_limit,
  } satisfies Partial<DeriveOptions<never>>
  return [
    ...underOwnIds(derive(identityProvider, { ...shared, hooks: identityProviderHooks(parts) })),
    ...protocolOperations(parts),
    ...underOwnIds(derive(mapping, { ...shared, hooks: mappingHooks(parts) })),
    ...underOwnIds(derive(serviceProvider, { ...shared, hooks: serviceProviderHooks(parts) })),
    ...reachOperations(parts),
  ]
}

/** Each is made under the id that its path names, and not otherwise. */
const underOwnIds = (derived: readonly Operation[]): Operation[] =>
  derived.map(one => (one.method === 'POST' ? { ...one, method: 'PUT', path: `${one.path}/:id` } : one))

const protocolsPath = `${identityProvider.path}/:idp_id/protocols`

function protocolOperations(parts: Parts): Operation[] {
  const logic = protocolLogic(parts)
  const place = ({ params }: ApiRequest) => [params['idp_id']!, params['protocol_id']!] as const
  const item = `${protocolsPath}/:protocol_id`
  return [
    operation({
      method: 'GET',
      path: protocolsPath,
      policy: 'identity:list_protocols',
      async handler(request) {
        const rows = await logic.list(request.params['idp_id']!)
        const self = `${request.baseUrl}${request.path}`
        return { protocols: rows.map(row => protocolView(row, request)), links: { next: null, self, previous: null } }
      },
    }),
    operation({
      method: 'GET',
      path: item,
      policy: 'identity:get_protocol',
      handler: async request => ({ protocol: protocolView(await logic.show(...place(request)), request) }),
    }),
    operation<ProtocolBody>({
      method: 'PUT',
      path: item,
      policy: 'identity:create_protocol',
      body: protocolSchema,
      handler: async request =>
        reply(201, {
          protocol: protocolView(await logic.create(...place(request), request.body.protocol), request),
        }),
    }),
    operation<ProtocolBody>({
      method: 'PATCH',
      path: item,
      policy: 'identity:update_protocol',
      body: protocolSchema,
      handler: async request => ({
        protocol: protocolView(await logic.update(...place(request), request.body.protocol), request),
      }),
    }),
    operation({
      method: 'DELETE',
      path: item,
      policy: 'identity:delete_protocol',
      async handler(request) {
        await logic.remove(...place(request))
        return reply(204)
      },
    }),
  ]
}

function protocolView({ idp_id: idpId, ...row }: Protocol, request: ApiRequest): object {
  const provider = `${request.baseUrl}${identityProvider.path}/${encodeURIComponent(idpId)}`
  return {
    ...row,
    idp_id: idpId,
    links: { self: `${provider}/protocols/${encodeURIComponent(row.id)}`, identity_provider: provider },
  }
}

/** What clients of old ask for in the place of `/v3/auth/projects` and `/v3/auth/domains`. */
function reachOperations(parts: Parts): Operation[] {
  const { db } = parts.store
  return [
    operation({
      method: 'GET',
      path: '/v3/OS-FEDERATION/projects',
      policy: 'identity:get_auth_projects',
      handler: async request => {
        const { context } = request
        return collection(project, await reachableProjects(db, context.userId, await alsoIn(parts, context)), request)
      },
    }),
    operation({
      method: 'GET',
      path: '/v3/OS-FEDERATION/domains',
      policy: 'identity:get_auth_domains',
      handler: async request => {
        const { context } = request
        return collection(domain, await reachableDomains(db, context.userId, await alsoIn(parts, context)), request)
      },
    }),
  ]
}
