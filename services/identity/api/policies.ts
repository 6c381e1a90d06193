/** Associations of policies with endpoints, services and regions (`OS-ENDPOINT-POLICY`). */
import { type Operation, operation, reply } from '@strata/toolkit/service'
import { endpoint } from '../contract/catalog.ts'
import { policy } from '../contract/policy.ts'
import type { Parts } from '../logic/parts.ts'
import { type PolicyTarget, policyLogic } from '../logic/policy.ts'
import { collection, member } from './view.ts'

const root = `${policy.path}/:id/OS-ENDPOINT-POLICY`
const families = [
  { path: 'endpoints/:endpoint_id', rule: 'endpoint' },
  { path: 'services/:service_id', rule: 'service' },
  { path: 'services/:service_id/regions/:region_id', rule: 'region_and_service' },
] as const
const verbs = [
  { method: 'PUT', rule: 'create', work: 'add' },
  { method: 'GET', rule: 'check', work: 'check' },
  { method: 'DELETE', rule: 'delete', work: 'remove' },
] as const

export function policyOperations(parts: Parts): Operation[] {
  const logic = policyLogic(parts)
  return [
    ...families.flatMap(({ path, rule }) =>
      verbs.map(verb =>
        operation({
          method: verb.method,
          path: `${root}/${path}`,
          policy: `identity:${verb.rule}_policy_association_for_${rule}`,
          async handler({ params }) {
            const { id, ...target } = params
            await logic[verb.work](id!, target as PolicyTarget)
            return reply(204)
          },
        }),
      ),
    ),
    operation({
      method: 'GET',
      path: `${root}/endpoints`,
      policy: 'identity:list_endpoints_for_policy',
      handler: async request => collection(endpoint, await logic.endpointsOf(request.params['id']!), request),
    }),
    operation({
      method: 'GET',
      path: `${root}/policy`,
      policy: 'identity:get_policy',
      handler: async request => ({ policy: member(policy, await logic.find(request.params['id']!), request) }),
    }),
    operation({
      method: 'GET',
      path: `${endpoint.path}/:id/OS-ENDPOINT-POLICY/policy`,
      policy: 'identity:get_policy_for_endpoint',
      handler: async request => ({ policy: member(policy, await logic.policyOf(request.params['id']!), request) }),
    }),
  ]
}
