/**
 * A client for OVSDB, the database in which Open vSwitch and OVN are configured (RFC 7047 and ovsdb-server(7)).
 *
 * ```ts
 * const client = createOvsdbClient({ remote: 'unix:/run/ovn/ovnnb_db.sock' })
 * await client.connect()
 * const replica = await client.monitor('OVN_Northbound', { Logical_Switch: ['name', 'ports'] })
 * await client.transact('OVN_Northbound', [
 *   insert('Logical_Switch_Port', { name: 'p1', external_ids: { owner: 'me' } }, 'port'),
 *   insert('Logical_Switch', { name: 'net', ports: [named('port')] }),
 * ])
 * replica.rows('Logical_Switch') // has it already
 * ```
 *
 * One connection serves all; it comes back after a loss and fills the replicas anew. Values are plain JS (see
 * `values.ts` for the table), converted by the schema that the server gives, so nobody writes wire forms by hand.
 * `openLocalSwitch` is the same for the bridges and ports of one machine's Open vSwitch.
 */

export { createOvsdbClient, type OvsdbClient, TransactionError } from './client.ts'
export { type ConnectionOptions, OvsdbError, parseRemote } from './connection.ts'
export {
  byUuid,
  type Condition,
  insert,
  type Mutation,
  mutate,
  type Operation,
  type OperationResult,
  remove,
  select,
  update,
  wait,
} from './operations.ts'
export type { Replica, RowChange, TableColumns } from './replica.ts'
export { type BridgeSpec, type LocalSwitch, openLocalSwitch, type PortSpec } from './switch.ts'
export {
  type Atom,
  type ColumnType,
  type DatabaseSchema,
  isNamed,
  type NamedUuid,
  named,
  parseSchema,
  type Row,
  sameValue,
  type Value,
} from './values.ts'
