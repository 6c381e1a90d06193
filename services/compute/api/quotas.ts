/** Quota sets of projects and users, quota classes, and the limits that callers read before they ask for something. */
import { type ApiRequest, type Operation, operation, reply } from '@strata/toolkit/service'
import { readFlag } from '../contract/fields.ts'
import {
  classQuotasOf,
  type LimitsGiven,
  type QuotaResource,
  quotaClassUpdate,
  quotasOf,
  quotaUpdate,
} from '../contract/quota.ts'
import type { Compute } from '../logic/compute.ts'
import {
  classLimits,
  defaultLimits,
  limitsFor,
  type QuotaOwner,
  quotaUse,
  resetQuota,
  type Use,
  updateClass,
  updateQuota,
} from '../logic/quota.ts'
import { param, parameters } from './lists.ts'

type Deps = Pick<Compute, 'store' | 'config'>

export function quotaOperations(deps: Deps): Operation[] {
  return [...setOperations(deps), ...classOperations(deps), limitsOperation(deps)]
}

function setOperations(deps: Deps): Operation[] {
  const path = '/v2.1/os-quota-sets/:project_id'
  const policy = (verb: string) => `os_compute_api:os-quota-sets:${verb}`
  const query = parameters(['user_id'])
  const { store, config } = deps
  return [
    operation({
      method: 'GET',
      path,
      query,
      policy: policy('show'),
      async handler(request) {
        const owner = ownerOf(request)
        const limits = await limitsFor(store.db, config, owner)
        return { quota_set: { id: owner.projectId, ...pick(quotasOf(request.minor), limits) } }
      },
    }),
    operation({
      method: 'GET',
      path: `${path}/defaults`,
      policy: policy('defaults'),
      async handler({ params, minor }) {
        const limits = await defaultLimits(store.db, config)
        return { quota_set: { id: params['project_id'], ...pick(quotasOf(minor), limits) } }
      },
    }),
    operation({
      method: 'GET',
      path: `${path}/detail`,
      query,
      policy: policy('detail'),
      async handler(request) {
        const owner = ownerOf(request)
        const use = await quotaUse(store.db, config, owner)
        const withReserved = Object.fromEntries(
          quotasOf(request.minor).map(name => [name, { ...use[name], reserved: 0 }]),
        )
        return { quota_set: { id: owner.projectId, ...withReserved } }
      },
    }),
    operation<{ quota_set: LimitsGiven & { force?: boolean | string } }>({
      method: 'PUT',
      path,
      query,
      policy: policy('update'),
      body: quotaUpdate,
      async handler(request) {
        const { force = false, ...given } = request.body.quota_set
        const limits = await updateQuota(deps, ownerOf(request), given, readFlag(force))
        return { quota_set: pick(quotasOf(request.minor), limits) }
      },
    }),
    operation({
      method: 'DELETE',
      path,
      query,
      policy: policy('delete'),
      async handler(request) {
        await resetQuota(deps, ownerOf(request))
        return reply(202)
      },
    }),
  ]
}

const ownerOf = (request: ApiRequest): QuotaOwner => ({
  projectId: request.params['project_id']!,
  userId: param(request, 'user_id') || undefined,
})

const pick = <T>(names: readonly QuotaResource[], values: Readonly<Record<QuotaResource, T>>): Record<string, T> =>
  Object.fromEntries(names.map(name => [name, values[name]]))

function classOperations(deps: Deps): Operation[] {
  const path = '/v2.1/os-quota-class-sets/:class_name'
  return [
    operation({
      method: 'GET',
      path,
      policy: 'os_compute_api:os-quota-class-sets:show',
      async handler({ params, minor }) {
        const limits = await classLimits(deps.store.db, deps.config, params['class_name']!)
        return { quota_class_set: { id: params['class_name'], ...pick(classQuotasOf(minor), limits) } }
      },
    }),
    operation<{ quota_class_set: LimitsGiven }>({
      method: 'PUT',
      path,
      policy: 'os_compute_api:os-quota-class-sets:update',
      body: quotaClassUpdate,
      async handler({ params, minor, body }) {
        const limits = await updateClass(deps, params['class_name']!, body.quota_class_set)
        return { quota_class_set: pick(classQuotasOf(minor), limits) }
      },
    }),
  ]
}

/** Name of a limit → what it is the limit of; `until` is the last version that has it. */
const absolute: readonly (readonly [name: string, resource: QuotaResource, until?: number])[] = [
  ['maxTotalRAMSize', 'ram'],
  ['maxTotalInstances', 'instances'],
  ['maxTotalCores', 'cores'],
  ['maxTotalKeypairs', 'key_pairs'],
  ['maxTotalFloatingIps', 'floating_ips', 35],
  ['maxServerMeta', 'metadata_items'],
  ['maxImageMeta', 'metadata_items', 38],
  ['maxPersonality', 'injected_files', 56],
  ['maxPersonalitySize', 'injected_file_content_bytes', 56],
  ['maxSecurityGroups', 'security_groups', 35],
  ['maxSecurityGroupRules', 'security_group_rules', 35],
  ['maxServerGroups', 'server_groups'],
  ['maxServerGroupMembers', 'server_group_members'],
]
const used: typeof absolute = [
  ['totalRAMUsed', 'ram'],
  ['totalCoresUsed', 'cores'],
  ['totalInstancesUsed', 'instances'],
  ['totalFloatingIpsUsed', 'floating_ips', 35],
  ['totalSecurityGroupsUsed', 'security_groups', 35],
  ['totalServerGroupsUsed', 'server_groups'],
]

function limitsOperation({ store, config }: Deps): Operation {
  return operation({
    method: 'GET',
    path: '/v2.1/limits',
    policy: 'os_compute_api:limits',
    query: parameters(['tenant_id', 'reserved']),
    async handler(request) {
      const { context, minor } = request
      const asked = param(request, 'tenant_id')
      if (asked !== undefined && asked !== context.projectId) context.enforce('os_compute_api:limits:other_project')
      const use = await quotaUse(store.db, config, { projectId: asked ?? context.projectId })
      const values = (names: typeof absolute, of: (one: Use) => number) =>
        Object.fromEntries(
          names.filter(([, , until = 999]) => minor <= until).map(([name, resource]) => [name, of(use[resource])]),
        )
      return {
        limits: { rate: [], absolute: { ...values(absolute, one => one.limit), ...values(used, one => one.in_use) } },
      }
    },
  })
}
