/** Routers, their interfaces and routes, and floating IPs. */
import type { Hooks } from '@strata/toolkit/resource'
import { type ApiRequest, type Operation, operation } from '@strata/toolkit/service'
import { floatingIpNotFound, routerNotFound } from '../contract/faults.ts'
import { floatingip } from '../contract/floatingip.ts'
import { router } from '../contract/router.ts'
import { type HostRoute, routesSchema } from '../contract/subnet.ts'
import { type NetworkDeps, type RouterRow, type Scene, touch } from '../logic/deps.ts'
import {
  beforeCreateFloatingIp,
  beforeDeleteFloatingIp,
  beforeUpdateFloatingIp,
  portDetailsOf,
} from '../logic/floatingip.ts'
import { gatewaysOf } from '../logic/router/gateway.ts'
import { addInterface, type InterfaceRequest, removeInterface } from '../logic/router/interface.ts'
import { beforeCreateRouter, beforeDeleteRouter, beforeUpdateRouter, changeRoutes } from '../logic/router/router.ts'
import { ownRows } from '../logic/visibility.ts'
import { type Served, serve } from './kit.ts'

type RouterFields = typeof router.fields

export function routerOperations(deps: NetworkDeps): Operation[] {
  const hooks: Hooks<RouterFields> = {
    restrict: context => ownRows(context, 'get_router'),
    missing: routerNotFound,
    async decorate(rows, _request, db) {
      const gateways = await gatewaysOf(
        db,
        rows.map(row => row.id),
      )
      return rows.map(row => ({
        ...row,
        external_gateway_info: shownGateway(gateways.get(row.id)),
        availability_zones: [deps.settings.availability_zone],
      }))
    },
    beforeCreate: (body, scene) => beforeCreateRouter(deps, scene, body as typeof body & { id: string }),
    afterCreate: (row, scene) => touch(deps, scene, 'routers', row.id),
    beforeUpdate: (row, body, scene) => beforeUpdateRouter(deps, scene, row, body),
    beforeDelete: (row, scene) => beforeDeleteRouter(deps, scene, row),
  }
  const served = serve(deps, router, hooks)
  return [...served.operations, ...interfaceOperations(deps, served), ...routeOperations(deps, served)]
}

function shownGateway(gateway: { readonly port_id: string } | undefined): object | null {
  if (!gateway) return null
  const { port_id: _, ...shown } = gateway
  return shown
}

/** Runs an action on one router in a transaction. */
const act = <T>(
  deps: NetworkDeps,
  served: Served<RouterFields>,
  request: ApiRequest,
  rule: string,
  fn: (scene: Scene, row: RouterRow) => Promise<T>,
): Promise<T> =>
  deps.store.transaction(async (tx, afterCommit) => {
    const row = await served.find(tx as never, request.context, request.params['id']!, rule)
    return fn({ tx, context: request.context, afterCommit }, row)
  })

const interfaceBody = {
  type: 'object',
  additionalProperties: false,
  properties: { subnet_id: { type: 'string', format: 'uuid' }, port_id: { type: 'string', format: 'uuid' } },
}

function interfaceOperations(deps: NetworkDeps, served: Served<RouterFields>): Operation[] {
  const actions = { add_router_interface: addInterface, remove_router_interface: removeInterface }
  return Object.entries(actions).map(([name, fn]) =>
    operation<InterfaceRequest>({
      method: 'PUT',
      path: `${router.path}/:id/${name}`,
      body: interfaceBody,
      handler: request => act(deps, served, request, name, (scene, row) => fn(deps, scene, row, request.body ?? {})),
    }),
  )
}

function routeOperations(deps: NetworkDeps, served: Served<RouterFields>): Operation[] {
  const body = {
    type: 'object',
    required: ['router'],
    properties: {
      router: {
        type: 'object',
        required: ['routes'],
        additionalProperties: false,
        properties: { routes: routesSchema(30) },
      },
    },
  }
  return (['add', 'remove'] as const).map(verb =>
    operation<{ router: { routes: HostRoute[] } }>({
      method: 'PUT',
      path: `${router.path}/:id/${verb}_extraroutes`,
      body,
      async handler(request) {
        const row = await act(deps, served, request, `${verb}_extraroutes`, (scene, found) =>
          changeRoutes(deps, scene, found, { [verb]: request.body.router.routes }),
        )
        return { router: { id: row.id, name: row.name, project_id: row.project_id, routes: row.routes } }
      },
    }),
  )
}

export function floatingIpOperations(deps: NetworkDeps): Operation[] {
  const hooks: Hooks<typeof floatingip.fields> = {
    restrict: context => ownRows(context, 'get_floatingip'),
    missing: floatingIpNotFound,
    async decorate(rows, _request, db) {
      const details = await portDetailsOf(db, rows)
      return rows.map(row => ({ ...row, port_details: (row.port_id && details.get(row.port_id)) || null }))
    },
    beforeCreate: (body, scene) => beforeCreateFloatingIp(deps, scene, body as typeof body & { id: string }),
    afterCreate: (row, scene) => touch(deps, scene, 'floatingips', row.id),
    beforeUpdate: (row, body, scene) => beforeUpdateFloatingIp(deps, scene, row, body),
    beforeDelete: (row, scene) => beforeDeleteFloatingIp(deps, scene, row),
  }
  return serve(deps, floatingip, hooks).operations
}
