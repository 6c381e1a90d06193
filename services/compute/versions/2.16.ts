/** How the server's host is. */
import type { VersionChange } from './change.ts'

export const version16: VersionChange = { minor: 16, brings: ['host_status'] }
