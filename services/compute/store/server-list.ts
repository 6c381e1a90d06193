/** Lists of servers: one query for whatever is asked, with pages that begin after a marker. */
import { type Kysely, sql } from '@strata/toolkit/store'
import type { ComputeTables, ServersTable } from './database.ts'
import { decodeServer, type Server } from './servers.ts'

type Db = Kysely<ComputeTables>
type Column = keyof ServersTable & string

export interface ListFilter {
  readonly projectId?: string
  readonly in: readonly { readonly column: Column; readonly values: readonly (string | number | null)[] }[]
  readonly contains: readonly { readonly column: Column; readonly text: string }[]
  readonly status?: { readonly vmStates: readonly string[]; readonly taskStates: readonly string[] }
  /** Tasks that give a server a status of their own. */
  readonly statusTasks: readonly string[]
  readonly tags: readonly {
    readonly kind: 'tags' | 'tags-any' | 'not-tags' | 'not-tags-any'
    readonly tags: readonly string[]
  }[]
  readonly changedSince?: string
  readonly changedBefore?: string
}

export interface ListPage {
  /** The last one is unique. */
  readonly sort: readonly { readonly column: Column; readonly direction: 'asc' | 'desc' }[]
  readonly after?: ServersTable
  readonly limit?: number
}

export async function listServers(db: Db, filter: ListFilter, page: ListPage): Promise<Server[]> {
  const rows = await select(db, filter, page).selectAll().execute()
  // Decoded in place: a thousand rows are not copied.
  for (const row of rows) decodeServer(row)
  return rows as unknown as Server[]
}

/** Only some columns, undecoded: for filters that no engine can apply. */
export async function scanServers<C extends Column>(
  db: Db,
  filter: ListFilter,
  page: ListPage & { readonly columns: readonly C[] },
): Promise<readonly Pick<ServersTable, C>[]> {
  return (await select(db, filter, page)
    .select(page.columns as readonly Column[])
    .execute()) as Pick<ServersTable, C>[]
}

export async function findRow(db: Db, id: string): Promise<ServersTable | undefined> {
  return db.selectFrom('servers').selectAll().where('id', '=', id).executeTakeFirst()
}

// Engines put null at different ends; the empty string stands for it, first when ascending.
const nullable = new Set<string>([
  ...['description', 'image_id', 'key_name', 'host', 'task_state', 'access_ip_v4', 'access_ip_v6', 'launched_at'],
])
const ordered = (column: Column) =>
  nullable.has(column) ? sql<string>`coalesce(${sql.ref(column)}, '')` : sql.ref(column)

const likeText = (text: string): string => `%${text.replace(/[!%_]/g, char => `!${char}`)}%`

function select(db: Db, filter: ListFilter, page: ListPage) {
  let query = db.selectFrom('servers')
  if (filter.projectId !== undefined) query = query.where('project_id', '=', filter.projectId)
  for (const { column, values } of filter.in) {
    const some = values.filter(value => value !== null)
    query = query.where(eb => {
      const isOne = some.length === 1 ? eb(column, '=', some[0] as never) : eb(column, 'in', some as never)
      if (some.length === values.length) return isOne
      return some.length === 0 ? eb(column, 'is', null) : eb.or([isOne, eb(column, 'is', null)])
    })
  }
  for (const { column, text } of filter.contains)
    query = query.where(sql<boolean>`lower(${sql.ref(column)}) like ${likeText(text.toLowerCase())} escape '!'`)
  if (filter.status) query = query.where(statusCondition(filter.status, filter.statusTasks))
  for (const { kind, tags } of filter.tags) query = query.where(tagCondition(kind, tags))
  if (filter.changedSince !== undefined) query = query.where('updated_at', '>=', filter.changedSince)
  if (filter.changedBefore !== undefined) query = query.where('updated_at', '<=', filter.changedBefore)
  if (page.after) query = query.where(afterCondition(page.sort, page.after))
  for (const { column, direction } of page.sort) query = query.orderBy(ordered(column), direction)
  return page.limit === undefined ? query : query.limit(page.limit)
}

const listed = (values: readonly string[]) => sql.join(values.map(value => sql`${value}`))

function statusCondition({ vmStates, taskStates }: NonNullable<ListFilter['status']>, tasks: readonly string[]) {
  // In ERROR a server shows that, whatever its task.
  const plain = sql<boolean>`(vm_state in (${listed(vmStates.length > 0 ? vmStates : [''])})
    and (vm_state = 'error' or task_state is null or task_state not in (${listed(tasks)})))`
  const working = sql<boolean>`(vm_state <> 'error' and task_state in (${listed(taskStates.length > 0 ? taskStates : [''])}))`
  return sql<boolean>`(${plain} or ${working})`
}

/** Tags have neither quotes nor commas that matter here: each lies in the column between quotes, as JSON writes it. */
function tagCondition(kind: ListFilter['tags'][number]['kind'], tags: readonly string[]) {
  const each = tags.map(tag => sql<boolean>`tags like ${likeText(JSON.stringify(tag))} escape '!'`)
  const joined = sql.join(each, kind.endsWith('any') ? sql` or ` : sql` and `)
  return kind.startsWith('not') ? sql<boolean>`not (${joined})` : sql<boolean>`(${joined})`
}

/** Rows that come after another in this order: (a > x) or (a = x and b > y) or … */
function afterCondition(sort: ListPage['sort'], after: ServersTable) {
  const alternatives = sort.map(({ column, direction }, at) => {
    const equal = sort.slice(0, at).map(before => sql`${ordered(before.column)} = ${after[before.column] ?? ''}`)
    const beyond =
      direction === 'asc'
        ? sql`${ordered(column)} > ${after[column] ?? ''}`
        : sql`${ordered(column)} < ${after[column] ?? ''}`
    return sql`(${sql.join([...equal, beyond], sql` and `)})`
  })
  return sql<boolean>`(${sql.join(alternatives, sql` or `)})`
}
