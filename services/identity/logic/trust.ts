/** Trusts: made by the trustor alone, used by the trustee alone, never changed. */
import type { RequestContext } from '@strata/toolkit/context'
import { badRequest } from '@strata/toolkit/fault'
import { missing, refusedAction } from '../contract/errors.ts'
import type { TrustRequest } from '../contract/trust.ts'
import type { Validity } from '../store/expiring-membership.ts'
import { findProject } from '../store/project.ts'
import { allRoles, implications, type RoleRow } from '../store/role.ts'
import type { Db } from '../store/tables.ts'
import { addTrust, findTrust, listTrusts, removeTrust, type TrustRow, trustRoleIds } from '../store/trust.ts'
import { findUser } from '../store/user.ts'
import { findRoleBy, futureTime, refuseRestricted } from './application-credential.ts'
import { effectiveRoles } from './assignment/effective.ts'
import { newId, type Parts, validityOf } from './parts.ts'
import { type Redelegable, redelegationProblem, redelegationsOf } from './rules/redelegation.ts'
import { withImplied } from './rules/roles.ts'
import { parseTime } from './rules/times.ts'

export interface Trust {
  readonly row: TrustRow
  readonly roles: readonly RoleRow[]
}

type Given = TrustRequest['trust']

export const endOf = (row: TrustRow): number | undefined =>
  row.expires_at === null ? undefined : parseTime(row.expires_at)?.at

export const hasEnded = (row: TrustRow, now: number): boolean => (endOf(row) ?? Number.POSITIVE_INFINITY) <= now

export function trustLogic(parts: Parts) {
  const { db } = parts.store
  const complete = async (tx: Db, row: TrustRow): Promise<Trust> => {
    const ids = new Set(await trustRoleIds(tx, row.id))
    return { row, roles: (await allRoles(tx)).filter(role => ids.has(role.id)) }
  }
  const now = () => parts.runtime.now()
  return {
    /** Undefined when there is none, or it has ended. */
    async find(id: string): Promise<Trust | undefined> {
      const row = await findTrust(db, id)
      return row && !hasEnded(row, now()) ? complete(db, row) : undefined
    },
    list: async (by: { readonly trustorId?: string; readonly trusteeId?: string }): Promise<TrustRow[]> =>
      (await listTrusts(db, by)).filter(row => !hasEnded(row, now())),
    async create(context: RequestContext, given: Given): Promise<Trust> {
      refuseRestricted(context)
      for (const id of [given.trustor_user_id, given.trustee_user_id])
        if (!(await findUser(db, id))) throw missing('user', id)
      const redelegations = redelegationsOf(given)
      if (typeof redelegations === 'string') throw badRequest(`Invalid trust: ${redelegations}.`, 'ValidationError')
      const parentId = context.token?.trust?.id ?? null
      const row: TrustRow = {
        id: newId(parts.runtime),
        trustor_user_id: given.trustor_user_id,
        trustee_user_id: given.trustee_user_id,
        project_id: given.project_id ?? null,
        impersonation: given.impersonation ? 1 : 0,
        expires_at: futureTime(parts, given.expires_at ?? null),
        remaining_uses: given.remaining_uses ?? null,
        redelegated_trust_id: parentId,
        redelegation_count: redelegations,
      }
      return parts.store.transaction(async tx => {
        const roleIds = (await Promise.all((given.roles ?? []).map(ref => findRoleBy(tx, ref)))).map(role => role.id)
        const wanted = [...new Set(roleIds)]
        await refuseUnfoundedRoles(tx, row, wanted, validityOf(parts))
        await addTrust(tx, row, wanted)
        return complete(tx, row)
      })
    },
    remove: (context: RequestContext, id: string) =>
      parts.store.transaction(async (tx, afterCommit) => {
        refuseRestricted(context)
        await removeTrust(tx, id)
        await parts.tokens.revoke(tx, { trustId: id })
        parts.changed(afterCommit)
      }),
  }
}

/** What is delegated must be the trustor's own, or within the trust that is handed on. */
async function refuseUnfoundedRoles(
  tx: Db,
  row: TrustRow,
  roleIds: readonly string[],
  validity: Validity,
): Promise<void> {
  const project = row.project_id === null ? undefined : await findProject(tx, row.project_id)
  if (row.project_id !== null && !project) throw missing('project', row.project_id)
  if (project ? roleIds.length === 0 : roleIds.length > 0)
    throw refusedAction(project ? 'At least one role should be specified.' : 'Roles are delegated on a project.')
  if (row.redelegated_trust_id !== null) return refuseBeyond(tx, row, roleIds)
  if (!project) return
  const own = await effectiveRoles(tx, row.trustor_user_id, { type: 'project', project }, { validity })
  const beyond = roleIds.find(id => !own.some(role => role.id === id))
  if (beyond !== undefined) throw missing('role', beyond)
}

async function refuseBeyond(tx: Db, row: TrustRow, roleIds: readonly string[]): Promise<void> {
  const parent = await findTrust(tx, row.redelegated_trust_id!)
  if (!parent) throw missing('trust', row.redelegated_trust_id!)
  const rules = await implications(tx)
  const problem = redelegationProblem(
    redelegable(parent, await trustRoleIds(tx, parent.id)),
    redelegable(row, roleIds),
    ids => new Set(withImplied(ids, rules).keys()),
  )
  if (problem !== undefined) throw refusedAction(`Cannot redelegate trust ${parent.id}: ${problem}.`)
}

const redelegable = (row: TrustRow, roleIds: readonly string[]): Redelegable => ({
  impersonation: row.impersonation === 1,
  projectId: row.project_id,
  roleIds,
  end: endOf(row),
  remainingUses: row.remaining_uses,
  redelegations: row.redelegation_count,
})
