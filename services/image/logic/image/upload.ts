/**
 * Giving an image its data: at once (`upload`: queued → saving → active), or beforehand, to be imported later (`stage`:
 * queued → uploading). Whatever goes wrong, the image is `queued` again and nothing of the data is left.
 */
import type { Readable } from 'node:stream'
import type { RequestContext } from '@strata/toolkit/context'
import { badRequest, Fault } from '@strata/toolkit/fault'
import { badImageData, badTransition, goneDuringUpload, tooManyBytes } from '../../contract/errors.ts'
import type { ImageChanged } from '../../contract/events.ts'
import type { ImageStatus } from '../../contract/image.ts'
import type { ImagesTable } from '../../store/database.ts'
import { getImage, moveImage, renewLease, type StoredImage } from '../../store/image.ts'
import { findImage } from '../access.ts'
import { announce, type ImageDeps, timeNow } from '../deps.ts'
import { drain, HASH_ALGORITHM, leaseEnd, type Received, receive } from '../transfer.ts'

export interface Incoming {
  readonly body: Readable
  /** Bytes that the sender said there would be. */
  readonly size?: number
}

/** Throws a 403, 404; 400 for formats that are not set; 409 unless queued; 410, 413, 415 as the data turn out. */
export async function uploadImage(
  deps: ImageDeps,
  context: RequestContext,
  id: string,
  incoming: Incoming,
): Promise<void> {
  await takeIn(
    { deps, context, id, incoming, rule: 'upload_image', status: 'saving', change: 'activated' },
    (image, received, uploadId) => ({
      ...factsOf(deps, image, received),
      ...IDLE,
      status: 'active',
      data_id: uploadId,
    }),
  )
}

/** The same failures as of an upload, but for formats, at which the import looks. */
export async function stageImage(
  deps: ImageDeps,
  context: RequestContext,
  id: string,
  incoming: Incoming,
): Promise<void> {
  await takeIn(
    { deps, context, id, incoming, rule: 'modify_image', status: 'uploading', change: 'updated' },
    (_image, { size }) => ({ status: 'uploading', size, upload_holder: null, upload_lease: null }),
  )
}

/** No transfer is under way. */
export const IDLE = { upload_id: null, upload_holder: null, upload_lease: null } as const

/** What an image without data looks like. */
const EMPTY = { ...IDLE, status: 'queued', size: null, virtual_size: null, data_id: null } as const

/** What the data make known of the image. Throws a 415 when they are not welcome. */
export function factsOf(deps: ImageDeps, image: StoredImage, received: Received) {
  const { virtualSize, refused } = received.inspector.verdict({
    diskFormat: image.disk_format ?? '',
    containerFormat: image.container_format ?? '',
    mustMatch: deps.config.require_image_format_match,
  })
  if (refused !== undefined) throw badImageData(refused)
  return {
    size: received.size,
    virtual_size: virtualSize,
    checksum: received.checksum,
    os_hash_algo: HASH_ALGORITHM,
    os_hash_value: received.hash,
  }
}

interface Intake {
  readonly deps: ImageDeps
  readonly context: RequestContext
  readonly id: string
  readonly incoming: Incoming
  readonly rule: string
  /** While the data come in. */
  readonly status: 'saving' | 'uploading'
  readonly change: ImageChanged['change']
}

/** What the image's row becomes once all data is there. Throws when the data is refused; it is not made whole then. */
type Outcome = (
  image: StoredImage,
  received: Received,
  uploadId: string,
) => Partial<ImagesTable> & { readonly status: ImageStatus }

async function takeIn(intake: Intake, outcome: Outcome): Promise<void> {
  const { deps, id, incoming, status } = intake
  const uploadId = deps.runtime.uuid()
  try {
    const image = await begin(intake, uploadId)
    try {
      await write(intake, image, uploadId, outcome)
    } catch (err) {
      await undo(deps, { id, uploadId, from: status })
      throw err
    }
  } catch (err) {
    drain(incoming.body)
    throw err
  }
}

async function write(intake: Intake, image: StoredImage, uploadId: string, outcome: Outcome): Promise<void> {
  const { deps, id, incoming, status } = intake
  const sink = await deps.blobs.write(uploadId, incoming.size)
  try {
    const received = await receive(deps, { imageId: id, uploadId, source: incoming.body, sink })
    if (incoming.size !== undefined && received.size !== incoming.size)
      throw badRequest(`The size of the data is ${received.size} bytes, not ${incoming.size} as was announced.`)
    const set = outcome(image, received, uploadId)
    await sink.commit()
    await deps.store.transaction(async (tx, afterCommit) => {
      const move = { id, from: status, uploadId, set: { ...set, updated_at: timeNow(deps) } }
      if (!(await moveImage(tx, move))) throw goneDuringUpload(id)
      announce(deps, afterCommit, id, intake.change)
    })
  } catch (err) {
    await sink.abort()
    // Who deleted the image has removed the blob under our hands.
    const ours = err instanceof Fault || (await renewLease(deps.store.db, id, uploadId, leaseEnd(deps)))
    throw ours ? err : goneDuringUpload(id)
  }
}

async function begin({ deps, context, id, incoming, rule, status }: Intake, uploadId: string): Promise<StoredImage> {
  const { image } = await deps.store.transaction(async tx => {
    const seen = await findImage(tx, context, id)
    context.enforce(rule, seen.target)
    const { max_image_size: limit } = deps.config
    if (incoming.size !== undefined && incoming.size > limit) throw tooManyBytes(limit)
    if (seen.image.status !== 'queued') throw badTransition(seen.image.status, status)
    if (status === 'saving') requireFormats(seen.image)
    const set = {
      status,
      upload_id: uploadId,
      upload_holder: deps.holder,
      upload_lease: leaseEnd(deps),
      updated_at: timeNow(deps),
    }
    if (!(await moveImage(tx, { id, from: 'queued', set }))) throw badTransition('saving', status)
    return seen
  })
  return image
}

function requireFormats(image: StoredImage): void {
  const missing = (['disk_format', 'container_format'] as const).filter(name => image[name] === null)
  if (missing.length > 0)
    throw badRequest(
      `${missing.length > 1 ? 'Properties' : 'Property'} ${missing.join(', ')} must be set prior to saving data.`,
    )
}

/** Puts the image back into `queued` and removes the blob. What fails of it here is made up for by the reconciler. */
export async function undo(
  deps: ImageDeps,
  transfer: { readonly id: string; readonly uploadId: string; readonly from: ImageStatus },
): Promise<void> {
  const { id, uploadId, from } = transfer
  try {
    const { db } = deps.store
    await moveImage(db, { id, from, uploadId, set: { ...EMPTY, updated_at: timeNow(deps) } })
    // Another process may have taken the transfer over, and brought it to its end.
    const image = await getImage(db, id)
    if (image?.data_id !== uploadId && image?.upload_id !== uploadId) await deps.blobs.remove(uploadId)
  } catch (err) {
    deps.log.warn({ err, image_id: id }, 'an upload was not wholly undone')
  }
}
