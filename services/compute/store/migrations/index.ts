import { sagasMigration } from '@strata/toolkit/saga'
import { serversAndHosts } from './0001-servers-and-hosts.ts'

/** All migrations of compute, oldest first. */
export const migrations = [sagasMigration, serversAndHosts]
