/** How users may log in from elsewhere (`federated` of a user), and what those are called that came from there. */
import { badRequest } from '@strata/toolkit/fault'
import type { Condition } from '@strata/toolkit/resource'
import { sql } from '@strata/toolkit/store'
import { duplicate, missingIdp, missingProtocol } from '../../contract/errors.ts'
import type { FederatedIdentity } from '../../contract/user.ts'
import {
  type FederatedUserRow,
  findFederatedUser,
  findIdp,
  findProtocol,
  identitiesOf,
  insertIdentities,
  removeIdentities,
} from '../../store/federation.ts'
import { forgetDisplayName } from '../../store/shadow-user.ts'
import type { Db } from '../../store/tables.ts'
import { findUser, findUsers } from '../../store/user.ts'

/** Sets how the user may log in from elsewhere. Throws a 400 for a provider or protocol that is none, a 409 for another's id. */
export async function setIdentities(
  tx: Db,
  user: { readonly id: string; readonly name: string },
  federated: readonly FederatedIdentity[],
): Promise<void> {
  const rows = federated.flatMap(({ idp_id, protocols }) =>
    protocols.map(
      ({ protocol_id, unique_id }): FederatedUserRow => ({
        idp_id,
        protocol_id,
        unique_id,
        user_id: user.id,
        display_name: user.name,
      }),
    ),
  )
  for (const row of rows) {
    if (!(await findIdp(tx, row.idp_id))) throw badRequest(missingIdp(row.idp_id).message, 'ValidationError')
    if (!(await findProtocol(tx, row.idp_id, row.protocol_id)))
      throw badRequest(missingProtocol(row.idp_id, row.protocol_id).message, 'ValidationError')
  }
  await removeIdentities(tx, user.id)
  for (const row of rows) {
    if (await findFederatedUser(tx, row)) throw duplicate('federated_user', `unique ID ${row.unique_id}`)
    await insertIdentities(tx, [row])
  }
}

/** As the API shows them; undefined when there are none. */
export async function identitiesShown(db: Db, userId: string): Promise<readonly FederatedIdentity[] | undefined> {
  const byProvider = Map.groupBy(await identitiesOf(db, [userId]), row => row.idp_id)
  if (byProvider.size === 0) return undefined
  return [...byProvider].map(([idp_id, rows]) => ({
    idp_id,
    protocols: rows.map(({ protocol_id, unique_id }) => ({ protocol_id, unique_id })),
  }))
}

/** Rows under the names that their users go by; whose name is their id came from elsewhere. */
export async function underNames<T extends { readonly id: string; readonly name: string }>(
  db: Db,
  rows: readonly T[],
): Promise<readonly T[]> {
  const foreign = rows.filter(row => row.name === row.id).map(row => row.id)
  if (foreign.length === 0) return rows
  const names = new Map((await findUsers(db, foreign)).map(row => [row.id, row.name]))
  return rows.map(row => (names.has(row.id) ? { ...row, name: names.get(row.id)! } : row))
}

/** A user that came from elsewhere and is given another name has it here from then on, as users of this cloud do. */
export async function nameOfOwn<T extends { readonly name?: string }>(
  tx: Db,
  row: { readonly id: string; readonly name: string },
  change: T,
): Promise<T> {
  if (change.name === undefined || row.name !== row.id) return change
  const known = await findUser(tx, row.id)
  if (known?.name === change.name.trim()) return { ...change, name: row.name }
  await forgetDisplayName(tx, row.id)
  return change
}

const columns = ['idp_id', 'protocol_id', 'unique_id'] as const

/** What a query asks of one and the same identity, as the one parameter that `identityFilter` reads. */
export function identityQuery(query: Query): { readonly federated: string | undefined } {
  const wanted = columns.map(column => [column, [query[column]].flat().at(-1)] as const).filter(([, value]) => value)
  return { federated: wanted.length === 0 ? undefined : JSON.stringify(Object.fromEntries(wanted)) }
}

type Query = Readonly<Record<string, string | string[] | undefined>>

export function identityFilter(values: readonly string[]): Condition {
  const wanted = Object.entries(JSON.parse(values.at(-1)!) as Record<(typeof columns)[number], string>)
  return eb =>
    eb(
      'id',
      'in',
      wanted.reduce(
        (ids, [column, value]) => ids.where(column, '=', value),
        eb.selectFrom('federated_users').select('user_id'),
      ),
    )
}

/**
 * Users that are called so, here or where they came from. These are looked up by their ids, which are their names here: the
 * index of names serves both, in its order.
 */
export const nameFilter =
  (values: readonly string[]): Condition =>
  eb =>
    eb(
      'name',
      'in',
      sql`(${sql.join(
        values.map(value => sql`select ${value}`),
        sql` union all `,
      )} union all select id from users as foreign_users where display_name in (${sql.join([...values])}))`,
    )
