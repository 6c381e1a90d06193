/** Accepting a request for servers: everything that can be known at once is checked, then one transaction writes them. */
import type { RequestContext } from '@strata/toolkit/context'
import { badRequest } from '@strata/toolkit/fault'
import { isoTime } from '@strata/toolkit/runtime'
import { invalidInput } from '../../contract/errors.ts'
import type { CreateServer } from '../../contract/server-requests.ts'
import { powerStates } from '../../contract/states.ts'
import { beginAction } from '../../store/actions.ts'
import type { FlavorCopy } from '../../store/database.ts'
import { insertServer, type Server } from '../../store/servers.ts'
import type { Compute } from '../compute.ts'
import type { CallerImage } from '../ports/caller.ts'
import type { RequestedNic } from '../ports/neighbours.ts'
import { checkMetadataItems } from '../quota.ts'
import { defaultHostname, numberedNames, passwordOf, reservationId } from '../rules/naming.ts'
import { createServer } from './create.ts'
import { checkGroup, fittingCount, flavorFor, keyFor, type ServerKey } from './lookups.ts'
import { checkImage, checkUserData, imageOf, imageRefOf, refuseFiles } from './request-image.ts'
import { requestedNics, requestedSecurityGroups } from './request-networks.ts'
import { type Destination, requestedDestination } from './request-placing.ts'
import { accessAddress } from './request-update.ts'

export interface AcceptedServers {
  /** In the order of their names. */
  readonly servers: readonly Pick<Server, 'id' | 'name' | 'disk_config'>[]
  readonly reservationId: string
  readonly password: string
  readonly securityGroups: readonly string[]
}

/** Throws the faults that Nova has for each of the many things that can be wrong; then nothing was written. */
export async function requestServers(
  compute: Compute,
  context: RequestContext,
  body: CreateServer,
): Promise<AcceptedServers> {
  const { store, config } = compute
  const wanted = body.server
  const counts = countsOf(wanted)
  if (wanted.trusted_image_certificates)
    throw invalidInput('trusted_image_certificates', 'signed images are not checked by this cloud')
  refuseFiles(wanted.personality)
  checkUserData(wanted.user_data)
  await checkMetadataItems(
    store.db,
    config,
    { projectId: context.projectId },
    Object.keys(wanted.metadata ?? {}).length,
  )
  const destination = await requestedDestination(compute, context, body)
  const flavor = await flavorFor(compute, context, String(wanted.flavorRef))
  const caller = compute.asCaller(context)
  const [image, nics, securityGroups, key] = await Promise.all([
    imageOf(caller, imageRefOf(wanted)),
    requestedNics(caller, context, { networks: wanted.networks, servers: counts.max }),
    requestedSecurityGroups(caller, context, wanted.security_groups),
    keyFor(compute, context.userId, wanted.key_name),
  ])
  checkImage(context, image, flavor)
  return writeServers(compute, context, { body, counts, destination, flavor, image, nics, securityGroups, key })
}

interface Checked {
  readonly body: CreateServer
  readonly counts: Counts
  readonly destination: Destination
  readonly flavor: FlavorCopy
  readonly image: CallerImage
  readonly nics: readonly RequestedNic[]
  readonly securityGroups: readonly string[]
  readonly key: ServerKey | undefined
}

interface Counts {
  readonly min: number
  readonly max: number
}

function countsOf({ min_count = 1, max_count = min_count, hostname }: CreateServer['server']): Counts {
  const [min, max] = [Number(min_count), Number(max_count)]
  if (min > max) throw badRequest('min_count must be <= max_count')
  if (max > 1000) throw invalidInput('max_count', 'at most 1000 servers can be asked for at once')
  if (max > 1 && hostname !== undefined) throw badRequest('Unable to allocate a single hostname to multiple instances')
  return { min, max }
}

async function writeServers(compute: Compute, context: RequestContext, checked: Checked): Promise<AcceptedServers> {
  const { runtime, store, sagas, config } = compute
  const { counts, flavor, destination } = checked
  const wanted = checked.body.server
  const reservation = reservationId(runtime)
  const password = config.enable_instance_password
    ? (wanted.adminPass ?? passwordOf(runtime, config.password_length))
    : ''
  const servers = await store.transaction(async (tx, afterCommit) => {
    const count = await fittingCount(compute, context, { tx, flavor, ...counts })
    if (destination.groupId !== null)
      await checkGroup(compute, context, { tx, groupId: destination.groupId, more: count })
    const made: Omit<Server, 'seq' | 'revision'>[] = []
    for (const [index, name] of numberedNames(wanted.name, count).entries()) {
      const server = newServer(compute, context, checked, { name, index, reservation })
      await insertServer(tx, server)
      const about = {
        serverId: server.id,
        action: 'create',
        requestId: context.requestId,
        userId: context.userId,
        projectId: context.projectId,
      }
      const actionId = await beginAction(tx, runtime, about)
      const input = {
        serverId: server.id,
        actionId,
        nics: checked.nics,
        forcedHost: destination.forcedHost,
      }
      await sagas.enqueue(createServer, { tx, afterCommit }, { subject: server.id, input })
      made.push(server)
    }
    return made
  })
  return { servers, reservationId: reservation, password, securityGroups: checked.securityGroups }
}

function newServer(
  compute: Compute,
  context: RequestContext,
  { body, flavor, image, key, destination, securityGroups }: Checked,
  about: { readonly name: string; readonly index: number; readonly reservation: string },
): Omit<Server, 'seq' | 'revision'> {
  const { runtime, config } = compute
  const wanted = body.server
  const id = runtime.uuid()
  const now = isoTime(runtime.now())
  return {
    id,
    project_id: context.projectId,
    user_id: context.userId,
    name: about.name,
    hostname: wanted.hostname ?? defaultHostname(about.name, id),
    description: wanted.description === undefined ? null : wanted.description,
    image_id: image.id,
    flavor,
    flavor_id: flavor.id,
    key_name: key?.name ?? null,
    public_key: key?.publicKey ?? null,
    metadata: wanted.metadata ?? {},
    tags: [...new Set(wanted.tags ?? [])],
    user_data: wanted.user_data ?? null,
    config_drive: config.force_config_drive || isOn(wanted.config_drive),
    requested_zone: destination.zone,
    availability_zone: destination.zone ?? config.default_availability_zone,
    host: null,
    vm_state: 'building',
    task_state: 'scheduling',
    power_state: powerStates.pending,
    progress: 0,
    access_ip_v4: accessAddress(wanted.accessIPv4),
    access_ip_v6: accessAddress(wanted.accessIPv6),
    locked: false,
    locked_reason: null,
    fault: null,
    reservation_id: about.reservation,
    launch_index: about.index,
    security_groups: securityGroups,
    nics: [],
    image_properties: image.properties,
    scheduler_hints: destination.hints,
    disk_config: wanted['OS-DCF:diskConfig'] ?? 'AUTO',
    root_device_name: '/dev/vda',
    server_group_id: destination.groupId,
    launched_at: null,
    created_at: now,
    updated_at: now,
  }
}

export const isOn = (flag: boolean | string | undefined): boolean =>
  flag === true || (typeof flag === 'string' && /^(true|1|on|yes)$/i.test(flag))
