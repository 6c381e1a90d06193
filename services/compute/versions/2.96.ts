/** The availability zone that was asked for. */
import type { VersionChange } from './change.ts'

export const version96: VersionChange = { minor: 96, brings: ['pinned_availability_zone'] }
