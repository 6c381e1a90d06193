/** Accepting a rebuild: the row says at once what the server will be; its disks follow. */
import type { RequestContext } from '@strata/toolkit/context'
import { badRequest } from '@strata/toolkit/fault'
import { stateRules } from '../../contract/actions.ts'
import { invalidInput } from '../../contract/errors.ts'
import type { RebuildServer } from '../../contract/server-requests.ts'
import type { Server } from '../../store/servers.ts'
import type { Compute } from '../compute.ts'
import { checkMetadataItems } from '../quota.ts'
import { passwordOf } from '../rules/naming.ts'
import { serverFor } from './access.ts'
import { keyFor } from './lookups.ts'
import { rebuildServer } from './rebuild.ts'
import { requestAction } from './request-action.ts'
import { checkImage, checkUserData, refuseFiles } from './request-image.ts'
import { changeOf } from './request-update.ts'

const rule = 'os_compute_api:servers:rebuild'

export async function requestRebuild(
  compute: Compute,
  context: RequestContext,
  about: { readonly id: string; readonly wanted: RebuildServer },
): Promise<{ readonly server: Server; readonly password: string }> {
  const { wanted } = about
  const { store, config, runtime } = compute
  const before = await serverFor(compute, context, { id: about.id, rule })
  if (wanted.trusted_image_certificates)
    throw invalidInput('trusted_image_certificates', 'signed images are not checked by this cloud')
  const items = Object.keys(wanted.metadata ?? {}).length
  await checkMetadataItems(store.db, config, { projectId: before.project_id }, items)
  const image = await compute.asCaller(context).image(wanted.imageRef)
  if (!image) throw badRequest('Cannot find image for rebuild', 'ImageNotFound')
  checkImage(context, image, before.flavor)
  const key = await keyFor(compute, before.user_id, wanted.key_name)
  refuseFiles(wanted.personality)
  checkUserData(wanted.user_data)
  const { server } = await requestAction(compute, context, {
    id: about.id,
    rule,
    states: stateRules.rebuild,
    action: 'rebuild',
    task: 'rebuilding',
    saga: rebuildServer,
    input: ({ vm_state }) => ({ stopAfterwards: vm_state === 'stopped' }),
    change: () => ({
      ...changeOf(wanted),
      image_id: image.id,
      image_properties: image.properties,
      progress: 0,
      ...(wanted.metadata === undefined ? {} : { metadata: wanted.metadata }),
      ...(wanted.user_data === undefined ? {} : { user_data: wanted.user_data }),
      ...(wanted.key_name === undefined ? {} : { key_name: key?.name ?? null, public_key: key?.publicKey ?? null }),
    }),
  })
  return { server, password: wanted.adminPass ?? passwordOf(runtime, config.password_length) }
}
