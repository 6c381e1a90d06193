/** Lists of users and groups that are of a directory. */
import { type ParsedList, parseList } from '@strata/toolkit/resource'
import type { ApiRequest } from '@strata/toolkit/service'
import { dialect, invalid } from '../../contract/errors.ts'
import { group } from '../../contract/group.ts'
import { user } from '../../contract/user.ts'
import { findMapping } from '../../store/id-mapping.ts'
import type { ActorType, Db } from '../../store/tables.ts'
import { findGroup, findUser, type GroupRow, type UserRow } from '../../store/user.ts'
import type { Parts } from '../parts.ts'
import type { DirectoryQuery, NameMatch } from '../ports/directory.ts'
import { shownUserRows } from '../user.ts'
import type { DomainDirectory } from './registry.ts'

export interface Page {
  /** As the API shows them. */
  readonly rows: readonly object[]
  readonly marker: string | undefined
  /** Id of the last, when there are more. */
  readonly next: string | undefined
}

const resources = { user, group } as const
const nameFilter = /^name(?:__(i?)(contains|startswith|endswith))$/
const nameFilters = ['', 'i'].flatMap(fold =>
  ['contains', 'startswith', 'endswith'].map(kind => `name__${fold}${kind}`),
)

export const findActor = (db: Db, type: ActorType, id: string): Promise<UserRow | GroupRow | undefined> =>
  type === 'user' ? findUser(db, id) : findGroup(db, id)

/** Rows as the API shows them. */
export async function shown(parts: Parts, type: ActorType, rows: readonly (UserRow | GroupRow)[]): Promise<object[]> {
  if (type === 'user') return shownUserRows(parts, rows as UserRow[])
  return rows.map(row => ({ ...row, extra: JSON.parse(row.extra ?? '{}') }))
}

/** A page of the users or groups of a domain, as its directory has them now. */
export async function listPeople(
  parts: Parts,
  { type, found, request }: { type: ActorType; found: DomainDirectory; request: ApiRequest },
): Promise<Page> {
  const { shadow } = parts.directories
  const asked = parseList<never>(resources[type] as never, dialect, request.query, [
    ...nameFilters,
    'password_expires_at',
  ])
  const most = Math.min(
    asked.limit ?? Number.POSITIVE_INFINITY,
    found.listLimit || parts.config.max_list_limit,
    parts.config.max_list_limit,
  )
  const query = queryOf(asked, most + 1, await placeOf(parts.store.db, type, asked.marker))
  // Passwords of a directory are its own affair: none is known to end.
  const none = asked.others['password_expires_at'] !== undefined
  const { directory, domainId } = found
  const rows = none
    ? []
    : type === 'user'
      ? await shadow.users(domainId, await directory.listUsers(query))
      : await shadow.groups(domainId, await directory.listGroups(query))
  const kept = rows.slice(0, most)
  return {
    rows: await shown(parts, type, kept),
    marker: asked.marker,
    next: rows.length > most ? kept.at(-1)?.id : undefined,
  }
}

/** The marker's place in the order of the directory. */
async function placeOf(db: Db, type: ActorType, marker: string | undefined) {
  if (marker === undefined) return undefined
  const [row, mapping] = [await findActor(db, type, marker), await findMapping(db, marker)]
  if (!row || !mapping) throw invalid('marker', `names no ${type}`)
  return { name: row.name, id: mapping.local_id }
}

function queryOf(asked: ParsedList, limit: number, after: DirectoryQuery['after']): DirectoryQuery {
  const exact = [asked.where['name'] ?? []]
    .flat(2)
    .map((value): NameMatch => ({ kind: 'equals', value: String(value), fold: false }))
  const others = Object.entries(asked.others).flatMap(([name, values]): NameMatch[] => {
    const [, fold, kind] = nameFilter.exec(name) ?? []
    if (kind === undefined) return []
    return [{ kind: kind as NameMatch['kind'], value: values.at(-1) ?? '', fold: fold === 'i' }]
  })
  const enabled = [asked.where['enabled'] ?? []].flat(2)[0]
  return {
    names: [...exact, ...others],
    limit,
    ...(typeof enabled === 'boolean' && { enabled }),
    ...(after && { after }),
  }
}
