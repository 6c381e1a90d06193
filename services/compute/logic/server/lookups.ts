/** What a request for servers names that compute itself keeps: flavor, key, zone and group; and whether the quota has room. */
import type { RequestContext } from '@strata/toolkit/context'
import { badRequest, forbidden } from '@strata/toolkit/fault'
import type { Transaction } from '@strata/toolkit/store'
import { flavorNotFound, keypairNotFound } from '../../contract/errors.ts'
import type { ComputeTables, FlavorCopy } from '../../store/database.ts'
import { accessOf, copyOf, findFlavor } from '../../store/flavors.ts'
import { findKeypair } from '../../store/keypairs.ts'
import type { Compute } from '../compute.ts'
import { fittingServers, limitsFor } from '../quota.ts'

type Tx = Transaction<ComputeTables>

/** A flavor that the caller's project may build servers of. */
export async function flavorFor({ store }: Compute, context: RequestContext, ref: string): Promise<FlavorCopy> {
  // Older clients send the flavor's address; its id is the last part.
  const id = ref.includes('/') ? (ref.split('/').at(-1) ?? '') : ref
  const flavor = await findFlavor(store.db, id)
  if (!flavor || flavor.disabled) throw flavorNotFound(id)
  const usable =
    flavor.is_public ||
    context.can('context_is_admin') ||
    (await accessOf(store.db, flavor.id)).includes(context.projectId)
  if (!usable) throw flavorNotFound(id)
  return copyOf(flavor)
}

export interface ServerKey {
  readonly name: string
  readonly publicKey: string
}

export async function keyFor(
  { store }: Compute,
  userId: string,
  name: string | null | undefined,
): Promise<ServerKey | undefined> {
  if (name === undefined || name === null) return undefined
  const found = await findKeypair(store.db, userId, name)
  if (!found) throw keypairNotFound()
  return { name: found.name, publicKey: found.public_key }
}

/** How many servers of a flavor the quota has room for, at most `max`. Throws a 403 when that is less than `min`. */
export async function fittingCount(
  { config }: Compute,
  context: RequestContext,
  wanted: { readonly tx: Tx; readonly flavor: FlavorCopy; readonly min: number; readonly max: number },
): Promise<number> {
  const { tx, flavor, min, max } = wanted
  const each = { instances: 1, cores: flavor.vcpus, ram: flavor.ram }
  return fittingServers(tx, config, { projectId: context.projectId, userId: context.userId }, { each, min, max })
}

/** Throws a 400 when there is no such group of the project, and a 403 when it would have too many servers. */
export async function checkGroup(
  { config }: Compute,
  context: RequestContext,
  about: { readonly tx: Tx; readonly groupId: string; readonly more: number },
): Promise<void> {
  const { tx, groupId, more } = about
  const group = await tx.selectFrom('server_groups').select('project_id').where('id', '=', groupId).executeTakeFirst()
  if (!group || (group.project_id !== context.projectId && !context.can('context_is_admin')))
    throw badRequest(`Instance group ${groupId} could not be found.`, 'InstanceGroupNotFound')
  const { server_group_members: limit } = await limitsFor(tx, config, { projectId: group.project_id })
  const { members } = await tx
    .selectFrom('servers')
    .select(eb => eb.fn.countAll().as('members'))
    .where('server_group_id', '=', groupId)
    .executeTakeFirstOrThrow()
  if (limit >= 0 && Number(members) + more > limit)
    throw forbidden('Quota exceeded, too many servers in group', 'QuotaExceeded')
}
