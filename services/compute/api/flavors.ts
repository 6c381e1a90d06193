/** Flavors, their extra specs and their access lists. */
import { badRequest } from '@strata/toolkit/fault'
import { type ApiRequest, type Operation, operation, reply } from '@strata/toolkit/service'
import {
  accessAction,
  extraSpecsCreation,
  extraSpecUpdate,
  type Flavor,
  type FlavorCreation,
  flavorCreation,
  flavorSortKeys,
  flavorUpdate,
} from '../contract/flavor.ts'
import type { Compute } from '../logic/compute.ts'
import {
  createFlavor,
  deleteFlavor,
  describeFlavor,
  type FlavorQuery,
  flavorAccess,
  grantAccess,
  listFlavors,
  needFlavor,
  noExtraSpec,
  removeExtraSpec,
  revokeAccess,
  setExtraSpecs,
  type Viewer,
} from '../logic/flavor.ts'
import { page, pageParams, param, parameters, resourceLinks, wholeParam } from './lists.ts'

type Deps = Pick<Compute, 'store' | 'runtime' | 'config'>

const viewerOf = ({ context }: ApiRequest): Viewer => ({
  admin: context.can('context_is_admin'),
  projectId: context.projectId,
})

export function flavorOperations(deps: Deps): Operation[] {
  const query = parameters(['limit', 'marker', 'is_public', 'minRam', 'minDisk', 'sort_key', 'sort_dir'])
  const list = (view: typeof detailed) => async (request: ApiRequest) => {
    const asked = flavorQuery(request, deps.config.max_limit)
    const found = await listFlavors(deps, viewerOf(request), asked)
    const { rows, links } = page(request, 'flavors', found, { limit: asked.limit, markerOf: flavor => flavor.id })
    return { flavors: rows.map(flavor => view(request, flavor)), ...links }
  }
  return [
    operation({ method: 'GET', path: '/v2.1/flavors', query, handler: list(brief) }),
    operation({ method: 'GET', path: '/v2.1/flavors/detail', query, handler: list(detailed) }),
    operation({
      method: 'GET',
      path: '/v2.1/flavors/:id',
      handler: async request => ({
        flavor: detailed(request, await needFlavor(deps, viewerOf(request), request.params['id']!)),
      }),
    }),
    operation<{ flavor: FlavorCreation }>({
      method: 'POST',
      path: '/v2.1/flavors',
      policy: 'os_compute_api:os-flavor-manage:create',
      body: flavorCreation,
      handler: async request => ({ flavor: detailed(request, await createFlavor(deps, request.body.flavor)) }),
    }),
    operation<{ flavor: { description: string | null } }>({
      method: 'PUT',
      path: '/v2.1/flavors/:id',
      since: 55,
      policy: 'os_compute_api:os-flavor-manage:update',
      body: flavorUpdate,
      handler: async request => ({
        flavor: detailed(request, await describeFlavor(deps, request.params['id']!, request.body.flavor.description)),
      }),
    }),
    operation({
      method: 'DELETE',
      path: '/v2.1/flavors/:id',
      policy: 'os_compute_api:os-flavor-manage:delete',
      async handler({ params }) {
        await deleteFlavor(deps, params['id']!)
        return reply(202)
      },
    }),
    ...accessOperations(deps),
    ...extraSpecOperations(deps),
  ]
}

function flavorQuery(request: ApiRequest, maxLimit: number): FlavorQuery {
  const key = param(request, 'sort_key') ?? 'flavorid'
  const field = Object.hasOwn(flavorSortKeys, key) ? flavorSortKeys[key] : undefined
  if (!field) throw badRequest(`Invalid input for query parameters sort_key: there is no sorting by ${key}`)
  const direction = param(request, 'sort_dir') ?? 'asc'
  if (direction !== 'asc' && direction !== 'desc')
    throw badRequest(`Invalid input for query parameters sort_dir: ${direction} is neither asc nor desc`)
  return {
    ...pageParams(request, maxLimit),
    isPublic: isPublicFilter(param(request, 'is_public')),
    minRam: wholeParam(request, 'minRam') ?? 0,
    minDisk: wholeParam(request, 'minDisk') ?? 0,
    sort: { field, direction },
  }
}

/** `None` asks for both kinds. */
function isPublicFilter(text: string | undefined): boolean | undefined {
  if (text === undefined) return true
  if (text.toLowerCase() === 'none') return undefined
  if (/^(true|t|1|yes|y|on)$/i.test(text)) return true
  if (/^(false|f|0|no|n|off)$/i.test(text)) return false
  throw badRequest(`Invalid is_public filter [${text}]`)
}

