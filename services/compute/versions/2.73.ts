/** Why a server is locked. */
import type { VersionChange } from './change.ts'

export const version73: VersionChange = { minor: 73, brings: ['locked_reason'] }
