/** Servers, as rows of their table with their structures unpacked. */
import { andThen, type Eventual } from '@strata/toolkit/eventual'
import { type Kysely, preparedQuery } from '@strata/toolkit/store'
import type { Nic } from '../contract/nic.ts'
import type { PowerState, TaskState, VmState } from '../contract/states.ts'
import type { ComputeTables, FlavorCopy, ServerFault, ServersTable } from './database.ts'

type Unpacked = {
  readonly flavor: FlavorCopy
  readonly metadata: Readonly<Record<string, string>>
  readonly tags: readonly string[]
  readonly config_drive: boolean
  readonly vm_state: VmState
  readonly task_state: TaskState | null
  readonly power_state: PowerState
  readonly locked: boolean
  readonly fault: ServerFault | null
  readonly security_groups: readonly string[]
  readonly nics: readonly Nic[]
  readonly image_properties: Readonly<Record<string, string>>
  readonly scheduler_hints: Readonly<Record<string, unknown>>
}

/** A server. Its fields have the names of the table's columns. */
export type Server = Readonly<Omit<ServersTable, keyof Unpacked>> & Unpacked

const structures = [
  'flavor',
  'metadata',
  'tags',
  'fault',
  'security_groups',
  'nics',
  'image_properties',
  'scheduler_hints',
] as const
const flags = ['config_drive', 'locked'] as const

/** Different flavors whose text is remembered. */
const rememberedFlavors = 1000
const flavors = new Map<string, FlavorCopy>()

/**
 * The copy of a flavor that stands in a server's row. Thousands of servers have few flavors, and quotas and the scheduler
 * look at all of them, so each text is read once. What is returned is shared: it must not be changed.
 */
export function readFlavor(text: string): FlavorCopy {
  const known = flavors.get(text)
  if (known) return known
  const flavor = JSON.parse(text) as FlavorCopy
  if (flavors.size >= rememberedFlavors) flavors.delete(flavors.keys().next().value!)
  flavors.set(text, flavor)
  return flavor
}

/** Unpacks a row in place. */
export function decodeServer(row: ServersTable): Server {
  const unpacked = row as unknown as Record<string, unknown>
  for (const name of structures) {
    const text = row[name]
    if (text !== null) unpacked[name] = name === 'flavor' ? readFlavor(text) : unpack(text)
  }
  for (const name of flags) unpacked[name] = row[name] === 1
  return unpacked as unknown as Server
}

/** Most servers have no tags, hints or metadata. */
const unpack = (text: string): unknown => (text === '{}' ? {} : text === '[]' ? [] : JSON.parse(text))

function encodeServer(change: Partial<Server>): Partial<ServersTable> {
  const packed: Record<string, unknown> = { ...change }
  for (const name of structures)
    if (packed[name] !== undefined && packed[name] !== null) packed[name] = JSON.stringify(packed[name])
  for (const name of flags) if (packed[name] !== undefined) packed[name] = packed[name] ? 1 : 0
  return packed as Partial<ServersTable>
}

type Db = Kysely<ComputeTables>

const byId = preparedQuery<ComputeTables, ServersTable>(db =>
  db.selectFrom('servers').selectAll().where('id', '=', '').compile(),
)
const firstServer = ([row]: ServersTable[]): Server | undefined => row && decodeServer(row)

export function findServer(db: Db, id: string): Eventual<Server | undefined> {
  return andThen(byId(db, [id]), firstServer)
}

/** Servers that were shown, by the handle that they were read through; the oldest go first. */
const shown = new WeakMap<object, Map<string, Server>>()
const rememberedServers = 2000
const revisionOf = preparedQuery<ComputeTables, Pick<ServersTable, 'revision'>>(db =>
  db.selectFrom('servers').select('revision').where('id', '=', '').compile(),
)

/**
 * The server for showing it: the same object as long as its row has not changed, so that what was made of it can be kept.
 * Clients ask for a server again and again until it has the state that they wait for.
 */
export function showServer(db: Db, id: string): Eventual<Server | undefined> {
  const servers = shown.get(db) ?? new Map<string, Server>()
  shown.set(db, servers)
  const remember = (server: Server | undefined) => {
    servers.delete(id)
    if (!server) return undefined
    if (servers.size >= rememberedServers) servers.delete(servers.keys().next().value!)
    servers.set(id, server)
    return server
  }
  const known = servers.get(id)
  if (!known) return andThen(findServer(db, id), remember)
  return andThen(revisionOf(db, [id]), ([row]) =>
    row?.revision === known.revision ? known : andThen(findServer(db, id), remember),
  )
}

export async function insertServer(db: Db, server: Omit<Server, 'seq' | 'revision'>): Promise<void> {
  const last = await db.selectFrom('servers').select('seq').orderBy('seq', 'desc').limit(1).executeTakeFirst()
  await db
    .insertInto('servers')
    .values({ ...encodeServer(server), seq: (last?.seq ?? 0) + 1, revision: 0 } as ServersTable)
    .execute()
}

/** False when there is no such server. `updated_at` is set to `now`. */
export async function updateServer(db: Db, id: string, now: string, change: Partial<Server>): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('servers')
    .set(eb => ({ ...encodeServer(change), updated_at: now, revision: eb('revision', '+', 1) }))
    .where('id', '=', id)
    .executeTakeFirst()
  if (numUpdatedRows > 0n && change.nics) await indexPorts(db, id, change.nics)
  return numUpdatedRows > 0n
}

async function indexPorts(db: Db, serverId: string, nics: Server['nics']): Promise<void> {
  await db.deleteFrom('server_ports').where('server_id', '=', serverId).execute()
  if (nics.length === 0) return
  const rows = nics.map(nic => ({ port_id: nic.port_id, server_id: serverId }))
  await db.insertInto('server_ports').values(rows).execute()
}

export async function removeServer(db: Db, id: string): Promise<void> {
  await db.deleteFrom('server_ports').where('server_id', '=', id).execute()
  await db.deleteFrom('servers').where('id', '=', id).execute()
}

/** `instance-0000002a`: what the hypervisor calls it. */
export function instanceName(server: Pick<Server, 'seq'>): string {
  return `instance-${server.seq.toString(16).padStart(8, '0')}`
}
