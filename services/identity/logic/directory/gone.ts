/** Who was not found in a directory any more is in no list. */
import type { Condition } from '@strata/toolkit/resource'
import { sql } from '@strata/toolkit/store'

export function withoutGone(table: 'users' | 'user_groups', verb: string): readonly Condition[] {
  if (verb !== 'list') return []
  const id = sql.ref(`${table}.id`)
  const there = sql<boolean>`not exists (select 1 from id_mappings where id_mappings.public_id = ${id} and id_mappings.gone = 1)`
  return [() => there]
}
