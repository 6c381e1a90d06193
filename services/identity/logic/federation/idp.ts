/** Identity providers and their protocols. With one go the tokens that it vouched for, and the users that it alone knows. */

import { conflict } from '@strata/toolkit/fault'
import type { ChangeScene, Hooks } from '@strata/toolkit/resource'
import type { ApiRequest } from '@strata/toolkit/service'
import { isUniqueViolation } from '@strata/toolkit/store'
import { duplicate, invalid, missing, missingIdp, missingProtocol } from '../../contract/errors.ts'
import type { identityProvider, ProtocolBody } from '../../contract/identity-provider.ts'
import {
  findIdp,
  findMapping,
  findProtocol,
  idpOfRemoteId,
  insertProtocol,
  type ProtocolRow,
  protocolsOf,
  remoteIdsOf,
  removeProtocol,
  setRemoteIds,
  updateProtocol,
} from '../../store/federation.ts'
import { domainsScope, findDomain, insertProject } from '../../store/project.ts'
import { removeUsers, usersKnownOnlyTo } from '../../store/shadow-user.ts'
import type { Db } from '../../store/tables.ts'
import { newId, type Parts } from '../parts.ts'

/** Ids travel in tokens, with their length in one byte. */
function checkId(id: string): void {
  if (id.length === 0 || id.length > 64 || Buffer.byteLength(id) > 255)
    throw invalid('id', 'must be 1 to 64 characters')
}

/** The one that the path of the request names. */
export function idIn({ params }: ApiRequest): string {
  const id = params['id']!
  checkId(id)
  return id
}

export function identityProviderHooks(parts: Parts): Hooks<typeof identityProvider.fields> {
  return {
    restrict: () => [],
    missing: missingIdp,
    async decorate(rows, request, db) {
      const remoteIds = await remoteIdsOf(
        db,
        rows.map(row => row.id),
      )
      const self = `${request.baseUrl}/v3/OS-FEDERATION/identity_providers`
      return rows.map(row => ({
        ...row,
        remote_ids: remoteIds.get(row.id) ?? [],
        links: { protocols: `${self}/${encodeURIComponent(row.id)}/protocols` },
      }))
    },
    async beforeCreate(body, { tx, request }) {
      const id = idIn(request)
      if (await findIdp(tx, id)) throw duplicate('identity_provider', `ID ${id}`)
      const domainId = body.domain_id ?? (await makeDomain(parts, tx, id))
      if (!(await findDomain(tx, { id: domainId }))) throw missing('domain', domainId)
      return { id, domain_id: domainId }
    },
    async afterCreate(row, scene) {
      await storeRemoteIds(scene, row.id)
      parts.changed(scene.afterCommit)
    },
    async afterUpdate(row, _before, scene) {
      await storeRemoteIds(scene, row.id)
      parts.changed(scene.afterCommit)
    },
    async beforeDelete(row, { tx, afterCommit }) {
      await removeUsers(tx, await usersKnownOnlyTo(tx, row.id))
      parts.changed(afterCommit)
    },
  }
}

async function makeDomain(parts: Parts, tx: Db, idpId: string): Promise<string> {
  const id = newId(parts.runtime)
  await insertProject(tx, {
    id,
    name: id,
    name_scope: domainsScope,
    domain_id: null,
    parent_id: null,
    is_domain: 1,
    description: `Auto generated federated domain for Identity Provider: ${idpId}`,
    enabled: 1,
    options: '{}',
    extra: null,
  })
  return id
}

async function storeRemoteIds({ tx, given }: ChangeScene, idpId: string): Promise<void> {
  const wanted = given['remote_ids'] as readonly string[] | null | undefined
  if (wanted === undefined) return
  for (const remoteId of wanted ?? []) {
    const owner = await idpOfRemoteId(tx, remoteId)
    if (owner && owner.id !== idpId) throw duplicateRemoteId(remoteId)
  }
  await setRemoteIds(tx, idpId, wanted ?? [])
}

const duplicateRemoteId = (remoteId: string) =>
  conflict(`Conflict occurred attempting to store identity_provider - Duplicate remote ID: ${remoteId}.`)

export type Protocol = ProtocolRow

export function protocolLogic(parts: Parts) {
  const { store } = parts
  const find = async (db: Db, idpId: string, id: string): Promise<ProtocolRow> => {
    const row = await findProtocol(db, idpId, id)
    if (!row) throw missingProtocol(idpId, id)
    return row
  }
  const checkMapping = async (db: Db, id: string) => {
    if (!(await findMapping(db, id))) throw invalid('mapping_id', `names no mapping: ${id}`)
  }
  return {
    show: (idpId: string, id: string) => find(store.db, idpId, id),
    list: (idpId: string) => protocolsOf(store.db, idpId),
    async create(idpId: string, id: string, { mapping_id, remote_id_attribute = null }: ProtocolBody['protocol']) {
      checkId(id)
      const row = { idp_id: idpId, id, mapping_id, remote_id_attribute }
      try {
        await store.transaction(async tx => {
          await checkMapping(tx, mapping_id)
          if (!(await findIdp(tx, idpId))) throw missingIdp(idpId)
          if (await findProtocol(tx, idpId, id)) throw duplicate('federation_protocol', `ID ${id}`)
          await insertProtocol(tx, row)
        })
      } catch (thrown) {
        throw isUniqueViolation(thrown) ? duplicate('federation_protocol', `ID ${id}`) : thrown
      }
      return row
    },
    update: (idpId: string, id: string, change: ProtocolBody['protocol']) =>
      store.transaction(async tx => {
        const row = await find(tx, idpId, id)
        await checkMapping(tx, change.mapping_id)
        await updateProtocol(tx, row, change)
        return { ...row, ...change }
      }),
    remove: (idpId: string, id: string) =>
      store.transaction(async (tx, afterCommit) => {
        const row = await find(tx, idpId, id)
        await removeUsers(tx, await usersKnownOnlyTo(tx, idpId, id))
        await removeProtocol(tx, row)
        parts.changed(afterCommit)
      }),
  }
}
