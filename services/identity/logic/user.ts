/** Users: names unique in their domain; a changed password and a disabled user end the tokens that were issued before. */
import type { ChangeScene, Hooks } from '@strata/toolkit/resource'
import type { Row } from '@strata/toolkit/schema'
import type { ApiRequest } from '@strata/toolkit/service'
import { duplicate, missing } from '../contract/errors.ts'
import type { FederatedIdentity, UserOptions, user } from '../contract/user.ts'
import { removeActor } from '../store/assignment.ts'
import { clearFailures, removePasswords, setActive } from '../store/password.ts'
import { findDomain } from '../store/project.ts'
import type { Db } from '../store/tables.ts'
import { findUserByName, type UserRow } from '../store/user.ts'
import {
  domainOf,
  domainOfTarget,
  listTarget,
  merged,
  newName,
  ofCallersDomain,
  partFilters,
  withoutNulls,
} from './common.ts'
import { withoutGone } from './directory/gone.ts'
import {
  identitiesShown,
  identityFilter,
  nameFilter,
  nameOfOwn,
  setIdentities,
  underNames,
} from './federation/identities.ts'
import type { Parts } from './parts.ts'
import { callerAddress } from './password/caller.ts'
import { keepPassword, refuseWeak } from './password/change.ts'
import { inactiveAmong, optionsOf } from './password/enabled.ts'
import { dayOf, expiryOf } from './rules/compliance.ts'
import { readExpiryFilter } from './rules/expiry-filter.ts'

type User = Row<typeof user.fields>

export interface UserLogic {
  readonly hooks: Hooks<typeof user.fields>
  /** Hashes the password of a body before its transaction begins: hashing is slow, and writers wait for each other. */
  prepare(request: ApiRequest): Promise<void>
}

export function userLogic(parts: Parts): UserLogic {
  /** `null`: the password is to be removed. */
  const hashes = new WeakMap<ApiRequest, string | null>()
  const storePassword = async ({ id }: User, { tx, request }: ChangeScene) => {
    const hash = hashes.get(request)
    if (hash === null) await removePasswords(tx, id)
    else if (hash !== undefined) await keepPassword(parts, tx, { userId: id, hash, by: 'administrator' })
  }
  /** None given, or an empty list: they stay as they are. */
  const storeIdentities = async (row: User, { tx, given }: ChangeScene) => {
    const federated = (given['federated'] ?? []) as readonly FederatedIdentity[]
    if (federated.length > 0) await setIdentities(tx, row, federated)
  }
  /** What a new password, or none any more, makes of the row. */
  const expiry = ({ request }: ChangeScene, options: UserOptions) => {
    const hash = hashes.get(request)
    if (hash === undefined) return {}
    return { password_expires_at: hash === null ? null : expiryOf({ ...parts, options, by: 'administrator' }) }
  }
  /** An account that an administrator enables is as one that was just used, and nothing has failed. */
  const renew = async ({ id }: User, { tx, given }: ChangeScene) => {
    if (given['enabled'] === true) await setActive(tx, id, dayOf(parts.runtime.now()))
    if (given['enabled'] === true || typeof given['password'] === 'string') await clearFailures(tx, id)
  }
  const hooks: Hooks<typeof user.fields> = {
    restrict: (context, verb) => [...ofCallersDomain('domain_id')(context, verb), ...withoutGone('users', verb)],
    filters: {
      ...partFilters('name'),
      name: nameFilter,
      federated: identityFilter,
      password_expires_at: values => {
        const { operator, time } = readExpiryFilter(values.at(-1) ?? '')
        return eb => eb('password_expires_at', operator, time)
      },
    },
    target: (values, context) => ({
      user_id: values['id'],
      target: { user: { ...values, domain_id: domainOfTarget(values, context) }, ...listTarget(context) },
    }),
    async decorate(rows, request, db) {
      const shown = await shownUsers(parts, await underNames(db, rows), db)
      const [first] = rows
      const single = request.params['id'] !== undefined || request.body !== undefined
      const federated = first && single ? await identitiesShown(db, first.id) : undefined
      return federated ? [{ ...shown[0], federated }] : shown
    },
    async beforeCreate(body, scene) {
      const { tx, context } = scene
      const domainId = body.domain_id ?? domainOf(context)
      if (!(await findDomain(tx, { id: domainId }))) throw missing('domain', domainId)
      await refuseSameName(tx, domainId, body.name)
      const options = withoutNulls(body.options ?? {})
      return { domain_id: domainId, name: body.name.trim(), options, ...expiry(scene, options) }
    },
    async afterCreate(row, scene) {
      await setActive(scene.tx, row.id, dayOf(parts.runtime.now()))
      await storePassword(row, scene)
      await storeIdentities(row, scene)
      parts.changed(scene.afterCommit)
    },
    async beforeUpdate(row, given, scene) {
      const body = await nameOfOwn(scene.tx, row, given)
      const name = newName(row, body)
      if (name !== undefined) await refuseSameName(scene.tx, row.domain_id, name)
      const change = merged(row, body)
      return { ...change, ...expiry(scene, change.options) }
    },
    async afterUpdate(row, before, scene) {
      await storePassword(row, scene)
      await storeIdentities(row, scene)
      await renew(row, scene)
      if (hashes.has(scene.request) || (before.enabled && !row.enabled))
        await parts.tokens.revoke(scene.tx, { userId: row.id })
      parts.changed(scene.afterCommit)
    },
    async beforeDelete(row, { tx, afterCommit }) {
      await removeActor(tx, { type: 'user', id: row.id })
      await parts.tokens.revoke(tx, { userId: row.id })
      parts.changed(afterCommit)
    },
  }
  return {
    hooks,
    async prepare(request) {
      const { password } = (request.body as { user: { password?: string | null } }).user
      if (password) refuseWeak(parts, password)
      if (password !== undefined)
        hashes.set(
          request,
          password && (await parts.passwords.hash(password, { from: callerAddress(parts.config, request) })),
        )
    },
  }
}

/** Users as the API shows them: who counts as disabled is shown so. */
async function shownUsers(parts: Parts, rows: readonly User[], db: Db): Promise<object[]> {
  const inactive = await inactiveAmong(parts, db, rows)
  return rows.map(row => shownUser(inactive.has(row.id) ? { ...row, enabled: false } : row))
}

/** A default project is shown where there is one. */
export function shownUser({ default_project_id: project, ...row }: User): object {
  return project === null ? row : { ...row, default_project_id: project }
}

/** Rows as their table has them. */
export function shownUserRows(parts: Parts, rows: readonly UserRow[]): Promise<object[]> {
  const users = rows.map(({ display_name: displayName, ...row }) => ({
    ...row,
    name: displayName ?? row.name,
    enabled: row.enabled === 1,
    options: optionsOf(row),
    extra: JSON.parse(row.extra ?? '{}'),
  }))
  return shownUsers(parts, users as unknown as User[], parts.store.db)
}

async function refuseSameName(tx: Db, domainId: string, name: string): Promise<void> {
  if (await findUserByName(tx, domainId, name.trim())) throw duplicate('user', `name ${name} at domain ID ${domainId}`)
}
