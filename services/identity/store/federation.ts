/** Identity providers with their protocols and remote ids, mappings, and who of whose users is which user. */
import type { Db, Tables } from './tables.ts'

export type IdpRow = Tables['identity_providers']
export type ProtocolRow = Tables['federation_protocols']
export type MappingRow = Tables['mappings']
export type FederatedUserRow = Tables['federated_users']

export function findIdp(db: Db, id: string): Promise<IdpRow | undefined> {
  return db.selectFrom('identity_providers').selectAll().where('id', '=', id).executeTakeFirst()
}

/** Remote ids of each, in the order of their texts. */
export async function remoteIdsOf(db: Db, idpIds: readonly string[]): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>(idpIds.map(id => [id, []]))
  if (idpIds.length === 0) return found
  const rows = await db
    .selectFrom('remote_ids')
    .selectAll()
    .where('idp_id', 'in', [...idpIds])
    .orderBy('remote_id')
    .execute()
  for (const row of rows) found.get(row.idp_id)!.push(row.remote_id)
  return found
}

/** The identity provider that a remote id is of. */
export async function idpOfRemoteId(db: Db, remoteId: string): Promise<IdpRow | undefined> {
  return db
    .selectFrom('identity_providers')
    .innerJoin('remote_ids', 'remote_ids.idp_id', 'identity_providers.id')
    .selectAll('identity_providers')
    .where('remote_ids.remote_id', '=', remoteId)
    .executeTakeFirst()
}

export async function setRemoteIds(db: Db, idpId: string, remoteIds: readonly string[]): Promise<void> {
  await db.deleteFrom('remote_ids').where('idp_id', '=', idpId).execute()
  if (remoteIds.length === 0) return
  await db
    .insertInto('remote_ids')
    .values(remoteIds.map(remote_id => ({ remote_id, idp_id: idpId })))
    .execute()
}

export function findProtocol(db: Db, idpId: string, id: string): Promise<ProtocolRow | undefined> {
  return db
    .selectFrom('federation_protocols')
    .selectAll()
    .where('idp_id', '=', idpId)
    .where('id', '=', id)
    .executeTakeFirst()
}

/** Names of attributes by which those who speak a protocol tell who they are. */
export async function remoteIdAttributes(db: Db, protocolId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('federation_protocols')
    .select('remote_id_attribute as name')
    .distinct()
    .where('id', '=', protocolId)
    .where('remote_id_attribute', 'is not', null)
    .execute()
  return rows.flatMap(({ name }) => (name ? [name] : []))
}

export function protocolsOf(db: Db, idpId: string): Promise<ProtocolRow[]> {
  return db.selectFrom('federation_protocols').selectAll().where('idp_id', '=', idpId).orderBy('id').execute()
}

export async function insertProtocol(db: Db, row: ProtocolRow): Promise<void> {
  await db.insertInto('federation_protocols').values(row).execute()
}

export async function updateProtocol(db: Db, row: ProtocolRow, change: Partial<ProtocolRow>): Promise<void> {
  await db
    .updateTable('federation_protocols')
    .set(change)
    .where('idp_id', '=', row.idp_id)
    .where('id', '=', row.id)
    .execute()
}

export async function removeProtocol(db: Db, { idp_id: idpId, id }: ProtocolRow): Promise<void> {
  await db.deleteFrom('federation_protocols').where('idp_id', '=', idpId).where('id', '=', id).execute()
}

/** Whether an identity provider is enabled and has that protocol. */
export async function vouches(db: Db, idpId: string, protocolId: string): Promise<boolean> {
  const row = await db
    .selectFrom('federation_protocols')
    .innerJoin('identity_providers', 'identity_providers.id', 'federation_protocols.idp_id')
    .select('federation_protocols.id')
    .where('federation_protocols.idp_id', '=', idpId)
    .where('federation_protocols.id', '=', protocolId)
    .where('identity_providers.enabled', '=', 1)
    .executeTakeFirst()
  return row !== undefined
}

export function findMapping(db: Db, id: string): Promise<MappingRow | undefined> {
  return db.selectFrom('mappings').selectAll().where('id', '=', id).executeTakeFirst()
}

export function findServiceProvider(db: Db, id: string): Promise<Tables['service_providers'] | undefined> {
  return db.selectFrom('service_providers').selectAll().where('id', '=', id).executeTakeFirst()
}

export function enabledServiceProviders(db: Db): Promise<{ id: string; auth_url: string; sp_url: string }[]> {
  return db
    .selectFrom('service_providers')
    .select(['id', 'auth_url', 'sp_url'])
    .where('enabled', '=', 1)
    .orderBy('id')
    .execute()
}

type Identity = Pick<FederatedUserRow, 'idp_id' | 'protocol_id' | 'unique_id'>

export function findFederatedUser(db: Db, identity: Identity): Promise<FederatedUserRow | undefined> {
  return db
    .selectFrom('federated_users')
    .selectAll()
    .where('idp_id', '=', identity.idp_id)
    .where('protocol_id', '=', identity.protocol_id)
    .where('unique_id', '=', identity.unique_id)
    .executeTakeFirst()
}

/** How users may log in from elsewhere, ordered. */
export function identitiesOf(db: Db, userIds: readonly string[]): Promise<FederatedUserRow[]> {
  if (userIds.length === 0) return Promise.resolve([])
  return db
    .selectFrom('federated_users')
    .selectAll()
    .where('user_id', 'in', [...userIds])
    .orderBy('idp_id')
    .orderBy('protocol_id')
    .orderBy('unique_id')
    .execute()
}

export async function insertIdentities(db: Db, rows: readonly FederatedUserRow[]): Promise<void> {
  if (rows.length > 0)
    await db
      .insertInto('federated_users')
      .values([...rows])
      .execute()
}

export async function removeIdentities(db: Db, userId: string): Promise<void> {
  await db.deleteFrom('federated_users').where('user_id', '=', userId).execute()
}

export async function setDisplayName(db: Db, row: FederatedUserRow, displayName: string): Promise<void> {
  await db
    .updateTable('federated_users')
    .set({ display_name: displayName })
    .where('idp_id', '=', row.idp_id)
    .where('protocol_id', '=', row.protocol_id)
    .where('unique_id', '=', row.unique_id)
    .execute()
}

export function findGroupByName(db: Db, domainId: string, name: string): Promise<Tables['user_groups'] | undefined> {
  return db
    .selectFrom('user_groups')
    .selectAll()
    .where('domain_id', '=', domainId)
    .where('name', '=', name)
    .executeTakeFirst()
}
