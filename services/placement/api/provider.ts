/** `/resource_providers`, and the aggregates and traits of a provider. */
import { type ApiRequest, type Operation, reply } from '@strata/toolkit/service'
import { setAggregatesSchema } from '../contract/aggregate.ts'
import { providersQuerySchemas } from '../contract/candidate.ts'
import { paths } from '../contract/paths.ts'
import {
  type CreateProvider,
  createProviderSchema,
  type ResourceProvider,
  type UpdateProvider,
  updateProviderSchema,
} from '../contract/provider.ts'
import { type SetTraits, setTraitsSchema } from '../contract/trait.ts'
import type { Placement } from '../logic/change.ts'
import {
  canonical,
  changeProvider,
  createProvider,
  listProviders,
  type OfProvider,
  removeProvider,
  type ShownProvider,
  setAggregates,
  setTraits,
  showAggregates,
  showProvider,
  showTraits,
} from '../logic/provider.ts'
import { type Abilities, parseFilter } from '../logic/rules/query.ts'
import { since } from '../versions/history.ts'
import { downProvider, linksOf } from '../versions/provider.ts'
import { answer, endpoint, hrefOf, newest, versioned } from './http.ts'

/** What the query strings of a version can say. */
export const abilitiesOf = (minor: number): Abilities => ({
  forbiddenTraits: minor >= since.forbiddenTraits,
  anyTraits: minor >= since.anyTraits,
  repeatedMemberOf: minor >= since.repeatedMemberOf,
  forbiddenAggregates: minor >= since.forbiddenAggregates,
  subtrees: minor >= since.sameSubtree,
  nested: minor >= since.nestedCandidates,
})

function view(request: ApiRequest, provider: ShownProvider): object {
  const href = hrefOf(request, paths.provider(provider.uuid))
  const latest: ResourceProvider = {
    uuid: provider.uuid,
    name: provider.name,
    generation: provider.generation,
    links: linksOf(href, request.minor),
    parent_provider_uuid: provider.parent,
    root_provider_uuid: provider.root,
  }
  return downProvider(latest, request.minor)
}

const single = (query: ApiRequest['query'], name: string): string | undefined => {
  const value = query[name]
  return Array.isArray(value) ? value.at(-1) : value
}

export function providerEndpoints(placement: Placement): Operation[] {
  const now = () => placement.runtime.now()
  return [
    endpoint({
      method: 'GET',
      path: '/resource_providers',
      policy: 'placement:resource_providers:list',
      query: versioned(providersQuerySchemas),
      async handler(request) {
        const uuid = single(request.query, 'uuid')
        const providers = await listProviders(placement, {
          ...parseFilter(request.query, abilitiesOf(request.minor)),
          uuid: uuid === undefined ? undefined : canonical(uuid),
          name: single(request.query, 'name'),
        })
        const body = { resource_providers: providers.map(provider => view(request, provider)) }
        return answer(request, { body, modified: newest(providers.map(one => one.updatedAt)) }, now())
      },
    }),
    endpoint<CreateProvider>({
      method: 'POST',
      path: '/resource_providers',
      policy: 'placement:resource_providers:create',
      body: minor => (minor >= since.nestedProviders ? createProviderSchema.nested : createProviderSchema.flat),
      async handler(request) {
        const provider = await createProvider(placement, request.body)
        const location = request.baseUrl + paths.provider(provider.uuid)
        if (request.minor < since.createdProviderInBody) return reply(201, undefined, { location })
        return answer(request, { body: view(request, provider), modified: provider.updatedAt, location }, now())
      },
    }),
    endpoint({
      method: 'GET',
      path: '/resource_providers/:uuid',
      policy: 'placement:resource_providers:show',
      async handler(request) {
        const provider = await showProvider(placement, request.params['uuid']!)
        return answer(request, { body: view(request, provider), modified: provider.updatedAt }, now())
      },
    }),
    endpoint<UpdateProvider>({
      method: 'PUT',
      path: '/resource_providers/:uuid',
      policy: 'placement:resource_providers:update',
      body: minor => (minor >= since.nestedProviders ? updateProviderSchema.nested : updateProviderSchema.flat),
      async handler(request) {
        const provider = await changeProvider(placement, request.params['uuid']!, request.body, {
          reparent: request.minor >= since.reparenting,
        })
        return answer(request, { body: view(request, provider), modified: provider.updatedAt }, now())
      },
    }),
    endpoint({
      method: 'DELETE',
      path: '/resource_providers/:uuid',
      policy: 'placement:resource_providers:delete',
      handler: request => removeProvider(placement, request.params['uuid']!).then(() => undefined),
    }),
    ...aggregateEndpoints(placement),
    ...traitEndpoints(placement),
  ]
}

function aggregateEndpoints(placement: Placement): Operation[] {
  const show = (request: ApiRequest, { provider, values }: OfProvider) =>
    answer(
      request,
      {
        body: {
          aggregates: values,
          ...(request.minor >= since.aggregateGeneration ? { resource_provider_generation: provider.generation } : {}),
        },
      },
      placement.runtime.now(),
    )
  const path = '/resource_providers/:uuid/aggregates'
  return [
    endpoint({
      method: 'GET',
      path,
      since: since.aggregates,
      policy: 'placement:resource_providers:aggregates:list',
      handler: async request => show(request, await showAggregates(placement, request.params['uuid']!)),
    }),
    endpoint<readonly string[]>({
      method: 'PUT',
      path,
      since: since.aggregates,
      until: since.aggregateGeneration - 1,
      policy: 'placement:resource_providers:aggregates:update',
      body: setAggregatesSchema.bare,
      handler: async request => show(request, await setAggregates(placement, request.params['uuid']!, request.body)),
    }),
    endpoint<{ readonly aggregates: readonly string[]; readonly resource_provider_generation: number }>({
      method: 'PUT',
      path,
      since: since.aggregateGeneration,
      policy: 'placement:resource_providers:aggregates:update',
      body: setAggregatesSchema.guarded,
      async handler(request) {
        const { aggregates, resource_provider_generation: generation } = request.body
        return show(request, await setAggregates(placement, request.params['uuid']!, aggregates, generation))
      },
    }),
  ]
}

function traitEndpoints(placement: Placement): Operation[] {
  const show = (request: ApiRequest, { provider, values }: OfProvider) =>
    answer(
      request,
      { body: { traits: values, resource_provider_generation: provider.generation }, modified: provider.updatedAt },
      placement.runtime.now(),
    )
  const path = '/resource_providers/:uuid/traits'
  return [
    endpoint({
      method: 'GET',
      path,
      since: since.traits,
      policy: 'placement:resource_providers:traits:list',
      handler: async request => show(request, await showTraits(placement, request.params['uuid']!)),
    }),
    endpoint<SetTraits>({
      method: 'PUT',
      path,
      since: since.traits,
      policy: 'placement:resource_providers:traits:update',
      body: setTraitsSchema,
      async handler(request) {
        const { traits, resource_provider_generation: generation } = request.body
        return show(request, await setTraits(placement, request.params['uuid']!, traits, generation))
      },
    }),
    endpoint({
      method: 'DELETE',
      path,
      since: since.traits,
      policy: 'placement:resource_providers:traits:delete',
      handler: request => setTraits(placement, request.params['uuid']!, []).then(() => undefined),
    }),
  ]
}
