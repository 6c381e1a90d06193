/** Offering a shared image to projects, and what they make of the offer. */
import type { RequestContext } from '@strata/toolkit/context'
import { badRequest, conflict, forbidden, notFound } from '@strata/toolkit/fault'
import { isUniqueViolation } from '@strata/toolkit/store'
import { type ImageMember, MEMBER_STATUSES, type MemberStatus } from '../contract/member.ts'
import type { ImageDb } from '../store/database.ts'
import { deleteMember, getMember, insertMember, listMembers, setMemberStatus } from '../store/member.ts'
import { findImage, isAdmin, type SeenImage } from './access.ts'
import { announce, type ImageDeps, timeNow } from './deps.ts'
import { checkCount } from './rules/quota.ts'

/** Throws a 403 unless the image is shared and the caller's, a 409 for a member that is one already, a 413 past the quota. */
export async function addMember(
  deps: ImageDeps,
  context: RequestContext,
  imageId: string,
  memberId: string,
): Promise<ImageMember> {
  const now = timeNow(deps)
  const member: ImageMember = {
    image_id: imageId,
    member_id: memberId,
    status: 'pending',
    created_at: now,
    updated_at: now,
  }
  try {
    await deps.store.transaction(async (tx, afterCommit) => {
      const seen = await findShared(tx, context, imageId)
      context.enforce('add_member', seen.target)
      checkCount('members', (await listMembers(tx, imageId)).length + 1, deps.config.image_member_quota)
      await insertMember(tx, member)
      announce(deps, afterCommit, imageId, 'updated')
    })
  } catch (err) {
    if (isUniqueViolation(err)) throw conflict(`Member ${memberId} is duplicated for image ${imageId}`)
    throw err
  }
  return member
}

/** The owner sees all members, a member itself. */
export async function membersOf(
  deps: ImageDeps,
  context: RequestContext,
  imageId: string,
): Promise<readonly ImageMember[]> {
  const { db } = deps.store
  const seen = await findShared(db, context, imageId)
  context.enforce('get_members', seen.target)
  return (await listMembers(db, imageId)).filter(member => sees(context, seen, member.member_id))
}

/** Throws a 404 for whatever the caller may not see. */
export async function showMember(
  deps: ImageDeps,
  context: RequestContext,
  imageId: string,
  memberId: string,
): Promise<ImageMember> {
  const { db } = deps.store
  const seen = await findImage(db, context, imageId)
  if (seen.image.visibility !== 'shared') throw notFound('Only shared images have members.')
  return findMember(db, context, seen, memberId)
}

/** Accepts, rejects, or takes back either. Throws a 400 for another status, a 403 for all but the member itself. */
export async function answerOffer(
  deps: ImageDeps,
  context: RequestContext,
  key: { readonly imageId: string; readonly memberId: string },
  status: unknown,
): Promise<ImageMember> {
  return deps.store.transaction(async (tx, afterCommit) => {
    const seen = await findShared(tx, context, key.imageId)
    const member = await findMember(tx, context, seen, key.memberId)
    context.enforce('modify_member', seen.target)
    if (!MEMBER_STATUSES.includes(status as MemberStatus))
      throw badRequest('Incorrect request: Status must be "pending", "accepted" or "rejected".')
    const now = timeNow(deps)
    await setMemberStatus(tx, member, status as MemberStatus, now)
    announce(deps, afterCommit, key.imageId, 'updated')
    return { ...member, status: status as MemberStatus, updated_at: now }
  })
}

/** Throws a 403 for all but the owner, a 404 for who is no member. */
export async function withdrawOffer(
  deps: ImageDeps,
  context: RequestContext,
  imageId: string,
  memberId: string,
): Promise<void> {
  await deps.store.transaction(async (tx, afterCommit) => {
    const seen = await findShared(tx, context, imageId)
    const member = await findMember(tx, context, seen, memberId)
    context.enforce('delete_member', seen.target)
    await deleteMember(tx, imageId, member.member_id)
    announce(deps, afterCommit, imageId, 'updated')
  })
}

async function findShared(db: ImageDb, context: RequestContext, imageId: string): Promise<SeenImage> {
  const seen = await findImage(db, context, imageId)
  if (seen.image.visibility !== 'shared') throw forbidden('Only shared images have members.')
  return seen
}

async function findMember(
  db: ImageDb,
  context: RequestContext,
  seen: SeenImage,
  memberId: string,
): Promise<ImageMember> {
  const { id } = seen.image
  const visible = context.can('get_member', seen.target) && sees(context, seen, memberId)
  const member = visible ? await getMember(db, id, memberId) : undefined
  if (!member) throw notFound(`${memberId} not found in the member list of the image ${id}.`)
  return member
}

function sees(context: RequestContext, { image }: SeenImage, memberId: string): boolean {
  return isAdmin(context) || image.owner === context.projectId || memberId === context.projectId
}
