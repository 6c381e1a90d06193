/** The Image service: everything it consists of, put together. */
import { hostname } from 'node:os'
import { join } from 'node:path'
import { glance } from '@strata/toolkit/dialect'
import { compilePolicy } from '@strata/toolkit/policy'
import { defineService } from '@strata/toolkit/service'
import { openStore } from '@strata/toolkit/store'
import { dataOperations } from './api/data.ts'
import { discoveryOperations } from './api/discovery.ts'
import { imageOperations } from './api/images.ts'
import { memberOperations, tagOperations } from './api/members.ts'
import { taskOperations } from './api/tasks.ts'
import { imageConfig } from './contract/config.ts'
import { policies } from './contract/policies.ts'
import { createFileStore } from './drivers/file/index.ts'
import type { ImageDeps } from './logic/deps.ts'
import type { ImageStore } from './logic/ports.ts'
import { createLeftoversReconciler } from './logic/reconcilers/leftovers.ts'
import type { ImageDatabase } from './store/database.ts'
import { migrations } from './store/migrations/index.ts'

export { migrations } from './store/migrations/index.ts'

/** What a composition may hand over: a store of its own instead of files. */
export interface ImageExtra {
  readonly blobs?: ImageStore
}

// biome-ignore lint/suspicious/noConfusingVoidType: most compositions have nothing to hand over and may leave it out
export const image = defineService<ImageExtra | void>({
  type: 'image',
  config: [imageConfig],
  async build(environment, extra) {
    const { runtime, bus, log } = environment
    const config = environment.config.section(imageConfig)
    const blobs =
      (extra || undefined)?.blobs ??
      createFileStore({
        folder: config.file_store_path ?? join(environment.stateDir('image'), 'images'),
        fsync: config.file_store_fsync,
        reserve: config.file_store_reserve,
      })
    const store = await openStore<ImageDatabase>({ url: environment.databaseUrl('image'), migrations })
    const deps: ImageDeps = { store, blobs, runtime, bus, log, config, holder: hostname() }
    const leftovers = createLeftoversReconciler(deps, runtime.now(), environment.metrics)
    return {
      type: 'image',
      dialect: glance,
      policy: compilePolicy(policies, environment.policyOverrides('image')),
      operations: [
        ...discoveryOperations(deps),
        ...imageOperations(deps),
        ...dataOperations(deps),
        ...memberOperations(deps),
        ...tagOperations(deps),
        ...taskOperations(deps),
      ],
      health: async () => ({ problems: [...(await blobs.problems()), ...[leftovers.problem() ?? []].flat()] }),
      // What fails of the first pass is logged and tried again; the service does not wait for it.
      start: () => leftovers.settle().catch(() => {}),
      async stop() {
        await leftovers.stop()
        await store.close()
      },
    }
  },
})
