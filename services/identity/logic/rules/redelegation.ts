/** What a trust that is handed on may say: nothing that the one before does not say, and one time less. */
import { maxRedelegations } from '../../contract/trust.ts'

/** What decides: of the trust that is handed on, and of the new one. */
export interface Redelegable {
  readonly impersonation: boolean
  readonly projectId: string | null
  readonly roleIds: readonly string[]
  /** Milliseconds since 1970; undefined: it has no end. */
  readonly end: number | undefined
  readonly remainingUses: number | null
  readonly redelegations: number
}

/** What is wrong with handing it on; undefined when nothing is. `reach`: the roles with all that they imply. */
export function redelegationProblem(
  parent: Redelegable,
  child: Redelegable,
  reach: (roleIds: readonly string[]) => ReadonlySet<string>,
): string | undefined {
  if (parent.redelegations < 1) return 'the trust may not be redelegated'
  if (child.redelegations >= parent.redelegations)
    return `redelegation_count must be below that of the trust: ${parent.redelegations}`
  if (child.impersonation && !parent.impersonation) return 'the trust does not allow impersonation'
  if (child.projectId !== parent.projectId) return 'it must be of the project of the trust'
  if (child.remainingUses !== null) return 'remaining_uses cannot be set for a redelegated trust'
  if (parent.end !== undefined && (child.end === undefined || child.end > parent.end))
    return 'it must not end after the trust'
  const allowed = reach(parent.roleIds)
  return child.roleIds.every(id => allowed.has(id)) ? undefined : 'it has roles that the trust does not have'
}

/** How often a new trust can be handed on; a text when that cannot be. */
export function redelegationsOf(given: {
  readonly allow_redelegation?: boolean | null
  readonly redelegation_count?: number | null
  readonly remaining_uses?: number | null
}): number | string {
  const { allow_redelegation: allow, redelegation_count: count, remaining_uses: uses } = given
  if (!allow) return 0
  if (uses !== undefined && uses !== null) return 'remaining_uses cannot be set together with allow_redelegation'
  const wanted = count ?? maxRedelegations
  return wanted > maxRedelegations ? `redelegation_count must be at most ${maxRedelegations}` : wanted
}
