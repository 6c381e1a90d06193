/** The network service as compute uses it, over its API. */
import { DEVICE_OWNERS, floatingip, network, port, securityGroup } from '@strata/network/contract'
import { ApiError, client, type Session } from '@strata/sdk'
import type { Nic } from '../../contract/nic.ts'
import type { Networks, PortOwner } from '../../logic/ports/neighbours.ts'

type Port = Awaited<ReturnType<ReturnType<typeof clientsOf>['ports']['show']>>

const clientsOf = (session: Session) => ({
  ports: client(session, 'network', port),
  networks: client(session, 'network', network),
  groups: client(session, 'network', securityGroup),
  floatingIps: client(session, 'network', floatingip),
})

export function networksOf(session: Session): Networks {
  const { ports, networks, groups, floatingIps } = clientsOf(session)

  const nicOf = async (made: Port, about: Pick<Nic, 'ours' | 'tag'>): Promise<Nic> => {
    const { name, mtu } = await networks.show(made.network_id)
    return {
      port_id: made.id,
      network_id: made.network_id,
      label: name,
      mac_address: made.mac_address ?? '',
      mtu: mtu ?? 1500,
      vif_name: `tap${made.id.slice(0, 11)}`,
      fixed_ips: addressesOf(made),
      floating_ips: [],
      ...about,
    }
  }

  /** Ids of groups given by name or id, of the project's own. */
  const groupIds = async (projectId: string, wanted: readonly string[]): Promise<string[]> => {
    const known = await groups.list({ project_id: projectId })
    return wanted.map(name => {
      const found = known.find(group => group.id === name) ?? known.find(group => group.name === name)
      if (!found) throw new Error(`Security group ${name} not found for project ${projectId}.`)
      return found.id
    })
  }

  const portsOf = (serverId: string) => ports.list({ device_id: serverId })

  return {
    async createPort({ key, owner, nic, securityGroups }) {
      const wantsDefault =
        securityGroups.length === 0 || (securityGroups.length === 1 && securityGroups[0] === 'default')
      const made = await ports.create(
        {
          network_id: nic.networkId!,
          project_id: owner.projectId,
          ...bindingOf(owner),
          ...(nic.fixedIp === undefined ? {} : { fixed_ips: [{ ip_address: nic.fixedIp }] }),
          ...(wantsDefault ? {} : { security_groups: await groupIds(owner.projectId, securityGroups) }),
        },
        { idempotencyKey: key },
      )
      return nicOf(made, { ours: true, tag: nic.tag })
    },
    async claimPort({ owner, nic }) {
      const found = await ports.show(nic.portId!)
      if (found.device_id !== '' && found.device_id !== owner.serverId)
        throw new Error(`Port ${found.id} is still in use.`)
      return nicOf(await ports.update(found.id, bindingOf(owner)), { ours: false, tag: nic.tag })
    },
    async bindPorts(ids, host) {
      for (const id of ids) await ports.update(id, { 'binding:host_id': host })
    },
    async releasePorts(serverId, given) {
      for (const { id } of await portsOf(serverId)) await (given.includes(id) ? unbind(session, id) : ports.remove(id))
    },
    async releaseStrangers(serverId, known) {
      for (const { id } of await portsOf(serverId)) if (!known.includes(id)) await ports.remove(id)
    },
    removePort: id => ports.remove(id),
    unbindPort: id => unbind(session, id),
    async portsUp(ids) {
      const found = await ports.list({ id: [...ids] })
      return new Set(found.filter(({ status }) => status === 'ACTIVE').map(({ id }) => id))
    },
    async describe(nics) {
      if (nics.length === 0) return nics
      const ids = nics.map(nic => nic.port_id)
      const [found, floating] = await Promise.all([ports.list({ id: ids }), floatingIps.list({ port_id: ids })])
      return nics.flatMap((nic): Nic[] => {
        const now = found.find(({ id }) => id === nic.port_id)
        if (!now) return []
        const mapped = floating.filter(
          ip => ip.port_id === nic.port_id && ip.fixed_ip_address !== null && ip.floating_ip_address !== null,
        )
        return [
          {
            ...nic,
            mac_address: now.mac_address ?? nic.mac_address,
            fixed_ips: addressesOf(now),
            floating_ips: mapped.map(ip => ({
              id: ip.id,
              fixed_ip_address: ip.fixed_ip_address!,
              floating_ip_address: ip.floating_ip_address!,
            })),
          },
        ]
      })
    },
    async portsOfFloatingIps(ids) {
      return (await floatingIps.list({ id: [...ids] })).flatMap(ip => ip.port_id ?? [])
    },
    async serverAt({ networkId, address }) {
      const [found] = await ports.list({ network_id: networkId, fixed_ips: `ip_address=${address}` })
      return found?.device_id || undefined
    },
  }
}

const bindingOf = (owner: PortOwner) => ({
  device_id: owner.serverId,
  device_owner: `${DEVICE_OWNERS.computePrefix}${owner.availabilityZone}`,
  'binding:host_id': owner.host,
})

const addressesOf = (found: Port): Nic['fixed_ips'] =>
  (found.fixed_ips ?? []).map(({ subnet_id, ip_address }) => ({
    subnet_id: subnet_id ?? '',
    ip_address: ip_address ?? '',
  }))

/** A port that is gone needs no unbinding. */
async function unbind(session: Session, id: string): Promise<void> {
  try {
    await client(session, 'network', port).update(id, { device_id: '', device_owner: '', 'binding:host_id': '' })
  } catch (thrown) {
    if (!(thrown instanceof ApiError) || thrown.status !== 404) throw thrown
  }
}
