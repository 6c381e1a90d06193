/** All migrations of the service, in the order in which they run. */
import type { Migration } from '@strata/toolkit/store'
import { images } from './0001-images.ts'

export const migrations: readonly Migration[] = [images]
