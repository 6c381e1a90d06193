/** What all verbs of the service work with. */
import type { Log } from '@strata/toolkit/log'
import type { Bus } from '@strata/toolkit/messaging'
import { isoTime, type Runtime } from '@strata/toolkit/runtime'
import type { AfterCommit, Store } from '@strata/toolkit/store'
import type { ImageConfig } from '../contract/config.ts'
import { IMAGE_CHANGED, type ImageChanged } from '../contract/events.ts'
import type { ImageDatabase } from '../store/database.ts'
import type { ImageStore } from './ports.ts'

export interface ImageDeps {
  readonly store: Store<ImageDatabase>
  readonly blobs: ImageStore
  readonly runtime: Runtime
  readonly bus: Bus
  readonly log: Log
  readonly config: ImageConfig
  /** Name under which this process holds transfers; the same after a restart. */
  readonly holder: string
}

export const timeNow = (deps: Pick<ImageDeps, 'runtime'>): string => isoTime(deps.runtime.now())

/** Tells others, once the change is committed. */
export function announce(deps: ImageDeps, afterCommit: AfterCommit, id: string, change: ImageChanged['change']): void {
  afterCommit(() => deps.bus.publish(IMAGE_CHANGED, { id, change } satisfies ImageChanged))
}
