/**
 * Undoes what a process that died left behind: images that wait for data which nobody sends any more, imports that nobody carries on,
 * blobs that no image refers to. Runs at the start, when all that this process held before counts as abandoned, and from time
 * to time for what others held.
 */
import { isoTime } from '@strata/toolkit/runtime'
import { abandonedTransfers, moveImage, referredBlobs } from '../../store/image.ts'
import { deleteExpiredTasks } from '../../store/task.ts'
import { type ImageDeps, timeNow } from '../deps.ts'
import { runImport } from '../image/import.ts'
import { undo } from '../image/upload.ts'
import { leaseEnd } from '../transfer.ts'

const PERIOD_MS = 60_000

/** One pass. `restarted`: what this process is said to hold is from a life before this one. */
export async function reconcileLeftovers(deps: ImageDeps, restarted: boolean): Promise<void> {
  const now = isoTime(deps.runtime.now())
  const { db } = deps.store
  for (const { id, status, upload_id } of await abandonedTransfers(db, {
    holder: restarted ? deps.holder : undefined,
    now,
  })) {
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

export interface LeftoversReconciler {
  start(): Promise<void>
  stop(): Promise<void>
}

export function createLeftoversReconciler(deps: ImageDeps): LeftoversReconciler {
  let stopped = false
  let cancel = () => {}
  let running: Promise<void> = Promise.resolve()
  const pass = (restarted: boolean) => {
    running = reconcileLeftovers(deps, restarted)
      .catch(err => deps.log.error({ err }, 'the left-overs of uploads could not be removed'))
      .then(() => {
        if (!stopped) cancel = deps.runtime.timer(PERIOD_MS, () => pass(false))
      })
    return running
  }
  return {
    start: () => pass(true),
    async stop() {
      stopped = true
      cancel()
      await running
    },
  }
}
