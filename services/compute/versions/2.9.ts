/** Whether a server is locked. */
import type { VersionChange } from './change.ts'

export const version9: VersionChange = { minor: 9, brings: ['locked'] }
