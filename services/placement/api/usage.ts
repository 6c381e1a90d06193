/** `/usages`, and the usages of a provider. */
import type { Operation } from '@strata/toolkit/service'
import { usagesQuery } from '../contract/usage.ts'
import type { Placement } from '../logic/change.ts'
import { projectUsages, providerUsages, typedUsages } from '../logic/usage.ts'
import { since } from '../versions/history.ts'
import { answer, endpoint } from './http.ts'

export function usageEndpoints(placement: Placement): Operation[] {
  const now = () => placement.runtime.now()
  return [
    endpoint({
      method: 'GET',
      path: '/resource_providers/:uuid/usages',
      policy: 'placement:resource_providers:usages',
      async handler(request) {
        const { generation, usages } = await providerUsages(placement, request.params['uuid']!)
        return answer(request, { body: { resource_provider_generation: generation, usages } }, now())
      },
    }),
    endpoint({
      method: 'GET',
      path: '/usages',
      since: since.usages,
      query: minor => (minor >= since.consumerType ? usagesQuery.typed : usagesQuery.plain),
      async handler(request) {
        const { project_id: project, user_id: user, consumer_type: type } = request.query as Record<string, string>
        request.context.enforce('placement:usages', { project_id: project })
        const owner = { project: project!, user }
        const usages =
          request.minor >= since.consumerType
            ? await typedUsages(placement, owner, type)
            : await projectUsages(placement, owner)
        return answer(request, { body: { usages } }, now())
      },
    }),
  ]
}
