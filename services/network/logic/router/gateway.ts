/** A router's gateway: its port on an external network. */

import type { RequestContext } from '@strata/toolkit/context'
import { Fault } from '@strata/toolkit/fault'
import {
  badResource,
  externalAddressesExhausted,
  gatewayInUseByFloatingIp,
  invalidField,
  networkNotFound,
} from '../../contract/faults.ts'
import { DEVICE_OWNERS, type FixedIp, type FixedIpRequest } from '../../contract/port.ts'
import type { Gateway, GatewayRequest } from '../../contract/router.ts'
import { addressesOf } from '../../store/address.ts'
import { type NetworkDb, ports, subnets } from '../../store/database.ts'
import { type NetworkDeps, type Scene, touch } from '../deps.ts'
import { makeServicePort, seat } from '../port/prepare.ts'
import { removePorts } from '../port/remove.ts'
import { seenNetwork } from '../visibility.ts'
import { refuseOverlappingInterfaces } from './interface.ts'

/** The gateway of each router that has one. */
export async function gatewaysOf(
  db: NetworkDb,
  routerIds: readonly string[],
): Promise<Map<string, Gateway & { readonly port_id: string }>> {
  if (routerIds.length === 0) return new Map()
  const rows = await db.selectFrom('router_gateways').selectAll().where('router_id', 'in', routerIds).execute()
  const addresses = await addressesOf(
    db,
    rows.map(row => row.port_id),
  )
  return new Map(
    rows.map(row => [
      row.router_id,
      {
        port_id: row.port_id,
        network_id: row.network_id,
        enable_snat: Boolean(row.enable_snat),
        external_fixed_ips: addresses.get(row.port_id) ?? [],
      },
    ]),
  )
}

/** What of a gateway only some may choose: SNAT, and its addresses. */
export function checkGatewayRights(
  context: RequestContext,
  verb: 'create' | 'update',
  wish: Partial<GatewayRequest> | null | undefined,
  projectId: string,
): void {
  for (const name of ['network_id', 'enable_snat', 'external_fixed_ips'] as const)
    if (wish?.[name] !== undefined)
      context.enforce(`${verb}_router:external_gateway_info:${name}`, { project_id: projectId, tenant_id: projectId })
}

/** Makes the router's gateway what `wish` says: null or `{}` is none. */
export async function setGateway(
  deps: NetworkDeps,
  scene: Scene,
  routerId: string,
  wish: Partial<GatewayRequest> | null,
): Promise<void> {
  const { tx } = scene
  const before = (await gatewaysOf(tx, [routerId])).get(routerId)
  if (wish === null || Object.keys(wish).length === 0) {
    if (before) await dropGateway(deps, scene, routerId, before)
    return
  }
  const networkId = wish.network_id
  if (networkId === undefined) throw invalidField('external_gateway_info', 'network_id is required')
  const network = await seenNetwork(tx, scene.context, networkId).catch(() => {
    throw networkNotFound(networkId)
  })
  if (!network['router:external']) throw badResource('router', `Network ${networkId} is not an external network`)
  await refuseGatewayAddress(tx, networkId, wish.external_fixed_ips ?? [])
  await refuseOverlappingInterfaces(tx, routerId, await subnets.list(tx, { where: { network_id: networkId } }))
  if (before?.network_id === networkId) return changeGateway(deps, scene, { routerId, before, wish })
  if (before) await dropGateway(deps, scene, routerId, before)
  const { port } = await makeServicePort(deps, scene, {
    network,
    projectId: '',
    deviceOwner: DEVICE_OWNERS.routerGateway,
    deviceId: routerId,
    fixedIps: wish.external_fixed_ips && wish.external_fixed_ips.length > 0 ? wish.external_fixed_ips : undefined,
  }).catch(thrown => {
    if (thrown instanceof Fault && thrown.code === 'IpAddressGenerationFailure')
      throw externalAddressesExhausted(networkId)
    throw thrown
  })
  await tx
    .insertInto('router_gateways')
    .values({
      router_id: routerId,
      port_id: port.id,
      network_id: networkId,
      enable_snat: wish.enable_snat === false ? 0 : 1,
    })
    .execute()
  touch(deps, scene, 'routers', routerId)
}

async function refuseGatewayAddress(
  db: NetworkDb,
  networkId: string,
  wished: readonly FixedIpRequest[],
): Promise<void> {
  for (const subnet of await subnets.list(db, { where: { network_id: networkId } }))
    if (wished.some(ip => ip.ip_address !== undefined && ip.ip_address === subnet.gateway_ip))
      throw badResource('router', `External IP ${subnet.gateway_ip} is the same as the gateway IP`)
}

async function changeGateway(
  deps: NetworkDeps,
  scene: Scene,
  scope: {
    routerId: string
    before: Gateway & { readonly port_id: string }
    wish: Partial<GatewayRequest>
  },
): Promise<void> {
  const { routerId, before, wish } = scope
  const { tx } = scene
  if (wish.external_fixed_ips !== undefined && wish.external_fixed_ips.length > 0) {
    const port = (await ports.find(tx, before.port_id))!
    await seat(
      tx,
      { ...port, mac_address: port.mac_address! },
      wish.external_fixed_ips,
      before.external_fixed_ips as readonly FixedIp[],
    )
    touch(deps, scene, 'ports', before.port_id)
  }
  await tx
    .updateTable('router_gateways')
    .set({ enable_snat: wish.enable_snat === false ? 0 : 1 })
    .where('router_id', '=', routerId)
    .execute()
  touch(deps, scene, 'routers', routerId)
}

async function dropGateway(
  deps: NetworkDeps,
  scene: Scene,
  routerId: string,
  gateway: Gateway & { readonly port_id: string },
): Promise<void> {
  const { tx } = scene
  const used = await tx
    .selectFrom('floatingips')
    .select('id')
    .where('router_id', '=', routerId)
    .where('floating_network_id', '=', gateway.network_id)
    .executeTakeFirst()
  if (used) throw gatewayInUseByFloatingIp(routerId, gateway.network_id)
  await tx.deleteFrom('router_gateways').where('router_id', '=', routerId).execute()
  await removePorts(deps, scene, [gateway.port_id])
  touch(deps, scene, 'routers', routerId)
}
