/** Taking an image out of use for a while: its data can then only be read by administrators. */
import type { RequestContext } from '@strata/toolkit/context'
import { forbidden } from '@strata/toolkit/fault'
import { moveImage } from '../../store/image.ts'
import { findImage } from '../access.ts'
import { announce, type ImageDeps, timeNow } from '../deps.ts'

const verbs = {
  deactivate: { from: 'active', to: 'deactivated' },
  reactivate: { from: 'deactivated', to: 'active' },
} as const

/** Does nothing when the image is in the wanted status already. Throws a 403 in any status but the two. */
export async function switchImage(
  deps: ImageDeps,
  context: RequestContext,
  id: string,
  verb: keyof typeof verbs,
): Promise<void> {
  const { from, to } = verbs[verb]
  await deps.store.transaction(async (tx, afterCommit) => {
    const { image, target } = await findImage(tx, context, id)
    context.enforce(verb, target)
    if (image.status === to) return
    if (image.status !== from) throw forbidden(`Not allowed to ${verb} image in status '${image.status}'`)
    await moveImage(tx, { id, from, set: { status: to, updated_at: timeNow(deps) } })
    announce(deps, afterCommit, id, 'updated')
  })
}
