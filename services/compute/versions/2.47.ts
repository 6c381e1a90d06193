/** A server shows its flavor as it was at the build; before, a link to it. */
import type { VersionChange } from './change.ts'

export const version47: VersionChange = { minor: 47, down: (_view, { flavor }) => ({ flavor }) }
