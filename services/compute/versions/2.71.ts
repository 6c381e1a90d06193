/** The groups of a server. */
import type { VersionChange } from './change.ts'

export const version71: VersionChange = { minor: 71, brings: ['server_groups'] }
