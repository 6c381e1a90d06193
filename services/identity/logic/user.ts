/** Users: names unique in their domain; a changed password and a disabled user end the tokens that were issued before. */
import type { ChangeScene, Hooks } from '@strata/toolkit/resource'
import type { Row } from '@strata/toolkit/schema'
import type { ApiRequest } from '@strata/toolkit/service'
import { duplicate, invalid, loginFailed, missing } from '../contract/errors.ts'
import type { PasswordChange, user } from '../contract/user.ts'
import { removeActor } from '../store/assignment.ts'
import { findDomain } from '../store/project.ts'
import type { Db } from '../store/tables.ts'
import { findUser, findUserByName, passwordHash, setPasswordHash, type UserRow } from '../store/user.ts'
import { domainOf, listTarget, merged, newName, ofCallersDomain, partFilters } from './common.ts'
import type { Parts } from './parts.ts'

type User = Row<typeof user.fields>

export interface UserLogic {
  readonly hooks: Hooks<typeof user.fields>
  /** Hashes the password of a body before its transaction begins: hashing is slow, and writers wait for each other. */
  prepare(request: ApiRequest): Promise<void>
  changePassword(userId: string, change: PasswordChange['user']): Promise<void>
}

export function userLogic(parts: Parts): UserLogic {
  /** `null`: the password is to be removed. */
  const hashes = new WeakMap<ApiRequest, string | null>()
  const storePassword = async ({ tx, request }: ChangeScene, userId: string) => {
    const hash = hashes.get(request)
    if (hash !== undefined) await setPasswordHash(tx, userId, hash ?? undefined)
  }
  const hooks: Hooks<typeof user.fields> = {
    restrict: ofCallersDomain('domain_id'),
    filters: partFilters('name'),
    target: (values, context) => ({
      user_id: values['id'],
      target: { user: { ...values, domain_id: values['domain_id'] ?? domainOf(context) }, ...listTarget(context) },
    }),
    decorate: rows => rows.map(shownUser),
    async beforeCreate(body, { tx, context }) {
      const domainId = body.domain_id ?? domainOf(context)
      if (!(await findDomain(tx, { id: domainId }))) throw missing('domain', domainId)
      await refuseSameName(tx, domainId, body.name)
      return { domain_id: domainId, name: body.name.trim() }
    },
    async afterCreate(row, scene) {
      await storePassword(scene, row.id)
      parts.changed(scene.afterCommit)
    },
    async beforeUpdate(row, body, { tx }) {
      const name = newName(row, body)
      if (name !== undefined) await refuseSameName(tx, row.domain_id, name)
      return merged(row, body)
    },
    async afterUpdate(row, before, scene) {
      await storePassword(scene, row.id)
      if (hashes.has(scene.request) || (before.enabled && !row.enabled))
        await parts.tokens.revoke(scene.tx, { userId: row.id })
      parts.changed(scene.afterCommit)
    },
    async beforeDelete(row, { tx, afterCommit }) {
      await removeActor(tx, { type: 'user', id: row.id })
      parts.changed(afterCommit)
    },
  }
  return {
    hooks,
    async prepare(request) {
      const { password } = (request.body as { user: { password?: string | null } }).user
      if (password !== undefined) hashes.set(request, password && (await parts.passwords.hash(password)))
    },
    async changePassword(userId, change) {
      const found = await findUser(parts.store.db, userId)
      const hash = found && (await passwordHash(parts.store.db, found.id))
      const right = await parts.passwords.verify(userId, hash, change.original_password)
      if (!found?.enabled || !right) throw loginFailed()
      if (JSON.parse(found.options).lock_password)
        throw invalid('password', 'cannot be changed: the option lock_password of the user is set')
      if (change.password === change.original_password) throw invalid('password', 'is the same as the original one')
      const next = await parts.passwords.hash(change.password)
      await parts.store.transaction(async (tx, afterCommit) => {
        await setPasswordHash(tx, found.id, next)
        await parts.tokens.revoke(tx, { userId: found.id })
        parts.changed(afterCommit)
      })
    },
  }
}

/** A default project is shown where there is one. */
export function shownUser({ default_project_id: project, ...row }: User): object {
  return project === null ? row : { ...row, default_project_id: project }
}

/** A row as its table has it. */
export function shownUserRow(row: UserRow): object {
  return shownUser({
    ...row,
    enabled: row.enabled === 1,
    options: JSON.parse(row.options),
    extra: JSON.parse(row.extra ?? '{}'),
  } as unknown as User)
}

async function refuseSameName(tx: Db, domainId: string, name: string): Promise<void> {
  if (await findUserByName(tx, domainId, name.trim())) throw duplicate('user', `name ${name} at domain ID ${domainId}`)
}
