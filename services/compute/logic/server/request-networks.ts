/** The network cards and security groups that a server is asked to have. */
import type { RequestContext } from '@strata/toolkit/context'
import { badRequest } from '@strata/toolkit/fault'
import { isUuid } from '@strata/toolkit/schema'
import {
  ambiguousNetwork,
  externalNetworkForbidden,
  networkNotFound,
  portInUse,
  portNotFound,
  securityGroupNotFound,
} from '../../contract/errors.ts'
import type { RequestedNetwork } from '../../contract/server-requests.ts'
import type { CallerServices } from '../ports/caller.ts'
import type { RequestedNic } from '../ports/neighbours.ts'

/** `servers`: how many will have such cards. */
export async function requestedNics(
  caller: CallerServices,
  context: RequestContext,
  wanted: { readonly networks: readonly RequestedNetwork[] | 'auto' | 'none' | undefined; readonly servers: number },
): Promise<readonly RequestedNic[]> {
  const { networks } = wanted
  if (networks === 'none') return []
  if (networks === undefined || networks === 'auto' || networks.length === 0)
    return theOnlyNetwork(caller, context, networks === 'auto')
  context.enforce('os_compute_api:servers:create:attach_network')
  refuseRepeated(networks)
  if (wanted.servers > 1 && networks.some(one => one.port))
    throw badRequest(
      'Failed to launch multiple instances: a port can only be used by a single one of them.',
      'MultiplePortsNotApplicable',
    )
  if (wanted.servers > 1 && networks.some(one => one.fixed_ip !== undefined))
    throw badRequest(
      'Invalid fixed IP and max_count request: multiple instances cannot have the same address.',
      'InvalidFixedIpAndMaxCountRequest',
    )
  return Promise.all(networks.map((network, index) => requestedNic(caller, context, network, index)))
}

/** What a server gets that says nothing of networks: a card on the one that there is. */
async function theOnlyNetwork(
  caller: CallerServices,
  context: RequestContext,
  must: boolean,
): Promise<readonly RequestedNic[]> {
  const found = await caller.networks(context.projectId)
  if (found.length > 1) throw ambiguousNetwork()
  const [network] = found
  if (network) return [{ networkId: network.id, tag: null }]
  if (must)
    throw badRequest(
      `Unable to automatically allocate a network for project ${context.projectId}`,
      'UnableToAutoAllocateNetwork',
    )
  return []
}

function refuseRepeated(networks: readonly RequestedNetwork[]): void {
  const seen = new Set<string>()
  for (const { port } of networks) {
    if (!port) continue
    if (seen.has(port))
      throw badRequest(`Port ID '${port}' was specified twice: you cannot attach a port multiple times.`)
    seen.add(port)
  }
}

export async function requestedNic(
  caller: CallerServices,
  context: RequestContext,
  wanted: RequestedNetwork,
  index: number,
): Promise<RequestedNic> {
  const tag = wanted.tag ?? null
  if (wanted.port) {
    if (wanted.fixed_ip !== undefined)
      throw badRequest(
        `Specified Fixed IP '${wanted.fixed_ip}' cannot be used with port '${wanted.port}': the two cannot be specified together.`,
      )
    const port = await caller.port(wanted.port)
    if (!port) throw portNotFound(wanted.port)
    if (port.deviceId !== '') throw portInUse(port.id)
    if (port.fixedIps.length === 0)
      throw badRequest(`Port ${port.id} requires a FixedIP in order to be used.`, 'PortRequiresFixedIP')
    return { portId: port.id, tag }
  }
  const id = wanted.uuid
  if (id === undefined) throw badRequest(`Bad network format: missing 'uuid' in networks.${index}`)
  if (!isUuid(id)) throw badRequest(`Bad networks format: network uuid is not in proper format (${id})`)
  const network = await caller.network(id)
  if (!network) throw networkNotFound(id)
  if (network.external && !network.shared && !context.can('network:attach_external_network'))
    throw externalNetworkForbidden(id)
  if (network.subnets.length === 0)
    throw badRequest(`Network ${id} requires a subnet in order to boot instances on.`, 'NetworkRequiresSubnet')
  return { networkId: network.id, fixedIp: wanted.fixed_ip, tag }
}

/** The names of the groups where a name tells which, else their ids. */
export async function requestedSecurityGroups(
  caller: CallerServices,
  context: RequestContext,
  wanted: readonly { readonly name?: string }[] | undefined,
): Promise<readonly string[]> {
  const asked = [...new Set((wanted ?? []).flatMap(group => group.name ?? []))]
  // The group `default` is made when a project first needs it.
  if (asked.length === 0 || (asked.length === 1 && asked[0] === 'default')) return ['default']
  const known = await caller.securityGroups(context.projectId)
  return asked.map(name => {
    const byId = known.find(group => group.id === name)
    const named = known.filter(group => group.name === name)
    if (byId) return known.filter(group => group.name === byId.name).length === 1 ? byId.name : byId.id
    if (named.length > 1)
      throw badRequest(
        `Multiple security groups found matching '${name}'. Use an ID to be more specific.`,
        'NoUniqueMatch',
      )
    if (named.length === 1 || name === 'default') return name
    throw securityGroupNotFound(name, context.projectId)
  })
}
