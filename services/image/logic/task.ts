/** Looking up how imports ended. */
import type { RequestContext } from '@strata/toolkit/context'
import { badRequest, notFound } from '@strata/toolkit/fault'
import type { ImageTask } from '../contract/task.ts'
import { getTask, listTasks, tasksOfImage } from '../store/task.ts'
import { findImage } from './access.ts'
import type { ImageDeps } from './deps.ts'

/** Throws a 404 unless the caller sees the image. */
export async function importsOf(
  deps: ImageDeps,
  context: RequestContext,
  imageId: string,
): Promise<readonly ImageTask[]> {
  await findImage(deps.store.db, context, imageId)
  return tasksOfImage(deps.store.db, imageId)
}

export async function showTask(deps: ImageDeps, id: string): Promise<ImageTask> {
  const task = await getTask(deps.store.db, id)
  if (!task) throw notFound(`Task not found: ${id}`, 'TaskNotFound')
  return task
}

export async function taskPage(
  deps: ImageDeps,
  page: { readonly limit: number; readonly marker?: string; readonly status?: string; readonly type?: string },
): Promise<readonly ImageTask[]> {
  const marker = page.marker === undefined ? undefined : await getTask(deps.store.db, page.marker)
  if (page.marker !== undefined && !marker) throw badRequest(`Invalid marker: ${page.marker}`)
  return listTasks(deps.store.db, { ...page, marker })
}
