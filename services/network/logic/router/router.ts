/** Routers as users make, change and delete them. */
import { holds, parseAddress, parsePrefix } from '@strata/toolkit/ip'
import type { Create, Update } from '@strata/toolkit/schema'
import { invalidRoutes, routerInUse } from '../../contract/faults.ts'
import { MAX_ROUTES, type router } from '../../contract/router.ts'
import type { HostRoute } from '../../contract/subnet.ts'
import { type NetworkDb, routers, subnets } from '../../store/database.ts'
import { type NetworkDeps, now, type RouterRow, type Scene, touch } from '../deps.ts'
import { checkZones } from '../network.ts'
import { removePorts } from '../port/remove.ts'
import { claim } from '../quota.ts'
import { checkRoutes } from '../rules/subnet.ts'
import { checkGatewayRights, gatewaysOf, setGateway } from './gateway.ts'
import { interfacesOf } from './interface.ts'

type Fields = typeof router.fields

export async function beforeCreateRouter(
  deps: NetworkDeps,
  scene: Scene,
  body: Create<Fields> & { readonly id: string },
): Promise<Partial<RouterRow>> {
  await claim(deps, scene.tx, body.project_id ?? '', { router: 1 })
  checkZones(deps, body.availability_zone_hints ?? [])
  checkGatewayRights(scene.context, 'create', body.external_gateway_info, body.project_id ?? '')
  if (body.external_gateway_info) await setGateway(deps, scene, body.id, body.external_gateway_info)
  const routes = body.routes ?? []
  return { routes: routes.length > 0 ? await checkedRoutes(scene.tx, body.id, routes) : [] }
}

/** Each next hop must be reachable on a network of the router, and not be the router itself. */
async function checkedRoutes(db: NetworkDb, routerId: string, routes: readonly HostRoute[]): Promise<HostRoute[]> {
  if (routes.length > MAX_ROUTES) throw invalidRoutes(routes, `the number of routes exceeds the maximum ${MAX_ROUTES}`)
  const { prefixes, own } = await reachable(db, routerId)
  const checked: HostRoute[] = []
  for (const route of routes) {
    const hop = parseAddress(route.nexthop)!
    const [clean] = checkRoutes([route], hop)
    if (checked.some(one => one.destination === clean!.destination && one.nexthop === clean!.nexthop))
      throw invalidRoutes(routes, `Duplicate route to ${route.destination}`)
    if (!prefixes.some(prefix => prefix.version === hop.version && holds(prefix, hop.value)))
      throw invalidRoutes(routes, 'the nexthop is not connected with router')
    if (own.includes(clean!.nexthop)) throw invalidRoutes(routes, 'the nexthop is used by router')
    checked.push(clean!)
  }
  return checked
}

async function reachable(db: NetworkDb, routerId: string) {
  const interfaces = await interfacesOf(db, routerId)
  const gateway = (await gatewaysOf(db, [routerId])).get(routerId)
  const inside = interfaces.flatMap(one => one.fixedIps)
  const ids = inside.map(ip => ip.subnet_id)
  const joined = ids.length === 0 ? [] : await subnets.list(db, { where: { id: ids } })
  const outside = gateway ? await subnets.list(db, { where: { network_id: gateway.network_id } }) : []
  return {
    prefixes: [...joined, ...outside].map(subnet => parsePrefix(subnet.cidr)!),
    own: [...inside, ...(gateway?.external_fixed_ips ?? [])].map(ip => ip.ip_address),
  }
}

export async function beforeUpdateRouter(
  deps: NetworkDeps,
  scene: Scene,
  row: RouterRow,
  body: Update<Fields>,
): Promise<Partial<RouterRow>> {
  checkGatewayRights(scene.context, 'update', body.external_gateway_info, row.project_id)
  if (body.external_gateway_info !== undefined) await setGateway(deps, scene, row.id, body.external_gateway_info)
  touch(deps, scene, 'routers', row.id)
  if (body.routes === undefined) return {}
  return { routes: await checkedRoutes(scene.tx, row.id, body.routes ?? []) }
}

export async function beforeDeleteRouter(deps: NetworkDeps, scene: Scene, row: RouterRow): Promise<void> {
  const { tx } = scene
  if ((await interfacesOf(tx, row.id)).length > 0) throw routerInUse(row.id, 'still has ports')
  await setGateway(deps, scene, row.id, null)
  const left = await tx.selectFrom('ports').select('id').where('device_id', '=', row.id).execute()
  await removePorts(
    deps,
    scene,
    left.map(port => port.id),
  )
  touch(deps, scene, 'routers', row.id)
}

/** Adds routes that are not there yet, or removes those that are; all or none. */
export async function changeRoutes(
  deps: NetworkDeps,
  scene: Scene,
  row: RouterRow,
  change: { readonly add?: readonly HostRoute[]; readonly remove?: readonly HostRoute[] },
): Promise<RouterRow> {
  const same = (a: HostRoute, b: HostRoute) => a.destination === b.destination && a.nexthop === b.nexthop
  const clean = (routes: readonly HostRoute[]) =>
    routes.flatMap(route => checkRoutes([route], parseAddress(route.nexthop)!))
  const removed = clean(change.remove ?? [])
  const added = clean(change.add ?? []).filter(route => !row.routes.some(known => same(known, route)))
  const routes = [...row.routes.filter(known => !removed.some(route => same(known, route))), ...added]
  const checked = await checkedRoutes(scene.tx, row.id, routes)
  const update = { routes: checked, revision_number: row.revision_number + 1, updated_at: now(deps) }
  await routers.update(scene.tx, row.id, update)
  touch(deps, scene, 'routers', row.id)
  return { ...row, ...update }
}
