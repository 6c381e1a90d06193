/** What is shown of ports beside their rows, and how they are looked for by it. */
import type { Condition } from '@strata/toolkit/resource'
import { invalidInput } from '../../contract/faults.ts'
import type { FixedIp } from '../../contract/port.ts'
import { addressesOf } from '../../store/address.ts'
import type { NetworkDb } from '../../store/database.ts'
import type { PortRow } from '../deps.ts'
import { groupIdsOf } from './port.ts'

export async function seatsOf(
  db: NetworkDb,
  rows: readonly PortRow[],
): Promise<{ addresses: Map<string, FixedIp[]>; groups: Map<string, string[]> }> {
  const ids = rows.map(row => row.id)
  return { addresses: await addressesOf(db, ids), groups: await groupIdsOf(db, ids) }
}

/** `?fixed_ips=ip_address=10.0.0.5&fixed_ips=subnet_id=…`: ports with one address that fits all; several of a kind are alternatives. */
export function fixedIpCondition(values: readonly string[]): Condition {
  const wanted = new Map<string, string[]>()
  for (const value of values) {
    const [, key, text] = /^(ip_address|subnet_id|ip_address_substr)=(.*)$/.exec(value) ?? []
    if (key === undefined || text === undefined)
      throw invalidInput(`'${value}' is no filter of fixed_ips: ip_address=, subnet_id= or ip_address_substr=`)
    wanted.set(key, [...(wanted.get(key) ?? []), text])
  }
  return eb => {
    let query = eb.selectFrom('ip_allocations').select('port_id')
    for (const [key, texts] of wanted)
      query =
        key === 'ip_address_substr'
          ? query.where(inner =>
              inner.or(texts.map(text => inner('ip_address', 'like', `%${text.replace(/[^0-9a-fA-F.:]/g, '')}%`))),
            )
          : query.where(key, 'in', texts)
    return eb('id', 'in', query)
  }
}

export const groupCondition =
  (groups: readonly string[]): Condition =>
  eb =>
    eb('id', 'in', eb.selectFrom('port_security_groups').select('port_id').where('security_group_id', 'in', groups))
