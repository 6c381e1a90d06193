/** Attaching and detaching network cards. Callers get the card in the answer, so the request waits for its saga. */
import type { RequestContext } from '@strata/toolkit/context'
import { badRequest, conflict, notFound } from '@strata/toolkit/fault'
import { stateRules } from '../../contract/actions.ts'
import type { Nic } from '../../contract/nic.ts'
import type { RequestedNetwork } from '../../contract/server-requests.ts'
import { actionsOf } from '../../store/actions.ts'
import { findServer } from '../../store/servers.ts'
import type { Compute } from '../compute.ts'
import { serverFor } from './access.ts'
import { serverChanged } from './deps.ts'
import { attachInterface, detachInterface } from './interfaces.ts'
import { requestAction } from './request-action.ts'
import { requestedNic, requestedNics } from './request-networks.ts'

const attachRule = 'os_compute_api:os-attach-interfaces:create'
const detachRule = 'os_compute_api:os-attach-interfaces:delete'

/** Milliseconds that a caller waits for a card. */
const patience = 60_000

export async function requestAttach(
  compute: Compute,
  context: RequestContext,
  about: { readonly id: string; readonly wanted: RequestedNetwork; readonly signal: AbortSignal },
): Promise<Nic> {
  const { wanted } = about
  const before = await serverFor(compute, context, { id: about.id, rule: attachRule })
  const caller = compute.asCaller(context)
  const named = wanted.uuid !== undefined || Boolean(wanted.port)
  const nic = named
    ? await requestedNic(caller, context, wanted, 0)
    : (await requestedNics(caller, context, { networks: 'auto', servers: 1 }))[0]!
  const { actionId } = await requestAction(compute, context, {
    id: about.id,
    rule: attachRule,
    states: stateRules.attachInterface,
    action: 'attach_interface',
    task: null,
    saga: attachInterface,
    input: () => ({ nic }),
  })
  const failure = await actionEnd(compute, before.id, actionId, about.signal)
  if (failure !== undefined) throw badRequest(`Failed to attach network adapter device to ${before.id}: ${failure}`)
  const after = await findServer(compute.store.db, before.id)
  const known = new Set(before.nics.map(one => one.port_id))
  const made = after?.nics.find(one =>
    nic.portId === undefined ? !known.has(one.port_id) : one.port_id === nic.portId,
  )
  if (!made) throw conflict(`Instance ${before.id} lost the interface while it was attached.`)
  return made
}

export async function requestDetach(
  compute: Compute,
  context: RequestContext,
  about: { readonly id: string; readonly portId: string },
): Promise<void> {
  const server = await serverFor(compute, context, { id: about.id, rule: detachRule })
  if (!server.nics.some(nic => nic.port_id === about.portId))
    throw notFound(`Port id ${about.portId} could not be found.`)
  await requestAction(compute, context, {
    id: about.id,
    rule: detachRule,
    states: stateRules.detachInterface,
    action: 'detach_interface',
    task: null,
    saga: detachInterface,
    input: () => ({ portId: about.portId }),
  })
}

/** Waits until an action has ended; resolves with what went wrong. A message wakes it, a look each second is for lost ones. */
async function actionEnd(
  { store, runtime, bus }: Compute,
  serverId: string,
  actionId: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const end = runtime.monotonic() + patience
  let wake = () => {}
  const unsubscribe = bus.subscribe(serverChanged, () => wake())
  try {
    for (;;) {
      const hint = new Promise<void>(resolve => {
        wake = resolve
      })
      const action = (await actionsOf(store.db, serverId)).find(one => one.id === actionId)
      const event = action?.events.at(-1)
      if (event?.finish_time) return event.result === 'Error' ? (event.details ?? 'unknown') : undefined
      if (runtime.monotonic() > end) return `it took longer than ${patience / 1000} s`
      await Promise.race([hint, runtime.sleep(1000, signal)])
    }
  } finally {
    unsubscribe()
  }
}
