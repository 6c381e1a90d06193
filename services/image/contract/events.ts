/** Messages that the service publishes. They are hints: whoever cares asks the API what is true. */
export const IMAGE_CHANGED = 'image.changed'

export interface ImageChanged {
  readonly id: string
  readonly change: 'created' | 'updated' | 'activated' | 'deleted'
}
