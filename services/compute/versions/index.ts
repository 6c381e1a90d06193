/** Servers and requests about them as any version of the API has them, composed once for each version from `versions/`. */
import type { JsonSchema } from '@strata/toolkit/schema'
import type { ServerView } from '../contract/server.ts'
import {
  createEnvelope,
  createServerSchema,
  type ObjectSchema,
  object,
  rebuildSchema,
  updateServerSchema,
} from '../contract/server-requests.ts'
import { version3 } from './2.3.ts'
import { version9 } from './2.9.ts'
import { version16 } from './2.16.ts'
import { version19 } from './2.19.ts'
import { version26 } from './2.26.ts'
import { version32 } from './2.32.ts'
import { version33 } from './2.33.ts'
import { version37 } from './2.37.ts'
import { version42 } from './2.42.ts'
import { version47 } from './2.47.ts'
import { version52 } from './2.52.ts'
import { version54 } from './2.54.ts'
import { version57 } from './2.57.ts'
import { version63 } from './2.63.ts'
import { version67 } from './2.67.ts'
import { version71 } from './2.71.ts'
import { version73 } from './2.73.ts'
import { version74 } from './2.74.ts'
import { notInCore, plainAddresses } from './2.75.ts'
import { version90 } from './2.90.ts'
import { version94 } from './2.94.ts'
import { version96 } from './2.96.ts'
import type { ServerOrigin, VersionChange } from './change.ts'
import { since } from './history.ts'

/** Newest first. */
const changes: readonly VersionChange[] = [
  ...[version96, version94, version90, version74, version73, version71, version67, version63, version57, version54],
  ...[
    version52,
    version47,
    version42,
    version37,
    version33,
    version32,
    version26,
    version19,
    version16,
    version9,
    version3,
  ],
]

const later = (minor: number): readonly VersionChange[] => changes.filter(change => change.minor > minor)

type Draft = { -readonly [K in keyof ServerView]: ServerView[K] }
export type DownServer = (view: ServerView, origin: ServerOrigin) => ServerView

const keep = <T>(make: (minor: number) => T): ((minor: number) => T) => {
  const made = new Map<number, T>()
  return minor => {
    let one = made.get(minor)
    if (one === undefined) {
      one = make(minor)
      made.set(minor, one)
    }
    return one
  }
}

// Members are set to `undefined`, which JSON leaves out, and not deleted: the object keeps its shape, which is much faster.
function hide(view: ServerView, names: readonly (keyof ServerView)[]): void {
  const draft = view as Record<keyof ServerView, unknown>
  for (const name of names) draft[name] = undefined
}

/** Turns the latest view, which it may change, into that of a version. */
export const serverAt: (minor: number) => DownServer = keep(minor => {
  const names = later(minor).flatMap(change => change.brings ?? [])
  const downs = later(minor).flatMap(change => change.down ?? [])
  return (view, origin) => {
    hide(view, names)
    for (const down of downs) Object.assign(view as Draft, down(view, origin))
    return view
  }
})

/** Turns a server's view in a version into what an update or a rebuild answers in it. */
export function changedServerAt(minor: number, verb: 'update' | 'rebuild', view: ServerView): ServerView {
  const rebuilt = verb === 'rebuild'
  if (rebuilt) hide(view, ['OS-EXT-SRV-ATTR:user_data'])
  if (minor >= since.fullAnswers) return view
  const shown = rebuilt && minor >= since.rebuildShowsKey ? notInCore.filter(name => name !== 'key_name') : notInCore
  hide(view, shown)
  return Object.assign(view as Draft, { addresses: plainAddresses(view.addresses) })
}

/** The schema as of a version; the same object for versions that do not differ. */
function schemasOf(
  latest: ObjectSchema,
  verb: 'create' | 'update' | 'rebuild',
  wrap: (schema: ObjectSchema) => JsonSchema,
): (minor: number) => JsonSchema {
  const steps = changes.filter(change => change[verb] !== undefined)
  const bySteps = keep(count => wrap(steps.slice(0, count).reduce((schema, step) => step[verb]!(schema), latest)))
  return minor => bySteps(steps.filter(step => step.minor > minor).length)
}

export const createSchemaAt = schemasOf(createServerSchema, 'create', createEnvelope)
export const updateSchemaAt = schemasOf(updateServerSchema, 'update', server => object({ server }, ['server']))
export const rebuildSchemaAt = schemasOf(rebuildSchema, 'rebuild', rebuild => object({ rebuild }, ['rebuild']))
export { plainAddresses } from './2.75.ts'
