/**
 * Undoes what a process that died left behind: images that wait for data which nobody sends any more, imports that nobody carries on,
 * blobs that no image refers to. Runs at the start, when all that this process held before counts as abandoned, and from time
 * to time for what others held.
 */
import type { Metrics } from '@strata/toolkit/metrics'
import { createReconciler, type Reconciler } from '@strata/toolkit/reconciler'
import { isoTime } from '@strata/toolkit/runtime'
import { abandonedTransfers, moveImage, referredBlobs } from '../../store/image.ts'
import { deleteExpiredTasks } from '../../store/task.ts'
import { type ImageDeps, timeNow } from '../deps.ts'
import { runImport } from '../image/import.ts'
import { undo } from '../image/upload.ts'
import { LEASE_MS, leaseEnd } from '../transfer.ts'

const PERIOD_MS = 60_000

/** `startedAt`: when this process began, in milliseconds since 1970. */
export function createLeftoversReconciler(deps: ImageDeps, startedAt: number, metrics: Metrics): Reconciler {
  const firstLease = isoTime(startedAt + LEASE_MS)
  return createReconciler({
    name: 'image-leftovers',
    run: () => reconcileLeftovers(deps, firstLease),
    period: PERIOD_MS,
    runtime: deps.runtime,
    log: deps.log,
    metrics,
  })
}

async function reconcileLeftovers(deps: ImageDeps, firstLease: string): Promise<void> {
  const now = timeNow(deps)
  const { db } = deps.store
  for (const { id, status, upload_id } of await abandonedTransfers(db, { holder: deps.holder, firstLease, now })) {
    if (upload_id === null) continue
    if (status === 'importing') await takeOverImport(deps, id, upload_id)
    else {
      deps.log.warn({ image_id: id, status }, 'an upload was cut off: the image waits for its data again')
      await undo(deps, { id, uploadId: upload_id, from: status })
    }
  }
  await removeOrphans(deps)
  await deleteExpiredTasks(db, now)
}

async function takeOverImport(deps: ImageDeps, id: string, uploadId: string): Promise<void> {
  const set = {
    status: 'importing',
    upload_holder: deps.holder,
    upload_lease: leaseEnd(deps),
    updated_at: timeNow(deps),
  } as const
  if (await moveImage(deps.store.db, { id, from: 'importing', uploadId, set })) void runImport(deps, id, uploadId)
}

/** Blobs are listed before the rows are read: one that comes in between has its row already. */
async function removeOrphans(deps: ImageDeps): Promise<void> {
  const blobs = await deps.blobs.list()
  const referred = await referredBlobs(deps.store.db)
  for (const blob of blobs) {
    if (referred.has(blob)) continue
    deps.log.info({ blob }, 'removing image data that no image refers to')
    await deps.blobs.remove(blob)
  }
}
