/** The query behind `GET /v2/images`: who sees what, filters, and pages that go on from a marker. */
import { sql } from '@strata/toolkit/store'
import type { Condition, ListQuery } from '../contract/list.ts'
import type { ImageDb } from './database.ts'
import { type StoredImage, withDetails } from './image.ts'

export interface Viewer {
  /** The empty string when the caller's token is not of a project. */
  readonly projectId: string
  /** Sees the images of all projects. */
  readonly admin: boolean
}

/** The next `query.limit` images after `marker` that the viewer may see and that meet every condition. */
export async function listImages(
  db: ImageDb,
  query: Omit<ListQuery, 'marker'>,
  viewer: Viewer,
  marker: StoredImage | undefined,
): Promise<readonly StoredImage[]> {
  if (query.limit === 0) return []
  let select = selectVisible(db, query, viewer)
  for (const condition of query.conditions) select = where(select, condition)
  for (const tag of query.tags)
    select = select.where(eb =>
      eb.exists(
        eb
          .selectFrom('image_tags')
          .select('image_id')
          .whereRef('image_tags.image_id', '=', 'images.id')
          .where('image_tags.value', '=', tag),
      ),
    )
  if (marker) select = after(select, query.sort, marker)
  for (const { key, direction } of query.sort) select = select.orderBy(sortable(key), direction)
  return withDetails(db, await select.limit(query.limit).execute())
}

type Select = ReturnType<typeof base>
const base = (db: ImageDb) => db.selectFrom('images').selectAll('images')

function selectVisible(db: ImageDb, query: Omit<ListQuery, 'marker'>, viewer: Viewer): Select {
  let select = base(db)
  const { visibility } = query
  if (visibility !== undefined && visibility !== 'all') select = select.where('visibility', '=', visibility)
  // Community images of others are only listed on demand.
  if (visibility === undefined)
    select = select.where(eb => eb.or([eb('visibility', '!=', 'community'), eb('owner', '=', viewer.projectId)]))
  if (viewer.admin) return select
  return select.where(eb => {
    let offered = eb
      .selectFrom('image_members')
      .select('image_id')
      .whereRef('image_members.image_id', '=', 'images.id')
      .where('image_members.member_id', '=', viewer.projectId)
    if (query.memberStatus !== 'all') offered = offered.where('image_members.status', '=', query.memberStatus)
    return eb.or([
      eb('visibility', 'in', ['public', 'community']),
      eb('owner', '=', viewer.projectId),
      eb.and([eb('visibility', '=', 'shared'), eb.exists(offered)]),
    ])
  })
}

const OPERATORS = { eq: '=', neq: '!=', gt: '>', gte: '>=', lt: '<', lte: '<=' } as const

function where(select: Select, condition: Condition): Select {
  switch (condition.kind) {
    case 'in':
      return select.where(condition.field, 'in', condition.values as never[])
    case 'number':
      return select.where(condition.field, OPERATORS[condition.op], condition.value)
    case 'flag':
      return select.where(condition.field, '=', condition.value ? 1 : 0)
    case 'property':
      return select.where(eb =>
        eb.exists(
          eb
            .selectFrom('image_properties')
            .select('image_id')
            .whereRef('image_properties.image_id', '=', 'images.id')
            .where('image_properties.name', '=', condition.name)
            .where('image_properties.value', '=', condition.value),
        ),
      )
    case 'time':
      return whereTime(select, condition)
  }
}

/** Times are compared by whole seconds, as they are shown. */
function whereTime(select: Select, { field, op, value, end }: Extract<Condition, { kind: 'time' }>): Select {
  switch (op) {
    case 'gt':
      return select.where(field, '>=', end)
    case 'gte':
      return select.where(field, '>=', value)
    case 'lt':
      return select.where(field, '<', value)
    case 'lte':
      return select.where(field, '<', end)
    case 'eq':
      return select.where(field, '>=', value).where(field, '<', end)
    case 'neq':
      return select.where(eb => eb.or([eb(field, '<', value), eb(field, '>=', end)]))
  }
}

/** A null sorts as the smallest value, on every engine alike. */
const sortable = (key: ListQuery['sort'][number]['key']) =>
  key === 'size' ? sql`coalesce(${sql.ref(key)}, -1)` : sql`coalesce(${sql.ref(key)}, '')`

function after(select: Select, sort: ListQuery['sort'], marker: StoredImage): Select {
  return select.where(eb =>
    eb.or(
      sort.map(({ key, direction }, at) =>
        eb.and([
          ...sort.slice(0, at).map(earlier => eb(sortable(earlier.key), '=', sortedBy(marker, earlier.key))),
          eb(sortable(key), direction === 'asc' ? '>' : '<', sortedBy(marker, key)),
        ]),
      ),
    ),
  )
}

const sortedBy = (image: StoredImage, key: ListQuery['sort'][number]['key']) => image[key] ?? (key === 'size' ? -1 : '')
