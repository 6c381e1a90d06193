/** Notifications that wait to be delivered. */
import { createOutboxTable } from '@strata/toolkit/notifications'
import type { Migration } from '@strata/toolkit/store'

export const notifications: Migration = {
  name: '0015-notifications',
  up: createOutboxTable,
}
