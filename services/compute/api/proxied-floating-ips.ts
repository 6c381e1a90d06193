/** Floating IPs as old clients reach them through compute, up to version 2.35. A *pool* is an external network's name. */
import { notFound } from '@strata/toolkit/fault'
import { type ApiRequest, type Operation, operation, reply } from '@strata/toolkit/service'
import type { Compute } from '../logic/compute.ts'
import type { ProxiedFloatingIp, Proxies } from '../logic/ports/proxies.ts'

const until = 35
const policy = (verb: string): string => `os_compute_api:os-floating-ips:${verb}`

export function proxiedFloatingIpOperations({ proxies }: Pick<Compute, 'proxies'>): readonly Operation[] {
  const path = '/v2.1/os-floating-ips'
  const find = async (known: Proxies, request: ApiRequest) => {
    const id = request.params['id']!
    return known.floatingIp(id).catch(thrown => {
      throw thrown.status === 404 ? notFound(`Floating IP not found for ID ${id}`, 'FloatingIpNotFound') : thrown
    })
  }
  return [
    operation({
      method: 'GET',
      path: '/v2.1/os-floating-ip-pools',
      until,
      policy: 'os_compute_api:os-floating-ip-pools',
      async handler(request) {
        const pools = await proxies(request.context).pools()
        return { floating_ip_pools: pools.map(({ name }) => ({ name })) }
      },
    }),
    operation({
      method: 'GET',
      path,
      until,
      policy: policy('list'),
      async handler(request) {
        const known = proxies(request.context)
        return { floating_ips: await views(known, await known.floatingIps(request.context.projectId)) }
      },
    }),
    operation({
      method: 'GET',
      path: `${path}/:id`,
      until,
      policy: policy('show'),
      async handler(request) {
        const known = proxies(request.context)
        return { floating_ip: (await views(known, [await find(known, request)]))[0] }
      },
    }),
    operation<{ readonly pool?: string | null } | null>({
      method: 'POST',
      path,
      until,
      policy: policy('create'),
      body: { type: ['object', 'null'], properties: { pool: { type: ['string', 'null'] } } },
      async handler(request) {
        const known = proxies(request.context)
        const wanted = request.body?.pool
        const pool = (await known.pools()).find(one => !wanted || one.name === wanted || one.id === wanted)
        if (!pool) throw notFound('Floating IP pool not found.', 'FloatingIpPoolNotFound')
        return { floating_ip: (await views(known, [await known.createFloatingIp(pool.id)]))[0] }
      },
    }),
    operation({
      method: 'DELETE',
      path: `${path}/:id`,
      until,
      policy: policy('delete'),
      async handler(request) {
        const known = proxies(request.context)
        await known.removeFloatingIp((await find(known, request)).id)
        return reply(202)
      },
    }),
  ]
}

async function views(known: Proxies, found: readonly ProxiedFloatingIp[]): Promise<readonly object[]> {
  const [pools, servers] = await Promise.all([known.pools(), known.serversOf(found.flatMap(one => one.portId ?? []))])
  return found.map(one => ({
    id: one.id,
    ip: one.address,
    fixed_ip: one.fixedAddress,
    pool: pools.find(pool => pool.id === one.networkId)?.name ?? null,
    instance_id: (one.portId && servers.get(one.portId)) || null,
  }))
}
