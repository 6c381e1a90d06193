/** `/servers/{id}/os-interface`: a server's network cards, and `/servers/{id}/ips`: their addresses by network. */
import { badRequest, notFound } from '@strata/toolkit/fault'
import type { JsonSchema } from '@strata/toolkit/schema'
import { type ApiRequest, type Operation, operation, reply } from '@strata/toolkit/service'
import { object, tagSchema } from '../contract/server-requests.ts'
import type { Compute } from '../logic/compute.ts'
import { serverFor } from '../logic/server/access.ts'
import { requestAttach, requestDetach } from '../logic/server/request-interface.ts'
import { addressesOf } from '../logic/server/view.ts'
import { since } from '../versions/history.ts'
import { plainAddresses } from '../versions/index.ts'

type Nic = Awaited<ReturnType<typeof serverFor>>['nics'][number]

const path = '/v2.1/servers/:server_id/os-interface'
const rule = (verb: string) => `os_compute_api:os-attach-interfaces:${verb}`
const idOf = (request: ApiRequest): string => request.params['server_id']!

interface Attachment {
  readonly net_id?: string
  readonly port_id?: string
  readonly fixed_ips?: readonly { readonly ip_address: string }[]
  readonly tag?: string
}

const uuid: JsonSchema = { type: 'string', format: 'uuid' }
const attachment = (tagged: boolean) =>
  object({
    interfaceAttachment: object({
      net_id: uuid,
      port_id: uuid,
      fixed_ips: {
        type: 'array',
        minItems: 1,
        maxItems: 1,
        items: object({ ip_address: { type: 'string', format: 'ip' } }, ['ip_address']),
      },
      ...(tagged ? { tag: tagSchema } : {}),
    }),
  })
const schemas = { tagged: attachment(true), plain: attachment(false) }

export function serverInterfaceOperations(compute: Compute): readonly Operation[] {
  return [...interfaceOperations(compute), ...addressOperations(compute)]
}

function interfaceOperations(compute: Compute): readonly Operation[] {
  const states = async (request: ApiRequest, serverId: string) =>
    new Map((await compute.asCaller(request.context).portsOf(serverId)).map(port => [port.id, port.status]))
  return [
    operation({
      method: 'GET',
      path,
      policy: rule('list'),
      async handler(request) {
        const server = await serverFor(compute, request.context, { id: idOf(request), rule: rule('list') })
        const known = await states(request, server.id)
        return { interfaceAttachments: server.nics.map(nic => view(nic, known, request.minor)) }
      },
    }),
    operation({
      method: 'GET',
      path: `${path}/:port_id`,
      policy: rule('show'),
      async handler(request) {
        const server = await serverFor(compute, request.context, { id: idOf(request), rule: rule('show') })
        const nic = server.nics.find(one => one.port_id === request.params['port_id'])
        if (!nic) throw notFound(`Instance ${server.id} does not have a port with id ${request.params['port_id']}`)
        return { interfaceAttachment: view(nic, await states(request, server.id), request.minor) }
      },
    }),
    operation<{ readonly interfaceAttachment?: Attachment }>({
      method: 'POST',
      path,
      policy: rule('create'),
      body: minor => (minor >= 49 ? schemas.tagged : schemas.plain),
      async handler(request) {
        const wanted = request.body?.interfaceAttachment ?? {}
        if (wanted.net_id !== undefined && wanted.port_id !== undefined)
          throw badRequest('Must not input both network_id and port_id')
        const address = wanted.fixed_ips?.[0]?.ip_address
        if (address !== undefined && wanted.net_id === undefined)
          throw badRequest('Must input network_id when request IP address')
        const nic = await requestAttach(compute, request.context, {
          id: idOf(request),
          wanted: { uuid: wanted.net_id, port: wanted.port_id, fixed_ip: address, tag: wanted.tag },
          signal: request.signal,
        })
        return { interfaceAttachment: view(nic, await states(request, idOf(request)), request.minor) }
      },
    }),
    operation({
      method: 'DELETE',
      path: `${path}/:port_id`,
      policy: rule('delete'),
      async handler(request) {
        await requestDetach(compute, request.context, { id: idOf(request), portId: request.params['port_id']! })
        return reply(202)
      },
    }),
  ]
}

/** Ports that the network service does not show are down for the caller. */
const view = (nic: Nic, states: ReadonlyMap<string, string>, minor: number) => ({
  net_id: nic.network_id,
  port_id: nic.port_id,
  mac_addr: nic.mac_address,
  port_state: states.get(nic.port_id) ?? 'DOWN',
  fixed_ips: nic.fixed_ips,
  tag: minor >= since.interfaceTag ? nic.tag : undefined,
})

function addressOperations(compute: Compute): readonly Operation[] {
  const find = (request: ApiRequest, verb: 'index' | 'show') =>
    serverFor(compute, request.context, { id: idOf(request), rule: `os_compute_api:ips:${verb}` })
  return [
    operation({
      method: 'GET',
      path: '/v2.1/servers/:server_id/ips',
      policy: 'os_compute_api:ips:index',
      handler: async request => ({ addresses: plainAddresses(addressesOf((await find(request, 'index')).nics)) }),
    }),
    operation({
      method: 'GET',
      path: '/v2.1/servers/:server_id/ips/:label',
      policy: 'os_compute_api:ips:show',
      async handler(request) {
        const addresses = plainAddresses(addressesOf((await find(request, 'show')).nics))
        const label = request.params['label']!
        if (!Object.hasOwn(addresses, label)) throw notFound('Instance is not a member of specified network')
        return { [label]: addresses[label] }
      },
    }),
  ]
}
