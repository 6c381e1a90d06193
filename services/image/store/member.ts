/** Rows of members of images. */
import type { ImageMember, MemberStatus } from '../contract/member.ts'
import type { ImageDb } from './database.ts'

export async function getMember(db: ImageDb, imageId: string, memberId: string): Promise<ImageMember | undefined> {
  return db
    .selectFrom('image_members')
    .selectAll()
    .where('image_id', '=', imageId)
    .where('member_id', '=', memberId)
    .executeTakeFirst()
}

export async function listMembers(db: ImageDb, imageId: string): Promise<readonly ImageMember[]> {
  return db
    .selectFrom('image_members')
    .selectAll()
    .where('image_id', '=', imageId)
    .orderBy('created_at')
    .orderBy('member_id')
    .execute()
}

/** Of `imageIds`, those that the project is a member of. */
export async function membershipsOf(
  db: ImageDb,
  memberId: string,
  imageIds: readonly string[],
): Promise<ReadonlySet<string>> {
  if (imageIds.length === 0) return new Set()
  const rows = await db
    .selectFrom('image_members')
    .select('image_id')
    .where('member_id', '=', memberId)
    .where('image_id', 'in', imageIds)
    .execute()
  return new Set(rows.map(row => row.image_id))
}

/** Throws a unique violation when the project is a member already. */
export async function insertMember(tx: ImageDb, member: ImageMember): Promise<void> {
  await tx.insertInto('image_members').values(member).execute()
}

export async function setMemberStatus(
  tx: ImageDb,
  member: Pick<ImageMember, 'image_id' | 'member_id'>,
  status: MemberStatus,
  updatedAt: string,
): Promise<void> {
  await tx
    .updateTable('image_members')
    .set({ status, updated_at: updatedAt })
    .where('image_id', '=', member.image_id)
    .where('member_id', '=', member.member_id)
    .execute()
}

export async function deleteMember(tx: ImageDb, imageId: string, memberId: string): Promise<void> {
  await tx.deleteFrom('image_members').where('image_id', '=', imageId).where('member_id', '=', memberId).execute()
}
