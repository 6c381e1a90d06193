/**
 * The difference between the rows that should be and the rows that are, as the fewest OVSDB operations. Pure.
 *
 * All operations go into one transaction: OVN then never sees a port without its security groups, and a refusal changes
 * nothing. Only rows with our mark are compared or touched. Columns that refer to many rows are changed element by
 * element, so that rows which others hung onto ours stay; rows of tables that are not roots go when nothing refers to
 * them any longer, so only roots are deleted by name.
 */

import {
  byUuid,
  insert,
  isNamed,
  mutate,
  named,
  type Operation,
  type Row,
  remove,
  sameValue,
  update,
  type Value,
} from '@strata/toolkit/ovsdb'
import { MARK, type PlannedRow } from './plan/index.ts'
import type { NorthboundTable } from './plan/rows.ts'

/** What must be monitored of each table for the difference to be complete. */
export const NORTHBOUND_COLUMNS: Readonly<Record<NorthboundTable, readonly string[]>> = {
  DHCP_Options: ['cidr', 'options', 'external_ids'],
  Logical_Switch: ['name', 'ports', 'other_config', 'external_ids'],
  Logical_Switch_Port: [
    'name',
    'type',
    'addresses',
    'port_security',
    'options',
    'tag',
    'up',
    'enabled',
    'dhcpv4_options',
    'dhcpv6_options',
    'external_ids',
  ],
  Logical_Router: ['name', 'enabled', 'ports', 'static_routes', 'nat', 'options', 'external_ids'],
  Logical_Router_Port: ['name', 'mac', 'networks', 'enabled', 'gateway_chassis', 'ipv6_ra_configs', 'external_ids'],
  Logical_Router_Static_Route: ['ip_prefix', 'nexthop', 'output_port', 'external_ids'],
  Gateway_Chassis: ['name', 'chassis_name', 'priority', 'external_ids'],
  NAT: ['type', 'external_ip', 'logical_ip', 'external_ids'],
  ACL: ['direction', 'priority', 'match', 'action', 'external_ids'],
  Port_Group: ['name', 'ports', 'acls', 'external_ids'],
}

const ROOTS: ReadonlySet<NorthboundTable> = new Set(['DHCP_Options', 'Logical_Switch', 'Logical_Router', 'Port_Group'])
const REFERENCE_SETS: Readonly<Partial<Record<NorthboundTable, readonly string[]>>> = {
  Logical_Switch: ['ports'],
  Logical_Router: ['ports', 'static_routes', 'nat'],
  Logical_Router_Port: ['gateway_chassis'],
  Port_Group: ['ports', 'acls'],
}

/** Rows of a table by UUID, each with `_uuid`: what a replica's `rows` gives. */
export type ActualRows = (table: NorthboundTable) => ReadonlyMap<string, Row>

export interface Difference {
  readonly operations: readonly Operation[]
  readonly created: number
  readonly updated: number
  readonly deleted: number
}

interface Owned {
  readonly byKey: ReadonlyMap<string, { table: NorthboundTable; uuid: string; row: Row }>
  readonly uuids: ReadonlySet<string>
  /** Rows whose key another row has already, which can only come from a meddling hand. */
  readonly doubles: readonly { table: NorthboundTable; uuid: string }[]
}

function ownedRows(actual: ActualRows): Owned {
  const byKey = new Map<string, { table: NorthboundTable; uuid: string; row: Row }>()
  const uuids = new Set<string>()
  const doubles: { table: NorthboundTable; uuid: string }[] = []
  for (const table of Object.keys(NORTHBOUND_COLUMNS) as NorthboundTable[])
    for (const [uuid, row] of actual(table)) {
      const key = (row['external_ids'] as Record<string, string>)[MARK]
      if (key === undefined) continue
      uuids.add(uuid)
      if (byKey.has(key)) doubles.push({ table, uuid })
      else byKey.set(key, { table, uuid, row })
    }
  return { byKey, uuids, doubles }
}

/** Names of new rows in the transaction; the protocol allows letters, digits and underscores only. */
function insertName(index: number): string {
  return `row${index}`
}

export function diff(desired: readonly PlannedRow[], actual: ActualRows): Difference {
  const owned = ownedRows(actual)
  const isHere = ({ table, key }: PlannedRow): boolean => owned.byKey.get(key)?.table === table
  const names = new Map<string, string>()
  for (const [index, row] of desired.entries()) if (!isHere(row)) names.set(row.key, insertName(index))

  const resolve = (value: Value): Value => {
    if (Array.isArray(value)) return value.map(element => resolve(element) as never)
    if (!isNamed(value)) return value
    const name = names.get(value.namedUuid)
    if (name !== undefined) return named(name)
    const row = owned.byKey.get(value.namedUuid)
    if (row === undefined) throw new TypeError(`the plan refers to '${value.namedUuid}', which it does not hold`)
    return row.uuid
  }
  const resolved = (columns: Row): Row =>
    Object.fromEntries(Object.entries(columns).map(([column, value]) => [column, resolve(value)]))

  const inserts: Operation[] = []
  const changes: Operation[] = []
  let updated = 0
  for (const row of desired) {
    const name = names.get(row.key)
    if (name !== undefined) inserts.push(insert(row.table, resolved(row.columns), name))
    else {
      const operations = changeRow(row.table, resolved(row.columns), owned.byKey.get(row.key)!.row, owned.uuids)
      if (operations.length > 0) updated++
      changes.push(...operations)
    }
  }
  const gone = [...goneRows(desired, owned), ...owned.doubles]
  const deletes = gone.filter(({ table }) => ROOTS.has(table)).map(({ table, uuid }) => remove(table, byUuid(uuid)))
  return { operations: [...inserts, ...changes, ...deletes], created: inserts.length, updated, deleted: gone.length }
}

function goneRows(desired: readonly PlannedRow[], owned: Owned): { table: NorthboundTable; uuid: string }[] {
  const wanted = new Map(desired.map(({ key, table }) => [key, table]))
  return [...owned.byKey].filter(([key, { table }]) => wanted.get(key) !== table).map(([, row]) => row)
}

/** Operations that turn our row `is` into `should`. `ours` are the UUIDs of all our rows. */
function changeRow(table: NorthboundTable, should: Row, is: Row, ours: ReadonlySet<string>): Operation[] {
  const where = byUuid(is['_uuid'] as string)
  const references = REFERENCE_SETS[table] ?? []
  const changed: Record<string, Value> = {}
  const operations: Operation[] = []
  for (const [column, value] of Object.entries(should)) {
    if (!references.includes(column)) {
      if (!sameValue(value, is[column] ?? null)) changed[column] = value
      continue
    }
    const [wanted, held] = [value as readonly string[], is[column] as readonly string[]]
    const [wantedSet, heldSet] = [new Set<unknown>(wanted), new Set(held)]
    const added = wanted.filter(element => !heldSet.has(element))
    const removed = held.filter(uuid => ours.has(uuid) && !wantedSet.has(uuid))
    if (removed.length > 0) operations.push(mutate(table, where, [[column, 'delete', removed]]))
    if (added.length > 0) operations.push(mutate(table, where, [[column, 'insert', added]]))
  }
  if (Object.keys(changed).length > 0) operations.unshift(update(table, where, changed))
  return operations
}
