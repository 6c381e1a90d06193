/** Quotas of projects. */
import { type ApiRequest, type Operation, operation, reply } from '@strata/toolkit/service'
import type { NetworkDeps } from '../logic/deps.ts'
import {
  countUsed,
  defaultLimits,
  forgetLimits,
  ownLimits,
  projectsWithLimits,
  QUOTA_RESOURCES,
  setLimits,
} from '../logic/quota.ts'

const body = {
  type: 'object',
  required: ['quota'],
  properties: {
    quota: {
      type: 'object',
      properties: { tenant_id: { type: 'string' }, project_id: { type: 'string' }, force: { type: 'boolean' } },
      additionalProperties: { type: 'integer', minimum: -1, maximum: 2_147_483_647 },
    },
  },
}

export function quotaOperations(deps: NetworkDeps): Operation[] {
  const { store } = deps
  const projectOf = (request: ApiRequest) => request.params['project']!
  const limitsOf = async (project: string) => ({ ...defaultLimits(deps), ...(await ownLimits(store.db, project)) })
  const enforce = (request: ApiRequest, rule: string) =>
    request.context.enforce(rule, { project_id: projectOf(request), tenant_id: projectOf(request) })
  const details = async (project: string) => {
    const limits = await limitsOf(project)
    const entries = QUOTA_RESOURCES.map(
      async name =>
        [name, { limit: limits[name], used: await countUsed(store.db, name, project), reserved: 0 }] as const,
    )
    return Object.fromEntries(await Promise.all(entries))
  }
  const show = (path: string, read: (project: string) => Promise<object>) =>
    operation({
      method: 'GET',
      path,
      async handler(request) {
        enforce(request, 'get_quota')
        return { quota: await read(projectOf(request)) }
      },
    })
  return [
    operation({
      method: 'GET',
      path: '/v2.0/quotas',
      policy: 'get_quota',
      async handler({ context }) {
        const projects = context.can('get_quota', {}) ? await projectsWithLimits(store.db) : [context.projectId]
        const quotas = projects.map(async id => ({ project_id: id, tenant_id: id, ...(await limitsOf(id)) }))
        return { quotas: await Promise.all(quotas) }
      },
    }),
    // Which project the caller's own is.
    operation({
      method: 'GET',
      path: '/v2.0/quotas/tenant',
      handler: ({ context }) => ({ tenant: { tenant_id: context.projectId } }),
    }),
    operation({
      method: 'GET',
      path: '/v2.0/quotas/project',
      handler: ({ context }) => ({ project: { project_id: context.projectId } }),
    }),
    show('/v2.0/quotas/:project', limitsOf),
    show('/v2.0/quotas/:project/default', async () => defaultLimits(deps)),
    show('/v2.0/quotas/:project/defaults', async () => defaultLimits(deps)),
    show('/v2.0/quotas/:project/details.json', details),
    show('/v2.0/quotas/:project/details', details),
    operation<{ quota: Record<string, unknown> }>({
      method: 'PUT',
      path: '/v2.0/quotas/:project',
      body,
      async handler(request) {
        enforce(request, 'update_quota')
        const { tenant_id: _, project_id: __, force: ___, ...limits } = request.body.quota
        await store.transaction(tx => setLimits(tx, projectOf(request), limits as Record<string, number>))
        return { quota: await limitsOf(projectOf(request)) }
      },
    }),
    operation({
      method: 'DELETE',
      path: '/v2.0/quotas/:project',
      async handler(request) {
        enforce(request, 'delete_quota')
        await store.transaction(tx => forgetLimits(tx, projectOf(request)))
        return reply(204)
      },
    }),
  ]
}
