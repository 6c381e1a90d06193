/**
 * Allocations through the versions. Bodies were a list of providers until 1.11, told no owner until 1.7, no consumer
 * generation until 1.27 and no consumer type until 1.37; handlers see one form.
 */
import type { ConsumerAllocations, ShownAllocations } from '../contract/allocation.ts'
import { since } from './history.ts'

/** A body of any version: what a version could not tell is unset. */
export type AnyAllocations = Pick<ConsumerAllocations, 'allocations' | 'project_id' | 'user_id'> &
  Partial<Pick<ConsumerAllocations, 'consumer_generation' | 'consumer_type'>>

interface Listed {
  readonly allocations: readonly {
    readonly resource_provider: { readonly uuid: string }
    readonly resources: Readonly<Record<string, number>>
  }[]
  readonly project_id?: string
  readonly user_id?: string
}

/** Owner of consumers that were written before owners had to be told. */
const nobody = '00000000-0000-0000-0000-000000000000'

/** The body of `PUT /allocations/{consumer}` in the form of 1.12 and later. */
export function upAllocations(body: unknown, minor: number): AnyAllocations {
  if (minor >= since.keyedAllocations) return body as AnyAllocations
  const { allocations, project_id, user_id } = body as Listed
  return {
    allocations: Object.fromEntries(allocations.map(one => [one.resource_provider.uuid, { resources: one.resources }])),
    project_id: project_id ?? nobody,
    user_id: user_id ?? nobody,
  }
}

/** What a version shows of a consumer's allocations. */
export function downAllocations(shown: ShownAllocations, minor: number): object {
  const { allocations, project_id, user_id, consumer_generation, consumer_type } = shown
  return {
    allocations,
    ...(minor >= since.keyedAllocations ? { project_id, user_id } : {}),
    ...(minor >= since.consumerGeneration ? { consumer_generation } : {}),
    ...(minor >= since.consumerType ? { consumer_type } : {}),
  }
}
