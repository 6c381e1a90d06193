/** Who sees which image, and what they may do with it. To callers who may not see an image it does not exist. */
import type { RequestContext } from '@strata/toolkit/context'
import type { Target } from '@strata/toolkit/policy'
import { imageNotFound } from '../contract/errors.ts'
import type { Visibility } from '../contract/image.ts'
import type { ImageDb } from '../store/database.ts'
import { getImage, type StoredImage } from '../store/image.ts'
import type { Viewer } from '../store/list.ts'
import { getMember } from '../store/member.ts'

export interface SeenImage {
  readonly image: StoredImage
  /** What policy rules compare the caller with. */
  readonly target: Target
}

export const isAdmin = (context: RequestContext): boolean => context.can('context_is_admin')

export const viewerOf = (context: RequestContext): Viewer => ({
  projectId: context.projectId,
  admin: isAdmin(context),
})

/** The image with that id. Throws a 404 when there is none, or none that the caller may see. */
export async function findImage(db: ImageDb, context: RequestContext, id: string): Promise<SeenImage> {
  const image = await getImage(db, id)
  if (!image) throw imageNotFound(id)
  const own = image.owner !== null && image.owner === context.projectId
  const member = !own && context.projectId !== '' && (await getMember(db, id, context.projectId)) !== undefined
  const open = image.visibility === 'public' || image.visibility === 'community'
  const visible = isAdmin(context) || own || open || (member && image.visibility === 'shared')
  const target = targetOf(image, member ? context.projectId : undefined)
  if (!visible || !context.can('get_image', target)) throw imageNotFound(id)
  return { image, target }
}

/** `memberId` is the caller's project when it is a member of the image. */
export function targetOf(image: Pick<StoredImage, 'owner' | 'visibility'>, memberId: string | undefined): Target {
  return { project_id: image.owner, owner: image.owner, visibility: image.visibility, member_id: memberId }
}

/** Throws a 403 unless the caller may give such an image this visibility. */
export function enforceVisibility(context: RequestContext, visibility: Visibility, target: Target): void {
  if (visibility === 'public') context.enforce('publicize_image', target)
  if (visibility === 'community') context.enforce('communitize_image', target)
}
