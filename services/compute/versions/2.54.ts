/** A rebuild may change the key. */
import { type VersionChange, without } from './change.ts'

export const version54: VersionChange = { minor: 54, rebuild: without('key_name') }
