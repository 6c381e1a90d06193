/** Tags may be given at creation. */
import { type VersionChange, without } from './change.ts'

export const version52: VersionChange = { minor: 52, create: without('tags') }
