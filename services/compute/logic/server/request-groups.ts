/** Security groups and floating IPs of servers: passed on to the network service in the caller's name. */
import type { RequestContext } from '@strata/toolkit/context'
import { badRequest, conflict, notFound } from '@strata/toolkit/fault'
import type { Compute } from '../compute.ts'
import type { CallerPort, CallerSecurityGroup, CallerServices } from '../ports/caller.ts'
import { refuseLocked, serverFor } from './access.ts'
import { requestChange } from './request-action.ts'

export async function changeSecurityGroup(
  compute: Compute,
  context: RequestContext,
  about: { readonly id: string; readonly name: string; readonly verb: 'add' | 'remove' },
): Promise<void> {
  const rule = `os_compute_api:os-security-groups:${about.verb}`
  const server = await serverFor(compute, context, { id: about.id, rule })
  const caller = compute.asCaller(context)
  const group = findGroup(await caller.securityGroups(server.project_id), about.name, server.project_id)
  const ports = await caller.portsOf(server.id)
  const change = about.verb === 'add' ? addTo : removeFrom
  if (!(await change(caller, ports, group)))
    throw notFound(`Security group ${about.name} not associated with the instance ${server.id}`)
  await requestChange(compute, context, {
    id: about.id,
    rule,
    lockedToo: true,
    change: ({ security_groups: names }) => {
      const others = names.filter(name => name !== group.name && name !== group.id)
      return { values: { security_groups: about.verb === 'add' ? [...others, group.name] : others }, result: undefined }
    },
  })
}

function findGroup(groups: readonly CallerSecurityGroup[], name: string, projectId: string): CallerSecurityGroup {
  const found = groups.filter(group => group.id === name)
  const named = found.length > 0 ? found : groups.filter(group => group.name === name)
  if (named.length > 1)
    throw conflict(`Multiple security groups found matching '${name}'. Use an ID to be more specific.`)
  if (!named[0]) throw notFound(`Security group ${name} not found for project ${projectId}.`)
  return named[0]
}

async function addTo(caller: CallerServices, ports: readonly CallerPort[], group: CallerSecurityGroup) {
  for (const port of ports)
    if (!port.securityGroups.includes(group.id))
      await caller.setSecurityGroups(port.id, [...port.securityGroups, group.id])
  return true
}

async function removeFrom(caller: CallerServices, ports: readonly CallerPort[], group: CallerSecurityGroup) {
  const having = ports.filter(port => port.securityGroups.includes(group.id))
  for (const port of having)
    await caller.setSecurityGroups(
      port.id,
      port.securityGroups.filter(id => id !== group.id),
    )
  return having.length > 0
}

/** The groups of a server's ports, each once. */
export async function securityGroupsOf(
  compute: Compute,
  context: RequestContext,
  id: string,
): Promise<readonly CallerSecurityGroup[]> {
  const server = await serverFor(compute, context, { id, rule: 'os_compute_api:os-security-groups:list' })
  const caller = compute.asCaller(context)
  const [ports, groups] = await Promise.all([caller.portsOf(server.id), caller.securityGroups(server.project_id)])
  const used = new Set(ports.flatMap(port => port.securityGroups))
  return groups.filter(group => used.has(group.id))
}

export async function addFloatingIp(
  compute: Compute,
  context: RequestContext,
  about: { readonly id: string; readonly address: string; readonly fixedAddress?: string },
): Promise<void> {
  const server = await serverFor(compute, context, { id: about.id, rule: 'os_compute_api:os-floating-ips:add' })
  refuseLocked(context, server)
  const fixed = server.nics.flatMap(nic =>
    nic.fixed_ips.map(({ ip_address }) => ({ portId: nic.port_id, fixedIp: ip_address })),
  )
  const target =
    about.fixedAddress === undefined
      ? fixed.find(one => !one.fixedIp.includes(':'))
      : fixed.find(one => one.fixedIp === about.fixedAddress)
  if (!target)
    throw badRequest(
      about.fixedAddress === undefined
        ? 'No fixed IPs associated to instance'
        : 'Specified fixed address not assigned to instance',
    )
  const caller = compute.asCaller(context)
  const floating = await caller.floatingIp(about.address)
  if (!floating) throw notFound('floating IP not found')
  await caller.assignFloatingIp(floating.id, target)
}

export async function removeFloatingIp(
  compute: Compute,
  context: RequestContext,
  about: { readonly id: string; readonly address: string },
): Promise<void> {
  const server = await serverFor(compute, context, { id: about.id, rule: 'os_compute_api:os-floating-ips:remove' })
  refuseLocked(context, server)
  const caller = compute.asCaller(context)
  const floating = await caller.floatingIp(about.address)
  if (!floating) throw notFound('floating IP not found')
  if (!server.nics.some(nic => nic.port_id === floating.portId))
    throw conflict(`Floating IP ${about.address} is not associated with instance ${server.id}.`)
  await caller.assignFloatingIp(floating.id, null)
}
