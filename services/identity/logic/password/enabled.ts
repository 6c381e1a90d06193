/** Whether a user is enabled, and has not been away for so long that it counts as disabled. */
import type { Runtime } from '@strata/toolkit/runtime'
import type { IdentityConfig } from '../../contract/config.ts'
import type { UserOptions } from '../../contract/user.ts'
import { activeDays } from '../../store/password.ts'
import type { Db } from '../../store/tables.ts'
import type { UserRow } from '../../store/user.ts'
import { isInactive } from '../rules/compliance.ts'

export const optionsOf = (user: Pick<UserRow, 'options'>): UserOptions => JSON.parse(user.options) as UserOptions

export type IsEnabled = (db: Db, user: Pick<UserRow, 'id' | 'enabled' | 'options'>) => Promise<boolean>

export function enabledBy(config: IdentityConfig, runtime: Runtime): IsEnabled {
  return async (db, user) => {
    if (user.enabled !== 1) return false
    if (config.disable_user_account_days_inactive === 0) return true
    const activeOn = (await activeDays(db, [user.id])).get(user.id)
    return !isInactive({ config, options: optionsOf(user), activeOn, now: runtime.now() })
  }
}

/** Of enabled users, the ids of those that count as disabled, having been away for long. */
export async function inactiveAmong(
  { config, runtime }: { readonly config: IdentityConfig; readonly runtime: Runtime },
  db: Db,
  users: readonly { readonly id: string; readonly options: UserOptions }[],
): Promise<Set<string>> {
  if (config.disable_user_account_days_inactive === 0) return new Set()
  const ids = users.map(one => one.id)
  const days = await activeDays(db, ids)
  const now = runtime.now()
  const away = users.filter(({ id, options }) => isInactive({ config, options, activeOn: days.get(id), now }))
  return new Set(away.map(one => one.id))
}
