/** Finding the server that a request is about, and whether the caller may do this to it. */
import type { RequestContext } from '@strata/toolkit/context'
import { andThen, type Eventual } from '@strata/toolkit/eventual'
import { isUuid } from '@strata/toolkit/schema'
import { instanceLocked, instanceNotFound } from '../../contract/errors.ts'
import { findServer, type Server, showServer } from '../../store/servers.ts'
import type { Compute } from '../compute.ts'

type Db = Parameters<typeof findServer>[0]

/** What policy rules about a server are checked against. */
export const targetOf = (server: Pick<Server, 'project_id' | 'user_id'>) => ({
  project_id: server.project_id,
  user_id: server.user_id,
})

/** The server. Throws a 404 for one of another project, as for one that is not there, and a 403 when the rule does not hold. */
export function serverFor(
  { store }: Pick<Compute, 'store'>,
  context: RequestContext,
  about: { readonly id: string; readonly rule: string; readonly db?: Db; readonly toShow?: boolean },
): Eventual<Server> {
  const find = about.toShow ? showServer : findServer
  const permitted = (server: Server | undefined): Server => {
    if (!server || (server.project_id !== context.projectId && !context.can('context_is_admin')))
      throw instanceNotFound(about.id)
    context.enforce(about.rule, targetOf(server))
    return server
  }
  return isUuid(about.id) ? andThen(find(about.db ?? store.db, about.id), permitted) : permitted(undefined)
}

/** Throws a 409 unless the server is unlocked or the caller an administrator. */
export function refuseLocked(context: RequestContext, server: Server): void {
  if (server.locked && !context.can('context_is_admin')) throw instanceLocked(server.id)
}