function brief(request: ApiRequest, { id, name, description }: Flavor): object {
  return {
    id,
    name,
    links: resourceLinks(request, 'flavors', id),
    ...(request.minor >= 55 ? { description } : {}),
  }
}

function detailed(request: ApiRequest, flavor: Flavor): object {
  const { minor, context } = request
  return {
    ...brief(request, flavor),
    ram: flavor.ram,
    disk: flavor.disk,
    swap: flavor.swap || (minor >= 75 ? 0 : ''),
    'OS-FLV-EXT-DATA:ephemeral': flavor.ephemeral,
    'OS-FLV-DISABLED:disabled': flavor.disabled,
    vcpus: flavor.vcpus,
    'os-flavor-access:is_public': flavor.is_public,
    rxtx_factor: flavor.rxtx_factor,
    ...(minor >= 61 && context.can('os_compute_api:os-flavor-extra-specs:index')
      ? { extra_specs: flavor.extra_specs }
      : {}),
  }
}

function accessOperations(deps: Deps): Operation[] {
  const view = (id: string, projects: readonly string[]) => ({
    flavor_access: projects.map(project => ({ flavor_id: id, tenant_id: project })),
  })
  return [
    operation({
      method: 'GET',
      path: '/v2.1/flavors/:id/os-flavor-access',
      policy: 'os_compute_api:os-flavor-access',
      handler: async ({ params }) => view(params['id']!, await flavorAccess(deps, params['id']!)),
    }),
    operation<{ addTenantAccess: { tenant: string } }>({
      method: 'POST',
      path: '/v2.1/flavors/:id/action',
      action: 'addTenantAccess',
      policy: 'os_compute_api:os-flavor-access:add_tenant_access',
      body: accessAction('addTenantAccess'),
      handler: async ({ params, body, minor }) =>
        view(params['id']!, await grantAccess(deps, params['id']!, body.addTenantAccess.tenant, minor >= 7)),
    }),
    operation<{ removeTenantAccess: { tenant: string } }>({
      method: 'POST',
      path: '/v2.1/flavors/:id/action',
      action: 'removeTenantAccess',
      policy: 'os_compute_api:os-flavor-access:remove_tenant_access',
      body: accessAction('removeTenantAccess'),
      handler: async ({ params, body }) =>
        view(params['id']!, await revokeAccess(deps, params['id']!, body.removeTenantAccess.tenant)),
    }),
  ]
}

function extraSpecOperations(deps: Deps): Operation[] {
  const path = '/v2.1/flavors/:id/os-extra_specs'
  const policy = (verb: string) => `os_compute_api:os-flavor-extra-specs:${verb}`
  return [
    operation({
      method: 'GET',
      path,
      policy: policy('index'),
      async handler(request) {
        const flavor = await needFlavor(deps, viewerOf(request), request.params['id']!)
        return { extra_specs: flavor.extra_specs }
      },
    }),
    operation<{ extra_specs: Record<string, string | number> }>({
      method: 'POST',
      path,
      policy: policy('create'),
      body: extraSpecsCreation,
      handler: async ({ params, body, minor }) => ({
        extra_specs: await setExtraSpecs(deps, params['id']!, body.extra_specs, minor >= 86),
      }),
    }),
    operation({
      method: 'GET',
      path: `${path}/:key`,
      policy: policy('show'),
      async handler(request) {
        const { id, key } = request.params as { id: string; key: string }
        const { extra_specs } = await needFlavor(deps, viewerOf(request), id)
        if (!Object.hasOwn(extra_specs, key)) throw noExtraSpec(id, key)
        return { [key]: extra_specs[key] }
      },
    }),
    operation<Record<string, string | number>>({
      method: 'PUT',
      path: `${path}/:key`,
      policy: policy('update'),
      body: extraSpecUpdate,
      handler({ params, body, minor }) {
        if (!Object.hasOwn(body, params['key']!)) throw badRequest('Request body and URI mismatch')
        return setExtraSpecs(deps, params['id']!, body, minor >= 86)
      },
    }),
    operation({
      method: 'DELETE',
      path: `${path}/:key`,
      policy: policy('delete'),
      async handler({ params }) {
        await removeExtraSpec(deps, params['id']!, params['key']!)
        return reply(200)
      },
    }),
  ]
}
