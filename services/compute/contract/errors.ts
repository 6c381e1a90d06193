/** Failures of the service, each made in one place. Clients look for some of these words. */
import { badRequest, conflict, type Fault, forbidden, notFound, notImplemented } from '@strata/toolkit/fault'
import type { TaskState, VmState } from './states.ts'

export const instanceNotFound = (id: string): Fault =>
  notFound(`Instance ${id} could not be found.`, 'InstanceNotFound')

/** The value of a field that its schema allows and that is wrong all the same. */
export const invalidInput = (field: string, problem: string): Fault =>
  badRequest(`Invalid input for field/attribute ${field}: ${problem}`, 'ValidationError')

/** `state` is the one that forbids it: `vm_state stopped` or `task_state powering-off`. */
export const wrongState = (
  action: string,
  id: string,
  state: { readonly attribute: 'vm_state' | 'task_state'; readonly value: VmState | TaskState },
): Fault =>
  conflict(`Cannot '${action}' instance ${id} while it is in ${state.attribute} ${state.value}`, 'InstanceInvalidState')

export const instanceLocked = (id: string): Fault => conflict(`Instance ${id} is locked`, 'InstanceIsLocked')

export const driverCannot = (what: string): Fault => notImplemented(what, 'NotImplemented')

export const imageNotActive = (id: string): Fault => badRequest(`Image ${id} is not active.`, 'ImageNotActive')

export const flavorNotFound = (id: string): Fault => badRequest(`Flavor ${id} could not be found.`, 'FlavorNotFound')

export const ambiguousNetwork = (): Fault =>
  conflict('Multiple possible networks found, use a Network ID to be more specific.', 'NetworkAmbiguous')

export const networkNotFound = (id: string): Fault => badRequest(`Network ${id} could not be found.`, 'NetworkNotFound')

export const externalNetworkForbidden = (id: string): Fault =>
  forbidden(`It is not allowed to create an interface on external network ${id}`, 'ExternalNetworkAttachForbidden')

export const portNotFound = (id: string): Fault => badRequest(`Port id ${id} could not be found.`, 'PortNotFound')

export const portInUse = (id: string): Fault => conflict(`Port ${id} is still in use.`, 'PortInUse')

export const securityGroupNotFound = (name: string, projectId: string): Fault =>
  badRequest(`Security group ${name} not found for project ${projectId}.`, 'SecurityGroupNotFound')

export const keypairNotFound = (): Fault => badRequest('Invalid key_name provided.', 'KeypairNotFound')

/** What of a request does not fit, in the order of the quotas' names. */
export function quotaExceeded(
  over: readonly {
    readonly resource: string
    readonly requested: number
    readonly used: number
    readonly limit: number
  }[],
): Fault {
  const join = (pick: (one: (typeof over)[number]) => string | number): string => over.map(pick).join(', ')
  return forbidden(
    `Quota exceeded for ${join(one => one.resource)}: Requested ${join(one => one.requested)}, but already used ${join(
      one => one.used,
    )} of ${join(one => one.limit)} ${join(one => one.resource)}`,
    'TooManyInstances',
  )
}
