/** Where identity's notifications go: a log in the state folder, and whoever listens on the bus. */
import { join } from 'node:path'
import { busSink, fileSink, type Sink } from '@strata/toolkit/notifications'
import type { ServiceEnvironment } from '@strata/toolkit/service'
import type { IdentityConfig } from '../contract/config.ts'

export function notificationSinks({ stateDir, bus }: ServiceEnvironment, config: IdentityConfig): Sink[] {
  const { notification_log_megabytes: megabytes, notification_log_files: keep } = config
  const path = () => join(stateDir('identity'), 'notifications.jsonl')
  return [...(megabytes > 0 ? [fileSink({ path: path(), maxBytes: megabytes * 2 ** 20, keep })] : []), busSink(bus)]
}
