/** `/allocations`, the allocations against a provider, and `/reshaper`. */
import { badRequest } from '@strata/toolkit/fault'
import { isUuid } from '@strata/toolkit/schema'
import type { Operation } from '@strata/toolkit/service'
import { postAllocationsSchemas, putAllocationsSchemas, type Reshape, reshapeSchemas } from '../contract/allocation.ts'
import {
  type ConsumerClaim,
  claim,
  type Held,
  release,
  showConsumer,
  showProviderAllocations,
} from '../logic/allocation.ts'
import type { Placement } from '../logic/change.ts'
import { canonical } from '../logic/provider.ts'
import { reshape } from '../logic/reshaper.ts'
import { type AnyAllocations, downAllocations, upAllocations } from '../versions/allocation.ts'
import { since } from '../versions/history.ts'
import { answer, endpoint, newest, versioned } from './http.ts'

const claimOf = (consumer: string, body: AnyAllocations): ConsumerClaim => ({
  consumer,
  holdings: new Map(Object.entries(body.allocations).map(([provider, one]) => [provider, one.resources])),
  projectId: body.project_id,
  userId: body.user_id,
  generation: body.consumer_generation,
  type: body.consumer_type,
})

const claimsOf = (bodies: Readonly<Record<string, AnyAllocations>>): ConsumerClaim[] =>
  Object.entries(bodies).map(([consumer, body]) => claimOf(consumer, body))

type Shown = Record<string, { generation: number; resources: Record<string, number> }>

function view({ rows, consumer }: Held, minor: number): object {
  const allocations: Shown = {}
  for (const row of rows) {
    allocations[row.provider_uuid] ??= { generation: row.generation, resources: {} }
    allocations[row.provider_uuid]!.resources[row.resource_class] = row.used
  }
  if (!consumer) return { allocations }
  return downAllocations(
    {
      allocations,
      project_id: consumer.project_id,
      user_id: consumer.user_id,
      consumer_generation: consumer.generation,
      consumer_type: consumer.type ?? 'unknown',
    },
    minor,
  )
}

export const allocationEndpoints = (placement: Placement): Operation[] => [
  ...endpointsOfConsumer(placement),
  ...endpointsOfMany(placement),
]

function endpointsOfConsumer(placement: Placement): Operation[] {
  const now = () => placement.runtime.now()
  const path = '/allocations/:consumer_uuid'
  return [
    endpoint({
      method: 'GET',
      path,
      policy: 'placement:allocations:list',
      async handler(request) {
        const held = await showConsumer(placement, request.params['consumer_uuid']!)
        return answer(
          request,
          { body: view(held, request.minor), modified: newest(held.rows.map(row => row.created_at)) },
          now(),
        )
      },
    }),
    endpoint({
      method: 'PUT',
      path,
      policy: 'placement:allocations:update',
      body: versioned(putAllocationsSchemas),
      async handler(request) {
        const consumer = request.params['consumer_uuid']!
        if (!isUuid(consumer)) throw badRequest(`Malformed consumer_uuid: ${consumer}`)
        await claim(placement, [claimOf(canonical(consumer), upAllocations(request.body, request.minor))])
        return undefined
      },
    }),
    endpoint({
      method: 'DELETE',
      path,
      policy: 'placement:allocations:delete',
      handler: request => release(placement, request.params['consumer_uuid']!).then(() => undefined),
    }),
  ]
}

function endpointsOfMany(placement: Placement): Operation[] {
  return [
    endpoint<Readonly<Record<string, AnyAllocations>>>({
      method: 'POST',
      path: '/allocations',
      since: since.manyAllocations,
      policy: 'placement:allocations:manage',
      body: versioned(postAllocationsSchemas),
      handler: request => claim(placement, claimsOf(request.body)).then(() => undefined),
    }),
    endpoint<Pick<Reshape, 'inventories'> & { readonly allocations: Readonly<Record<string, AnyAllocations>> }>({
      method: 'POST',
      path: '/reshaper',
      since: since.reshaper,
      policy: 'placement:reshaper:reshape',
      body: versioned(reshapeSchemas),
      // A reshape tells of all guests of a host at once.
      bodyLimit: 16 * 1024 * 1024,
      handler: ({ body }) => reshape(placement, body.inventories, claimsOf(body.allocations)).then(() => undefined),
    }),
    endpoint({
      method: 'GET',
      path: '/resource_providers/:uuid/allocations',
      policy: 'placement:resource_providers:allocations:list',
      async handler(request) {
        const { generation, rows } = await showProviderAllocations(placement, request.params['uuid']!)
        const allocations: Record<string, { resources: Record<string, number>; consumer_generation?: number }> = {}
        for (const row of rows) {
          allocations[row.consumer_uuid] ??= {
            resources: {},
            ...(request.minor >= since.consumerGeneration ? { consumer_generation: row.generation } : {}),
          }
          allocations[row.consumer_uuid]!.resources[row.resource_class] = row.used
        }
        const body = { allocations, resource_provider_generation: generation }
        return answer(request, { body, modified: newest(rows.map(row => row.created_at)) }, placement.runtime.now())
      },
    }),
  ]
}
