/**
 * Importing what was staged (method `glance-direct`): uploading → importing → active. The data are read once more, checked, and
 * the staged blob becomes the image's. The work goes on after the answer; a task tells how it ended.
 */
import type { RequestContext } from '@strata/toolkit/context'
import { badRequest, conflict, reason } from '@strata/toolkit/fault'
import { isoTime } from '@strata/toolkit/runtime'
import { goneDuringUpload } from '../../contract/errors.ts'
import { getImage, moveImage, type StoredImage } from '../../store/image.ts'
import { insertTask, moveTasks } from '../../store/task.ts'
import { findImage } from '../access.ts'
import { announce, type ImageDeps, timeNow } from '../deps.ts'
import { leaseEnd, receive } from '../transfer.ts'
import { factsOf, IDLE, undo } from './upload.ts'

export const IMPORT_METHODS: readonly string[] = ['glance-direct']

export interface ImportRequest {
  readonly method: { readonly name: string } & Readonly<Record<string, unknown>>
  readonly stores?: readonly string[]
  readonly all_stores?: boolean
  readonly all_stores_must_succeed?: boolean
}

/** Throws a 400 that names what is wrong. */
export function parseImport(body: unknown, stores: readonly string[]): ImportRequest {
  if (typeof body !== 'object' || body === null) throw badRequest('Body expected in request.')
  const { method, all_stores, all_stores_must_succeed, stores: wanted } = body as Record<string, unknown>
  if (typeof method !== 'object' || method === null) throw badRequest("Import request requires a 'method' field.")
  const { name } = method as Record<string, unknown>
  if (name === undefined) throw badRequest("Import request requires a 'name' field.")
  if (typeof name !== 'string' || !IMPORT_METHODS.includes(name))
    throw badRequest(`Unknown import method name '${String(name)}'.`)
  for (const [field, value] of Object.entries({ all_stores, all_stores_must_succeed }))
    if (value !== undefined && typeof value !== 'boolean') throw badRequest(`'${field}' must be boolean value only`)
  if (wanted !== undefined && (!Array.isArray(wanted) || wanted.some(store => !stores.includes(store))))
    throw badRequest(`'stores' must be a list of stores of this cloud: ${stores.join(', ')}`)
  return body as ImportRequest
}

/** Starts the import. Throws a 403, 404, or a 409 unless the image is staged and its formats are set. Resolves once it has begun. */
export async function importImage(
  deps: ImageDeps,
  context: RequestContext,
  id: string,
  request: ImportRequest,
): Promise<void> {
  const image = await deps.store.transaction(async tx => {
    const { image, target } = await findImage(tx, context, id)
    context.enforce('modify_image', target)
    refuseUnlessStaged(image)
    const now = timeNow(deps)
    const set = {
      status: 'importing',
      upload_holder: deps.holder,
      upload_lease: leaseEnd(deps),
      updated_at: now,
    } as const
    const uploadId = image.upload_id ?? undefined
    if (!(await moveImage(tx, { id, from: 'uploading', uploadId, set }))) throw conflict('Image has active task')
    await insertTask(tx, {
      id: deps.runtime.uuid(),
      image_id: id,
      type: 'api_image_import',
      status: 'processing',
      owner: context.projectId,
      user_id: context.userId,
      request_id: context.requestId,
      input: { image_id: id, import_req: request },
      result: null,
      message: '',
      created_at: now,
      updated_at: now,
      expires_at: null,
    })
    return image
  })
  void runImport(deps, id, image.upload_id!)
}

function refuseUnlessStaged(image: StoredImage): void {
  if (image.status === 'active') throw conflict('Image with status active cannot be target for import')
  if (image.status !== 'uploading' || image.upload_id === null)
    throw conflict("Image needs to be staged before 'glance-direct' method can be used")
  // Until all of it has come, the size is not known.
  if (image.size === null) throw conflict('Image has active task')
  for (const name of ['container_format', 'disk_format'] as const)
    if (image[name] === null) throw conflict(`'${name}' needs to be set before import`)
}

/** Carries an import to its end, whatever that is; also one that another process began. Never rejects. */
export async function runImport(deps: ImageDeps, id: string, uploadId: string): Promise<void> {
  try {
    const source = await deps.blobs.read(uploadId)
    const received = await receive(deps, { imageId: id, uploadId, source })
    const image = await getImage(deps.store.db, id)
    if (!image) throw goneDuringUpload(id)
    const facts = factsOf(deps, image, received)
    await deps.store.transaction(async (tx, afterCommit) => {
      const set = { ...facts, ...IDLE, status: 'active', data_id: uploadId, updated_at: timeNow(deps) } as const
      if (!(await moveImage(tx, { id, from: 'importing', uploadId, set }))) throw goneDuringUpload(id)
      await moveTasks(tx, id, { ...ended(deps), status: 'success', message: '' })
      announce(deps, afterCommit, id, 'activated')
    })
  } catch (err) {
    deps.log.warn({ err, image_id: id }, 'an import failed')
    await undo(deps, { id, uploadId, from: 'importing' })
    await moveTasks(deps.store.db, id, { ...ended(deps), status: 'failure', message: reason(err) }).catch(error =>
      deps.log.error({ err: error, image_id: id }, 'the end of an import could not be written down'),
    )
  }
}

const ended = (deps: ImageDeps) => ({
  updated_at: timeNow(deps),
  expires_at: isoTime(deps.runtime.now() + deps.config.task_retention_hours * 3_600_000),
})
