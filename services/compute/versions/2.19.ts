/** Servers have a description of their own; before, it was their name. */
import { type VersionChange, without } from './change.ts'

const none = without('description')

export const version19: VersionChange = {
  minor: 19,
  brings: ['description'],
  create: none,
  update: none,
  rebuild: none,
}
