/** Projects and domains: look-ups by name, trees, tags. */
import type { Db, Tables } from './tables.ts'

export type ProjectRow = Tables['projects']

export function findProject(db: Db, id: string): Promise<ProjectRow | undefined> {
  return db.selectFrom('projects').selectAll().where('id', '=', id).executeTakeFirst()
}

export function findProjectByName(db: Db, domainId: string, name: string): Promise<ProjectRow | undefined> {
  return db
    .selectFrom('projects')
    .selectAll()
    .where('name_scope', '=', domainId)
    .where('name', '=', name)
    .executeTakeFirst()
}

/** What `name_scope` of every domain holds. */
export const domainsScope = 'domains'

export async function findDomain(db: Db, by: { id?: string; name?: string }): Promise<ProjectRow | undefined> {
  const row =
    by.id !== undefined ? await findProject(db, by.id) : await findProjectByName(db, domainsScope, by.name ?? '')
  return row?.is_domain ? row : undefined
}

export function findProjects(db: Db, ids: readonly string[]): Promise<ProjectRow[]> {
  if (ids.length === 0) return Promise.resolve([])
  return db
    .selectFrom('projects')
    .selectAll()
    .where('id', 'in', [...ids])
    .orderBy('name')
    .orderBy('id')
    .execute()
}

/** The projects above, nearest first; the domain at the top is not among them. */
export async function ancestors(db: Db, project: ProjectRow): Promise<ProjectRow[]> {
  const found: ProjectRow[] = []
  let parent = project.parent_id
  while (parent !== null && parent !== project.domain_id) {
    const row = await findProject(db, parent)
    if (!row || row.is_domain) break
    found.push(row)
    parent = row.parent_id
  }
  return found
}

export function children(db: Db, ids: readonly string[]): Promise<ProjectRow[]> {
  if (ids.length === 0) return Promise.resolve([])
  return db
    .selectFrom('projects')
    .selectAll()
    .where('parent_id', 'in', [...ids])
    .orderBy('name')
    .execute()
}

export async function insertProject(db: Db, row: ProjectRow): Promise<void> {
  await db.insertInto('projects').values(row).execute()
}

/** All projects below, parents before their children. */
export async function subtree(db: Db, id: string): Promise<ProjectRow[]> {
  const found: ProjectRow[] = []
  let level = await children(db, [id])
  while (level.length > 0) {
    found.push(...level)
    level = await children(
      db,
      level.map(row => row.id),
    )
  }
  return found
}

export function projectsOfDomain(db: Db, domainId: string): Promise<ProjectRow[]> {
  return db.selectFrom('projects').selectAll().where('domain_id', '=', domainId).execute()
}

export async function tagsOf(db: Db, ids: readonly string[]): Promise<Map<string, string[]>> {
  const tags = new Map<string, string[]>(ids.map(id => [id, []]))
  if (ids.length === 0) return tags
  const rows = await db
    .selectFrom('project_tags')
    .selectAll()
    .where('project_id', 'in', [...ids])
    .orderBy('name')
    .execute()
  for (const row of rows) tags.get(row.project_id)?.push(row.name)
  return tags
}

export async function setTags(db: Db, id: string, tags: readonly string[]): Promise<void> {
  await db.deleteFrom('project_tags').where('project_id', '=', id).execute()
  if (tags.length > 0)
    await db
      .insertInto('project_tags')
      .values(tags.map(name => ({ project_id: id, name })))
      .execute()
}
