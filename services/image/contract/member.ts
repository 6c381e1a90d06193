/** Members: projects that a shared image was offered to, and what each made of the offer. */
import type { JsonSchema } from '@strata/toolkit/schema'

export const MEMBER_STATUSES = ['pending', 'accepted', 'rejected'] as const
export type MemberStatus = (typeof MEMBER_STATUSES)[number]

export interface ImageMember {
  readonly image_id: string
  /** Id of a project. */
  readonly member_id: string
  readonly status: MemberStatus
  /** ISO 8601, UTC, milliseconds. */
  readonly created_at: string
  readonly updated_at: string
}

export const memberAttributes: Readonly<Record<string, JsonSchema>> = {
  member_id: { type: 'string', description: 'Project that the image is offered to' },
  image_id: {
    type: 'string',
    pattern: '^([0-9a-fA-F]){8}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){12}$',
    description: 'Identifier of the image',
  },
  created_at: { type: 'string', description: 'When the offer was made' },
  updated_at: { type: 'string', description: 'When the offer or its answer last changed' },
  status: { type: 'string', enum: [...MEMBER_STATUSES], description: 'What the project made of the offer' },
  schema: { readOnly: true, type: 'string' },
}
