/** Application credentials and access rules of users: made by their owner alone, from what its own token may do. */
import type { RequestContext } from '@strata/toolkit/context'
import { forbidden } from '@strata/toolkit/fault'
import type { ApplicationCredentialRequest } from '../contract/application-credential.ts'
import {
  duplicate,
  grantNotFound,
  invalid,
  invalidApplicationCredential,
  missing,
  refusedAction,
} from '../contract/errors.ts'
import type { Ref } from '../contract/token.ts'
import {
  type AccessRuleRow,
  type ApplicationCredentialRow,
  accessRulesOf,
  addApplicationCredential,
  applicationCredentialsOf,
  ensureAccessRule,
  findAccessRule,
  findApplicationCredential,
  isRuleInUse,
  removeAccessRule,
  removeApplicationCredential,
  roleIdsOf,
  rulesOf,
} from '../store/application-credential.ts'
import { findProject } from '../store/project.ts'
import { allRoles, findRole, findRoleByName, type RoleRow } from '../store/role.ts'
import type { Db } from '../store/tables.ts'
import { effectiveRoles } from './assignment/effective.ts'
import { newId, type Parts, validityOf } from './parts.ts'
import { randomPasswordCost } from './password/hash.ts'
import { parseTime } from './rules/times.ts'

export interface ApplicationCredential {
  readonly row: ApplicationCredentialRow
  readonly roles: readonly RoleRow[]
  readonly rules: readonly AccessRuleRow[]
}

/** What the user has by its token alone would not be there for a program that logs in without an identity provider. */
async function refuseUnfounded(
  parts: Parts,
  tx: Db,
  { user_id: userId, project_id: projectId }: ApplicationCredentialRow,
  roles: readonly { readonly id: string }[],
): Promise<void> {
  const project = await findProject(tx, projectId)
  const own = project
    ? await effectiveRoles(tx, userId, { type: 'project', project }, { validity: validityOf(parts) })
    : []
  const beyond = roles.find(role => !own.some(one => one.id === role.id))
  if (beyond) throw invalidApplicationCredential(grantNotFound(beyond.id, userId, projectId).message)
}

export type OwnedAccessRule = AccessRuleRow

type Given = ApplicationCredentialRequest['application_credential']

export function applicationCredentialLogic(parts: Parts) {
  const { db } = parts.store
  const complete = async (tx: Db, row: ApplicationCredentialRow): Promise<ApplicationCredential> => {
    const ids = new Set(await roleIdsOf(tx, row.id))
    return { row, roles: (await allRoles(tx)).filter(role => ids.has(role.id)), rules: await rulesOf(tx, row.id) }
  }
  return {
    async find(id: string): Promise<ApplicationCredential | undefined> {
      const row = await findApplicationCredential(db, id)
      return row && complete(db, row)
    },
    async list(userId: string, name?: string): Promise<ApplicationCredential[]> {
      const rows = await applicationCredentialsOf(db, userId, name)
      return Promise.all(rows.map(row => complete(db, row)))
    },
    /** With the secret, which is shown this once. */
    async create(context: RequestContext, given: Given): Promise<ApplicationCredential & { readonly secret: string }> {
      refuseRestricted(context)
      const token = context.token
      // It would outlive the trust, and reach beyond it.
      if (token?.trust) throw refusedAction('A trustee cannot make application credentials for the trustor.')
      if (!token?.project) throw forbidden('An application credential needs a token of a project.', 'ForbiddenAction')
      const roles = given.roles === undefined ? token.roles : await rolesAmong(db, given.roles, token.roles)
      const secret = given.secret ?? Buffer.from(parts.runtime.bytes(64)).toString('base64url')
      const row: ApplicationCredentialRow = {
        id: newId(parts.runtime),
        user_id: token.user.id,
        project_id: token.project.id,
        name: given.name.trim(),
        description: given.description ?? null,
        hash: await parts.passwords.hash(secret, given.secret ? {} : { cost: randomPasswordCost }),
        expires_at: futureTime(parts, given.expires_at ?? null),
        unrestricted: given.unrestricted ? 1 : 0,
      }
      return parts.store.transaction(async tx => {
        if ((await applicationCredentialsOf(tx, row.user_id, row.name)).length > 0)
          throw duplicate('application_credential', `name ${row.name} for the user ${row.user_id}`)
        await refuseUnfounded(parts, tx, row, roles)
        const ruleIds = await ruleIdsOf(parts, tx, row.user_id, given.access_rules ?? [])
        await addApplicationCredential(
          tx,
          row,
          roles.map(role => role.id),
          ruleIds,
        )
        return { ...(await complete(tx, row)), secret }
      })
    },
    async remove(context: RequestContext, id: string): Promise<void> {
      refuseRestricted(context)
      await parts.store.transaction(async (tx, afterCommit) => {
        await removeApplicationCredential(tx, id)
        parts.changed(afterCommit)
      })
    },
    rules: (userId: string) => accessRulesOf(db, userId),
    async rule(userId: string, id: string): Promise<AccessRuleRow> {
      const row = await findAccessRule(db, userId, id)
      if (!row) throw missing('access_rule', id)
      return row
    },
    removeRule: (userId: string, id: string) =>
      parts.store.transaction(async tx => {
        if (!(await findAccessRule(tx, userId, id))) throw missing('access_rule', id)
        if (await isRuleInUse(tx, id))
          throw refusedAction(`The access rule ${id} is in use by application credentials.`)
        await removeAccessRule(tx, id)
      }),
  }
}

/** Throws a 403 for a token that was got by a restricted application credential, or by a consumer of OAuth 1.0. */
export function refuseRestricted(context: RequestContext): void {
  // What it made would outlive the access token, and reach beyond it.
  if (context.token?.accessToken) throw refusedAction('A consumer cannot manage credentials or trusts of the user.')
  if (context.token?.applicationCredential?.restricted)
    throw refusedAction('A restricted application credential cannot manage credentials or trusts.')
}

/** The time as it is kept; throws a 400 unless it is one to come. */
export function futureTime(parts: Pick<Parts, 'runtime'>, given: string | null): string | null {
  if (given === null) return null
  const time = parseTime(given)
  if (!time) throw invalid('expires_at', 'is not a time (ISO 8601)')
  if (time.at <= parts.runtime.now()) throw invalid('expires_at', 'is in the past')
  return time.text
}

/** Throws a 400 for a role that the caller's token does not have. */
async function rolesAmong(db: Db, wanted: readonly Ref[], own: readonly { readonly id: string }[]): Promise<RoleRow[]> {
  const roles = await Promise.all(wanted.map(ref => findRoleBy(db, ref)))
  if (roles.some(role => !own.some(one => one.id === role.id)))
    throw invalidApplicationCredential('it may only have roles that the caller’s token has.')
  return [...new Map(roles.map(role => [role.id, role])).values()]
}

export async function findRoleBy(db: Db, { id, name }: Ref): Promise<RoleRow> {
  const found = id === undefined ? await findRoleByName(db, name ?? '') : await findRole(db, id)
  if (!found) throw missing('role', id ?? name ?? '')
  return found
}

async function ruleIdsOf(
  parts: Parts,
  tx: Db,
  userId: string,
  given: NonNullable<Given['access_rules']>,
): Promise<string[]> {
  const ids = new Set<string>()
  for (const { id, service = '', method = '', path = '' } of given) {
    if (id === undefined)
      ids.add(await ensureAccessRule(tx, { id: newId(parts.runtime), user_id: userId, service, method, path }))
    else if (await findAccessRule(tx, userId, id)) ids.add(id)
    else throw missing('access_rule', id)
  }
  return [...ids]
}
