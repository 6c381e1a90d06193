/** Accepting the deletion of a server: always, unless it is locked; whatever is under way is turned back. */
import type { RequestContext } from '@strata/toolkit/context'
import { isoTime } from '@strata/toolkit/runtime'
import { beginAction } from '../../store/actions.ts'
import { updateServer } from '../../store/servers.ts'
import type { Compute } from '../compute.ts'
import { refuseLocked, serverFor } from './access.ts'
import { deleteServer } from './delete.ts'
import { serverChanged } from './deps.ts'

export async function requestDelete(
  { store, runtime, sagas, bus }: Compute,
  context: RequestContext,
  about: { readonly id: string; readonly rule: string; readonly action: 'delete' | 'forceDelete' },
): Promise<void> {
  await store.transaction(async (tx, afterCommit) => {
    const server = await serverFor({ store }, context, { id: about.id, rule: about.rule, db: tx })
    refuseLocked(context, server)
    if (server.task_state === 'deleting') return
    const actionId = await beginAction(tx, runtime, {
      serverId: server.id,
      action: about.action,
      requestId: context.requestId,
      userId: context.userId,
      projectId: context.projectId,
    })
    await updateServer(tx, server.id, isoTime(runtime.now()), { task_state: 'deleting' })
    const input = { serverId: server.id, actionId }
    await sagas.enqueue(deleteServer, { tx, afterCommit }, { subject: server.id, input, cancelOthers: true })
    afterCommit(() => bus.publish(serverChanged, { id: server.id }))
  })
}
