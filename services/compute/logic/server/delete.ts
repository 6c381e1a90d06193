/**
 * Deleting a server. It is always accepted: whatever was under way is turned back first, and each step is repeated until it
 * succeeds, so nothing of the server is left, whatever is killed when.
 */
import { saga } from '@strata/toolkit/saga'
import { finishAction } from '../../store/actions.ts'
import { findServer, removeServer } from '../../store/servers.ts'
import { type ServerDeps, type ServerInput, serverChanged } from './deps.ts'

export const deleteServer = saga<ServerInput, ServerDeps>('server-delete', 'forward')
  .step('guest', {
    run: async ({ input, deps }) => {
      const server = await findServer(deps.store.db, input.serverId)
      if (server?.host) await deps.agent(server.host)?.destroy(input.serverId)
    },
  })
  .step('ports', {
    run: async ({ input, deps }) => {
      const server = await findServer(deps.store.db, input.serverId)
      const given = server?.nics.filter(nic => !nic.ours).map(nic => nic.port_id) ?? []
      await deps.networks.releasePorts(input.serverId, given)
    },
  })
  .step('allocations', { run: ({ input, deps }) => deps.placement.release(input.serverId) })
  .step('row', {
    run: ({ input, deps }) =>
      deps.store.transaction(async (tx, afterCommit) => {
        const server = await findServer(tx, input.serverId)
        await finishAction(tx, deps.runtime, input.actionId, {
          event: 'compute_terminate_instance',
          host: server?.host ?? null,
        })
        await removeServer(tx, input.serverId)
        afterCommit(() => deps.bus.publish(serverChanged, { id: input.serverId, deleted: true }))
      }),
  })
