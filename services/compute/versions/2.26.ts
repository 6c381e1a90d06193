/** Servers have tags. */
import type { VersionChange } from './change.ts'

export const version26: VersionChange = { minor: 26, brings: ['tags'] }
