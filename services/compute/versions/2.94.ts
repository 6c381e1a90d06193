/** A host name may have its domain with it. */
import { shortHostname } from '../contract/server-requests.ts'
import { having, type VersionChange } from './change.ts'

const short = having('hostname', shortHostname)

export const version94: VersionChange = { minor: 94, create: short, update: short, rebuild: short }
