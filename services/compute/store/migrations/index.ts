import { sagasMigration } from '@strata/toolkit/saga'
import { serversAndHosts } from './0001-servers-and-hosts.ts'
import { catalog } from './0002-catalog.ts'
import { serverRevision } from './0003-server-revision.ts'

/** All migrations of compute, oldest first. */
export const migrations = [sagasMigration, serversAndHosts, catalog, serverRevision]
