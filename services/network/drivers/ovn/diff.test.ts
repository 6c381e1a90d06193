/** The difference is applied by a small evaluator of OVSDB's operations, with its rules of references. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isNamed, type Operation, type Row, type Value } from '@strata/toolkit/ovsdb'
import fc from 'fast-check'
import type { NetworkSnapshot } from '../../logic/ports.ts'
import { diff, NORTHBOUND_COLUMNS } from './diff.ts'
import { id, rule, smallCloud } from './fixtures.ts'
import { MARK, plan } from './plan/index.ts'
import type { NorthboundTable } from './plan/rows.ts'

type Database = Map<string, Map<string, Row>>

const ROOTS = ['DHCP_Options', 'Logical_Switch', 'Logical_Router', 'Port_Group']
const WEAK = new Set(['Port_Group.ports', 'Logical_Switch_Port.dhcpv4_options', 'Logical_Switch_Port.dhcpv6_options'])
const NONE: Row = { external_ids: {}, ports: [], acls: [], nat: [], static_routes: [], gateway_chassis: [] }
const OPTIONS = { dnsServers: [], gatewayCandidates: [{ chassis: 'h', physicalNetworks: ['public'] }] }

let lastUuid = 0
const empty = (): Database => new Map(Object.keys(NORTHBOUND_COLUMNS).map(table => [table, new Map()]))
const rowsOf = (database: Database) => (table: NorthboundTable) => database.get(table)!

/** Drops unreferenced rows of tables that are no roots, and weak references to rows that are gone, until nothing changes. */
function collect(database: Database): void {
  const isRef = (value: unknown): value is string => typeof value === 'string' && value.startsWith('uuid-')
  for (let changed = true; changed; ) {
    changed = false
    const present = new Set([...database.values()].flatMap(rows => [...rows.keys()]))
    const strong = new Set<unknown>()
    for (const [table, rows] of database)
      for (const [uuid, row] of rows)
        for (const [column, value] of Object.entries(row)) {
          if (column === '_uuid') continue
          const elements = Array.isArray(value) ? value : [value]
          const dangling = elements.some(element => isRef(element) && !present.has(element))
          assert.ok(!dangling || WEAK.has(`${table}.${column}`), `${table}.${column} refers to a row that is gone`)
          const kept = elements.filter(element => !isRef(element) || present.has(element))
          if (dangling) rows.set(uuid, { ...rows.get(uuid)!, [column]: Array.isArray(value) ? kept : null })
          if (!WEAK.has(`${table}.${column}`)) for (const element of kept.filter(isRef)) strong.add(element)
        }
    for (const [table, rows] of database)
      for (const uuid of rows.keys()) if (!ROOTS.includes(table) && !strong.has(uuid)) changed = rows.delete(uuid)
  }
}

function apply(before: Database, operations: readonly Operation[]): Database {
  const database: Database = new Map([...before].map(([table, rows]) => [table, new Map(rows)]))
  const uuids = new Map<string, string>()
  for (const operation of operations) if (operation.op === 'insert') uuids.set(operation.name!, `uuid-${++lastUuid}`)
  const resolve = (value: Value): Value => {
    if (Array.isArray(value)) return value.map(element => resolve(element) as string)
    return isNamed(value) ? uuids.get(value.namedUuid)! : value
  }
  const resolved = (row: Row): Row =>
    Object.fromEntries(Object.entries(row).map(([column, value]) => [column, resolve(value)]))
  for (const operation of operations) {
    if (operation.op === 'insert') {
      const uuid = uuids.get(operation.name!)!
      database.get(operation.table)!.set(uuid, { _uuid: uuid, ...NONE, ...resolved(operation.row) })
      continue
    }
    assert.ok(operation.op === 'update' || operation.op === 'mutate' || operation.op === 'delete')
    const rows = database.get(operation.table)!
    const uuid = operation.where[0]![2] as string
    const row = rows.get(uuid)
    assert.ok(row !== undefined, 'only rows that are there are changed')
    if (operation.op === 'delete') rows.delete(uuid)
    else if (operation.op === 'update') rows.set(uuid, { ...row, ...resolved(operation.row) })
    else
      for (const [column, mutator, value] of operation.mutations) {
        const elements = resolve(value) as string[]
        const held = rows.get(uuid)!
        const others = (held[column] as string[]).filter(element => !elements.includes(element))
        rows.set(uuid, { ...held, [column]: mutator === 'insert' ? [...others, ...elements] : others })
      }
  }
  collect(database)
  return database
}

const CLOUD = smallCloud('203.0.113')

/** Any part of the small cloud, with some records changed. */
const anySnapshot: fc.Arbitrary<NetworkSnapshot> = fc
  .record({
    networks: fc.subarray([...CLOUD.networks]),
    subnets: fc.subarray([...CLOUD.subnets]),
    ports: fc.subarray([...CLOUD.ports]),
    routers: fc.subarray([...CLOUD.routers]),
    floatingips: fc.subarray([...CLOUD.floatingips]),
    security_groups: fc.subarray([...CLOUD.security_groups]),
    security_group_rules: fc.subarray([...CLOUD.security_group_rules, rule('web', { protocol: 'udp' })]),
    mtu: fc.constantFrom(1400, 1442),
    up: fc.boolean(),
    host: fc.constantFrom('', 'host1'),
  })
  .map(({ mtu, up, host, ...snapshot }) => ({
    ...snapshot,
    networks: snapshot.networks.map(item => ({ ...item, mtu })),
    routers: snapshot.routers.map(item => ({ ...item, admin_state_up: up })),
    ports: snapshot.ports.map(item => ({ ...item, 'binding:host_id': host })),
  }))

