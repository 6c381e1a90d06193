/** All migrations of identity's database, oldest first. */
import type { Migration } from '@strata/toolkit/store'
import { initial } from './0001-initial.ts'
import { applicationCredentials } from './0002-application-credentials.ts'
import { credentials } from './0003-credentials.ts'
import { trusts } from './0004-trusts.ts'
import { limits } from './0005-limits.ts'
import { endpointFilters } from './0006-endpoint-filters.ts'
import { policies } from './0007-policies.ts'
import { securityCompliance } from './0008-security-compliance.ts'
import { federation } from './0009-federation.ts'
import { usedAssertions } from './0010-used-assertions.ts'
import { oauth } from './0011-oauth.ts'
import { domainConfigs } from './0012-domain-configs.ts'
import { listIndexes } from './0013-indexes.ts'
import { notifications } from './0015-notifications.ts'

export const migrations: readonly Migration[] = [
  initial,
  applicationCredentials,
  credentials,
  trusts,
  limits,
  endpointFilters,
  policies,
  securityCompliance,
  federation,
  usedAssertions,
  oauth,
  domainConfigs,
  listIndexes,
  notifications,
]
