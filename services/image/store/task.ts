/** Rows of tasks. */
import type { ImageTask } from '../contract/task.ts'
import type { ImageDatabase, ImageDb } from './database.ts'

const toTask = (row: ImageDatabase['image_tasks']): ImageTask => ({
  ...row,
  input: JSON.parse(row.input) as ImageTask['input'],
  result: row.result === null ? null : (JSON.parse(row.result) as ImageTask['result']),
})

export async function insertTask(tx: ImageDb, task: ImageTask): Promise<void> {
  await tx
    .insertInto('image_tasks')
    .values({
      ...task,
      input: JSON.stringify(task.input),
      result: task.result === null ? null : JSON.stringify(task.result),
    })
    .execute()
}

/** Ends, or starts, the tasks of an image that have not ended yet. */
export async function moveTasks(
  tx: ImageDb,
  imageId: string,
  change: Pick<ImageTask, 'status' | 'message' | 'updated_at' | 'expires_at'>,
): Promise<void> {
  await tx
    .updateTable('image_tasks')
    .set(change)
    .where('image_id', '=', imageId)
    .where('status', 'in', ['pending', 'processing'])
    .execute()
}

export async function tasksOfImage(db: ImageDb, imageId: string): Promise<readonly ImageTask[]> {
  const rows = await db
    .selectFrom('image_tasks')
    .selectAll()
    .where('image_id', '=', imageId)
    .orderBy('created_at', 'desc')
    .orderBy('id')
    .execute()
  return rows.map(toTask)
}

export async function getTask(db: ImageDb, id: string): Promise<ImageTask | undefined> {
  const row = await db.selectFrom('image_tasks').selectAll().where('id', '=', id).executeTakeFirst()
  return row && toTask(row)
}

/** Newest first; of a page that starts after `marker`. */
export async function listTasks(
  db: ImageDb,
  page: { readonly limit: number; readonly marker?: ImageTask; readonly status?: string; readonly type?: string },
): Promise<readonly ImageTask[]> {
  const { marker } = page
  let query = db
    .selectFrom('image_tasks')
    .selectAll()
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(page.limit)
  if (page.status !== undefined) query = query.where('status', '=', page.status as ImageTask['status'])
  if (page.type !== undefined) query = query.where('type', '=', page.type as ImageTask['type'])
  if (marker)
    query = query.where(where =>
      where.or([
        where('created_at', '<', marker.created_at),
        where.and([where('created_at', '=', marker.created_at), where('id', '<', marker.id)]),
      ]),
    )
  return (await query.execute()).map(toTask)
}

export async function deleteExpiredTasks(db: ImageDb, now: string): Promise<void> {
  await db.deleteFrom('image_tasks').where('expires_at', '<', now).execute()
}
