/** `/resource_providers/{uuid}/inventories`. */
import { methodNotAllowed, notFound } from '@strata/toolkit/fault'
import type { ApiRequest, Operation } from '@strata/toolkit/service'
import {
  createInventorySchema,
  type Inventory,
  type InventoryInput,
  type SetInventories,
  setInventoriesSchema,
  updateInventorySchema,
} from '../contract/inventory.ts'
import { paths } from '../contract/paths.ts'
import type { Placement } from '../logic/change.ts'
import {
  addInventory,
  removeAllInventories,
  removeInventory,
  type Shown,
  setInventories,
  showInventories,
  updateInventory,
} from '../logic/inventory.ts'
import { since } from '../versions/history.ts'
import { answer, endpoint } from './http.ts'

const view = (inventory: Inventory): Inventory => ({
  total: inventory.total,
  reserved: inventory.reserved,
  min_unit: inventory.min_unit,
  max_unit: inventory.max_unit,
  step_size: inventory.step_size,
  allocation_ratio: inventory.allocation_ratio,
})

const all = '/resource_providers/:uuid/inventories'
const one = `${all}/:resource_class`
const options = (request: ApiRequest) => ({ reservedMayBeTotal: request.minor >= since.reservedMayBeTotal })

export const inventoryEndpoints = (placement: Placement): Operation[] => [
  ...endpointsOfAll(placement),
  ...endpointsOfOne(placement),
]

function views(placement: Placement) {
  const now = () => placement.runtime.now()
  const showAll = (request: ApiRequest, { generation, inventories, since: modified }: Shown) =>
    answer(
      request,
      {
        body: {
          resource_provider_generation: generation,
          inventories: Object.fromEntries([...inventories].map(([name, inventory]) => [name, view(inventory)])),
        },
        modified,
      },
      now(),
    )
  const showOne = (
    request: ApiRequest,
    shown: Shown,
    name: string,
    more: { status?: number; location?: string } = {},
  ) =>
    answer(
      request,
      {
        body: { ...view(shown.inventories.get(name)!), resource_provider_generation: shown.generation },
        modified: shown.since,
        ...more,
      },
      now(),
    )
  return { showAll, showOne }
}

function endpointsOfAll(placement: Placement): Operation[] {
  const { showAll, showOne } = views(placement)
  return [
    endpoint({
      method: 'GET',
      path: all,
      policy: 'placement:resource_providers:inventories:list',
      handler: async request => showAll(request, await showInventories(placement, request.params['uuid']!)),
    }),
    endpoint<SetInventories>({
      method: 'PUT',
      path: all,
      policy: 'placement:resource_providers:inventories:update',
      body: setInventoriesSchema,
      async handler(request) {
        return showAll(
          request,
          await setInventories(placement, request.params['uuid']!, request.body, options(request)),
        )
      },
    }),
    endpoint<InventoryInput & { readonly resource_class: string; readonly resource_provider_generation?: number }>({
      method: 'POST',
      path: all,
      policy: 'placement:resource_providers:inventories:create',
      body: createInventorySchema,
      async handler(request) {
        const uuid = request.params['uuid']!
        const name = request.body.resource_class
        const shown = await addInventory(placement, uuid, request.body, options(request))
        return showOne(request, shown, name, { status: 201, location: request.baseUrl + paths.inventory(uuid, name) })
      },
    }),
    endpoint({
      method: 'DELETE',
      path: all,
      until: since.deleteInventories - 1,
      handler() {
        throw methodNotAllowed('The method specified is not allowed for this resource.', undefined, {
          headers: { allow: 'GET, POST, PUT' },
        })
      },
    }),
    endpoint({
      method: 'DELETE',
      path: all,
      since: since.deleteInventories,
      policy: 'placement:resource_providers:inventories:delete',
      handler: request => removeAllInventories(placement, request.params['uuid']!).then(() => undefined),
    }),
  ]
}

function endpointsOfOne(placement: Placement): Operation[] {
  const { showOne } = views(placement)
  return [
    endpoint({
      method: 'GET',
      path: one,
      policy: 'placement:resource_providers:inventories:show',
      async handler(request) {
        const { uuid, resource_class: name } = request.params
        const shown = await showInventories(placement, uuid!)
        if (!shown.inventories.has(name!)) throw notFound(`No inventory of class ${name} for ${uuid}`)
        return showOne(request, shown, name!)
      },
    }),
    endpoint<InventoryInput & { readonly resource_provider_generation: number }>({
      method: 'PUT',
      path: one,
      policy: 'placement:resource_providers:inventories:update',
      body: updateInventorySchema,
      async handler(request) {
        const { uuid, resource_class: name } = request.params
        return showOne(request, await updateInventory(placement, uuid!, name!, request.body, options(request)), name!)
      },
    }),
    endpoint({
      method: 'DELETE',
      path: one,
      policy: 'placement:resource_providers:inventories:delete',
      handler: ({ params }) =>
        removeInventory(placement, params['uuid']!, params['resource_class']!).then(() => undefined),
    }),
  ]
}
