/** All migrations, in order. */
import type { Migration } from '@strata/toolkit/store'
import { first } from './0001-networks.ts'
import { second } from './0002-external-policies.ts'

export const migrations: readonly Migration[] = [first, second]
