/** A host may be asked for by its name. */
import { type VersionChange, without } from './change.ts'

export const version74: VersionChange = { minor: 74, create: without('host', 'hypervisor_hostname') }