/** Rows by key, with references as keys, so that databases can be compared with plans. */
function content(database: Database): Map<string, unknown> {
  const keys = new Map<unknown, string>()
  for (const rows of database.values())
    for (const [uuid, row] of rows) keys.set(uuid, (row['external_ids'] as Record<string, string>)[MARK] ?? uuid)
  const plain = (value: Value): unknown =>
    Array.isArray(value) ? value.map(element => keys.get(element) ?? element).sort() : (keys.get(value) ?? value)
  const result = new Map<string, unknown>()
  for (const rows of database.values())
    for (const [uuid, { _uuid, ...row }] of rows)
      result.set(
        keys.get(uuid)!,
        Object.fromEntries(Object.entries(row).map(([column, value]) => [column, plain(value)])),
      )
  return result
}

function desiredContent(snapshot: NetworkSnapshot): Map<string, unknown> {
  const plain = (value: Value): unknown => {
    if (Array.isArray(value)) return value.map(element => plain(element)).sort()
    return isNamed(value) ? value.namedUuid : value
  }
  const entries = plan(snapshot, OPTIONS).map(({ key, columns }) => {
    const row = { ...NONE, ...columns }
    return [key, Object.fromEntries(Object.entries(row).map(([column, value]) => [column, plain(value)]))] as const
  })
  return new Map(entries)
}

const sorted = (map: ReadonlyMap<string, unknown>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1))

test('from any cloud to any other: the difference leads there, and then there is none', () => {
  fc.assert(
    fc.property(anySnapshot, anySnapshot, (from, to) => {
      const start = apply(empty(), diff(plan(from, OPTIONS), rowsOf(empty())).operations)
      const change = diff(plan(to, OPTIONS), rowsOf(start))
      const end = apply(start, change.operations)
      assert.deepEqual(sorted(content(end)), sorted(desiredContent(to)))
      assert.equal(content(end).size, content(start).size + change.created - change.deleted)
      const rest = diff(plan(to, OPTIONS), rowsOf(end))
      assert.deepEqual(rest, { operations: [], created: 0, updated: 0, deleted: 0 })
    }),
    { numRuns: 200 },
  )
})

test("others' rows stay, also those that hang on ours", () => {
  const mine = apply(empty(), diff(plan(CLOUD, OPTIONS), rowsOf(empty())).operations)
  const [red] = [...mine.get('Logical_Switch')!.values()]
  mine.get('Logical_Switch_Port')!.set('uuid-x', { _uuid: 'uuid-x', name: 'foreign', ...NONE })
  mine
    .get('Logical_Switch')!
    .set(red!['_uuid'] as string, { ...red!, ports: [...(red!['ports'] as string[]), 'uuid-x'] })
  mine.get('Logical_Switch')!.set('uuid-y', { _uuid: 'uuid-y', name: 'foreign', ...NONE })
  assert.deepEqual(diff(plan(CLOUD, OPTIONS), rowsOf(mine)).operations, [])
  const fewer = { ...CLOUD, ports: CLOUD.ports.filter(({ id: portId }) => portId !== id('r2')) }
  const after = apply(mine, diff(plan(fewer, OPTIONS), rowsOf(mine)).operations)
  assert.ok(after.get('Logical_Switch_Port')!.has('uuid-x'))
  assert.ok(after.get('Logical_Switch')!.has('uuid-y'))
})

test('a single new port costs the fewest operations', () => {
  const without = { ...CLOUD, ports: CLOUD.ports.filter(({ id: portId }) => portId !== id('r2')) }
  const start = apply(empty(), diff(plan(without, OPTIONS), rowsOf(empty())).operations)
  const { operations } = diff(plan(CLOUD, OPTIONS), rowsOf(start))
  const shown = operations.map(operation =>
    'table' in operation ? `${operation.op} ${operation.table}` : operation.op,
  )
  const groups = ['mutate Port_Group', 'mutate Port_Group', 'mutate Port_Group']
  assert.deepEqual(shown.sort(), ['insert Logical_Switch_Port', 'mutate Logical_Switch', ...groups])
})

test('a double of a key goes', () => {
  const start = apply(empty(), diff(plan(CLOUD, OPTIONS), rowsOf(empty())).operations)
  const [group] = [...start.get('DHCP_Options')!.values()]
  start.get('DHCP_Options')!.set('uuid-double', { ...group!, _uuid: 'uuid-double' })
  const { operations, deleted } = diff(plan(CLOUD, OPTIONS), rowsOf(start))
  assert.equal(deleted, 1)
  assert.deepEqual(operations, [{ op: 'delete', table: 'DHCP_Options', where: [['_uuid', '==', 'uuid-double']] }])
})
