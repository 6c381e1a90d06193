/** Tasks: the record of an import, kept for a while after its end so that its outcome can be looked up. */
import type { JsonSchema } from '@strata/toolkit/schema'

export type TaskStatus = 'pending' | 'processing' | 'success' | 'failure'

export interface ImageTask {
  readonly id: string
  readonly type: 'api_image_import'
  readonly status: TaskStatus
  readonly owner: string
  readonly image_id: string
  readonly user_id: string
  readonly request_id: string
  readonly input: Readonly<Record<string, unknown>>
  readonly result: Readonly<Record<string, unknown>> | null
  /** Why it failed; empty otherwise. */
  readonly message: string
  /** ISO 8601, UTC, milliseconds; `expires_at` is null until the task has ended. */
  readonly created_at: string
  readonly updated_at: string
  readonly expires_at: string | null
}

export const taskAttributes: Readonly<Record<string, JsonSchema>> = {
  id: { type: 'string', description: 'Identifier of the task' },
  type: { type: 'string', enum: ['api_image_import'], description: 'What it does' },
  status: {
    type: 'string',
    enum: ['pending', 'processing', 'success', 'failure'] satisfies TaskStatus[],
    description: 'How far it is',
  },
  input: { type: ['null', 'object'], description: 'What was asked for' },
  result: { type: ['null', 'object'], description: 'What came of it' },
  owner: { type: 'string', description: 'Project that asked for it' },
  message: { type: 'string', description: 'Why it failed' },
  image_id: { type: 'string', description: 'Image that it is about' },
  request_id: { type: 'string', description: 'Request that began it' },
  user_id: { type: 'string', description: 'User who asked for it' },
  expires_at: { type: ['null', 'string'], description: 'When it will be forgotten' },
  created_at: { type: 'string', description: 'When it began' },
  updated_at: { type: 'string', description: 'When it last changed' },
  self: { type: 'string', readOnly: true },
  schema: { type: 'string', readOnly: true },
}
