/** Placement as compute uses it, over its API. */
import {
  type AllocationCandidates,
  type ConsumerAllocations,
  candidatesQuery,
  type Inventories,
  type InventoryInput,
  type ProviderTraits,
  paths,
  type ResourceProvider,
  type ShownAllocations,
  versionHeader,
} from '@strata/placement/contract'
import { type ApiCall, ApiError, type Session } from '@strata/sdk'
import type { Placement, ProviderRoom } from '../../logic/ports/neighbours.ts'

const service = 'placement'
const consumerType = 'INSTANCE'

export function placementOf(session: Session): Placement {
  const call = async <T>(request: Omit<ApiCall, 'service'>) =>
    session.call<T>({ service, headers: versionHeader, ...request })
  const candidates = async (group: Parameters<typeof candidatesQuery>[0]['groups'][string], limit?: number) =>
    (
      await call<AllocationCandidates>({
        method: 'GET',
        path: `${paths.allocationCandidates}?${candidatesQuery({ groups: { '': group }, limit })}`,
      })
    ).body
  const allocationsOf = async (consumer: string) =>
    (await call<ShownAllocations>({ method: 'GET', path: paths.consumerAllocations(consumer) })).body

  return {
    async candidates(resources, { required, forbidden }) {
      if (Object.keys(resources).length === 0) return []
      const traits = [...required, ...forbidden.map(trait => `!${trait}`)]
      const { allocation_requests } = await candidates({ resources, required: traits.length > 0 ? traits : undefined })
      return allocation_requests.flatMap(request => Object.keys(request.allocations))
    },
    async claim({ serverId, providerId, projectId, userId, resources }) {
      // A claim of an earlier life of this saga is replaced: the generation says which.
      const { consumer_generation = null } = await allocationsOf(serverId)
      const body: ConsumerAllocations = {
        allocations: { [providerId]: { resources } },
        project_id: projectId,
        user_id: userId,
        consumer_generation,
        consumer_type: consumerType,
      }
      const { status } = await call({ method: 'PUT', path: paths.consumerAllocations(serverId), body, accept: [409] })
      return status !== 409
    },
    async release(serverId) {
      await call({ method: 'DELETE', path: paths.consumerAllocations(serverId), accept: [404] })
    },
    async room(resource) {
      const { provider_summaries } = await candidates({ resources: { [resource]: 1 } })
      return Object.entries(provider_summaries).map(([providerId, { resources }]): ProviderRoom => {
        const { capacity = 0, used = 0 } = resources[resource] ?? {}
        return { providerId, free: capacity - used }
      })
    },
    async setProvider({ id, name, inventories, traits }) {
      await ensureProvider(call, id, name)
      const before = (await call<Inventories>({ method: 'GET', path: paths.inventories(id) })).body
      if (!sameInventories(before.inventories, inventories))
        await call({
          method: 'PUT',
          path: paths.inventories(id),
          body: { resource_provider_generation: before.resource_provider_generation, inventories },
        })
      const had = (await call<ProviderTraits>({ method: 'GET', path: paths.providerTraits(id) })).body
      const wanted = [...new Set(traits)].sort()
      if (JSON.stringify([...had.traits].sort()) !== JSON.stringify(wanted))
        await call({
          method: 'PUT',
          path: paths.providerTraits(id),
          body: { resource_provider_generation: had.resource_provider_generation, traits: wanted },
        })
    },
    async consumersOf(providerId) {
      const { body, status } = await call<{ allocations: Readonly<Record<string, unknown>> }>({
        method: 'GET',
        path: paths.providerAllocations(providerId),
        accept: [404],
      })
      return status === 404 ? [] : Object.keys(body.allocations)
    },
  }
}

type Call = <T>(request: Omit<ApiCall, 'service'>) => Promise<{ status: number; body: T }>

async function ensureProvider(call: Call, uuid: string, name: string): Promise<void> {
  const { status } = await call<ResourceProvider>({ method: 'GET', path: paths.provider(uuid), accept: [404] })
  if (status !== 404) return
  try {
    await call({ method: 'POST', path: paths.providers, body: { uuid, name } })
  } catch (thrown) {
    // Another replica was first.
    if (!(thrown instanceof ApiError) || thrown.status !== 409) throw thrown
    await call({ method: 'GET', path: paths.provider(uuid) })
  }
}

function sameInventories(
  before: Inventories['inventories'],
  wanted: Readonly<Record<string, InventoryInput>>,
): boolean {
  const names = Object.keys(wanted)
  return (
    names.length === Object.keys(before).length &&
    names.every(name =>
      Object.entries(wanted[name]!).every(([key, value]) => before[name]?.[key as keyof InventoryInput] === value),
    )
  )
}
