/** What was asked of a server. It outlives the server, for those who could see it. */
import type { RequestContext } from '@strata/toolkit/context'
import { isUuid } from '@strata/toolkit/schema'
import { instanceNotFound } from '../../contract/errors.ts'
import { actionsOf, type InstanceAction } from '../../store/actions.ts'
import { findServer } from '../../store/servers.ts'
import type { Compute } from '../compute.ts'

/** Newest first. Throws a 404 when there is nothing that the caller may see. `deletedToo`: since version 2.21. */
export async function historyOf(
  { store }: Compute,
  context: RequestContext,
  about: { readonly id: string; readonly rule: string; readonly deletedToo: boolean },
): Promise<readonly InstanceAction[]> {
  const server = isUuid(about.id) ? await findServer(store.db, about.id) : undefined
  if (!server && !about.deletedToo) throw instanceNotFound(about.id)
  const actions = await actionsOf(store.db, about.id)
  // The first action, the creation, was asked for in the project whose server it is.
  const projectId = server?.project_id ?? actions.at(-1)?.project_id
  if (projectId === undefined || (projectId !== context.projectId && !context.can('context_is_admin')))
    throw instanceNotFound(about.id)
  context.enforce(about.rule, { project_id: projectId })
  return actions
}
