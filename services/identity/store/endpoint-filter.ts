/** Which projects have which endpoints and groups of endpoints. */
import type { Db, Tables } from './tables.ts'

export type EndpointGroupRow = Tables['endpoint_groups']
export type ProjectEndpoint = Tables['project_endpoints']
export type ProjectEndpointGroup = Tables['project_endpoint_groups']

export function findEndpointGroup(db: Db, id: string): Promise<EndpointGroupRow | undefined> {
  return db.selectFrom('endpoint_groups').selectAll().where('id', '=', id).executeTakeFirst()
}

export function allEndpointGroups(db: Db): Promise<EndpointGroupRow[]> {
  return db.selectFrom('endpoint_groups').selectAll().orderBy('id').execute()
}

export function projectEndpoints(db: Db, by: Partial<ProjectEndpoint> = {}): Promise<ProjectEndpoint[]> {
  let query = db.selectFrom('project_endpoints').selectAll()
  if (by.project_id !== undefined) query = query.where('project_id', '=', by.project_id)
  if (by.endpoint_id !== undefined) query = query.where('endpoint_id', '=', by.endpoint_id)
  return query.execute()
}

export function projectEndpointGroups(db: Db, by: Partial<ProjectEndpointGroup> = {}): Promise<ProjectEndpointGroup[]> {
  let query = db.selectFrom('project_endpoint_groups').selectAll()
  if (by.project_id !== undefined) query = query.where('project_id', '=', by.project_id)
  if (by.endpoint_group_id !== undefined) query = query.where('endpoint_group_id', '=', by.endpoint_group_id)
  return query.execute()
}

export async function addProjectEndpoint(db: Db, row: ProjectEndpoint): Promise<void> {
  await db.insertInto('project_endpoints').values(row).execute()
}

export async function addProjectEndpointGroup(db: Db, row: ProjectEndpointGroup): Promise<void> {
  await db.insertInto('project_endpoint_groups').values(row).execute()
}

export async function removeProjectEndpoint(db: Db, row: ProjectEndpoint): Promise<void> {
  await db
    .deleteFrom('project_endpoints')
    .where('project_id', '=', row.project_id)
    .where('endpoint_id', '=', row.endpoint_id)
    .execute()
}

export async function removeProjectEndpointGroup(db: Db, row: ProjectEndpointGroup): Promise<void> {
  await db
    .deleteFrom('project_endpoint_groups')
    .where('project_id', '=', row.project_id)
    .where('endpoint_group_id', '=', row.endpoint_group_id)
    .execute()
}
