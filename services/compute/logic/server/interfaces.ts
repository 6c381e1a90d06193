/** Attaching a network card to a server and detaching one. A server that is off gets or loses it at its next start. */
import { saga } from '@strata/toolkit/saga'
import type { Nic } from '../../contract/nic.ts'
import { findServer, type Server } from '../../store/servers.ts'
import type { GuestNic } from '../ports/hosts.ts'
import type { RequestedNic } from '../ports/neighbours.ts'
import { change, need, needAgent, type ServerDeps, type ServerInput, settle } from './deps.ts'

export interface AttachInput extends ServerInput {
  readonly nic: RequestedNic
}

const isOn = (server: Server): boolean => server.vm_state === 'active' || server.vm_state === 'paused'

export const guestNic = (nic: Nic): GuestNic => ({
  portId: nic.port_id,
  macAddress: nic.mac_address,
  mtu: nic.mtu,
  vifName: nic.vif_name,
  model: 'virtio',
})

const attaching = 'compute_attach_interface'

export const attachInterface = saga<AttachInput, ServerDeps>('server-attach-interface')
  .step('begin', {
    run: () => undefined,
    undo: ({ input, deps, failure }) => settle(deps, input, { event: attaching, error: failure.message, change: {} }),
  })
  .step('port', {
    run: async ({ input, deps, key }) => {
      const server = await need(deps, input.serverId)
      const owner = {
        serverId: server.id,
        projectId: server.project_id,
        host: server.host ?? '',
        availabilityZone: server.availability_zone,
      }
      return input.nic.portId === undefined
        ? deps.networks.createPort({ key, owner, nic: input.nic, securityGroups: [] })
        : deps.networks.claimPort({ owner, nic: input.nic })
    },
    undo: async ({ input, deps }) => {
      if (input.nic.portId !== undefined) return deps.networks.unbindPort(input.nic.portId)
      // The answer of a create that was cut off is lost, but not which ports the server knows of: any other is that one.
      const server = await findServer(deps.store.db, input.serverId)
      await deps.networks.releaseStrangers(input.serverId, server?.nics.map(nic => nic.port_id) ?? [])
    },
  })
  .step('plug', {
    run: async ({ input, deps, prior }) => {
      const server = await need(deps, input.serverId)
      if (isOn(server)) await needAgent(deps, server).attachNic(server.id, guestNic(prior.port))
    },
    undo: async ({ input, deps, prior }) => {
      const server = await findServer(deps.store.db, input.serverId)
      if (server?.host && prior.port) await deps.agent(server.host)?.detachNic(server.id, guestNic(prior.port))
    },
  })
  .step('finish', {
    run: ({ input, deps, prior }) =>
      settle(deps, input, {
        event: attaching,
        change: server => ({ nics: [...server.nics.filter(nic => nic.port_id !== prior.port.port_id), prior.port] }),
      }),
    // The row goes first: the undo of `port` removes what the row does not know.
    undo: async ({ input, deps, prior }) => {
      const server = await findServer(deps.store.db, input.serverId)
      if (server)
        await change(deps, server.id, { nics: server.nics.filter(nic => nic.port_id !== prior.port?.port_id) })
    },
  })

export interface DetachInput extends ServerInput {
  readonly portId: string
}

export const detachInterface = saga<DetachInput, ServerDeps>('server-detach-interface', 'forward')
  .step('unplug', {
    run: async ({ input, deps }) => {
      const server = await findServer(deps.store.db, input.serverId)
      const nic = server?.nics.find(other => other.port_id === input.portId)
      if (server?.host && nic) await deps.agent(server.host)?.detachNic(server.id, guestNic(nic))
      return { ours: nic?.ours ?? false }
    },
  })
  .step('port', {
    run: ({ input, deps, prior }) =>
      prior.unplug.ours ? deps.networks.removePort(input.portId) : deps.networks.unbindPort(input.portId),
  })
  .step('finish', {
    run: ({ input, deps }) =>
      settle(deps, input, {
        event: 'compute_detach_interface',
        change: server => ({ nics: server.nics.filter(nic => nic.port_id !== input.portId) }),
      }),
  })
