/** Failures of the identity API, in the words that clients know. */
import { type Dialect, keystone } from '@strata/toolkit/dialect'
import { badRequest, conflict, Fault, forbidden, notFound, unauthorized } from '@strata/toolkit/fault'

/** The family's dialect; what the policy refuses is told in Keystone's words. */
export const dialect: Dialect = {
  ...keystone,
  error: (fault, scene) => keystone.error(fault.code === 'PolicyNotAuthorized' ? refused(fault) : fault, scene),
}

const refused = (fault: Fault): Fault =>
  new Fault({
    status: fault.status,
    code: fault.code,
    message: fault.message.replace(
      /^Policy doesn't allow (\S+) to be performed\.$/,
      'You are not authorized to perform the requested action: $1.',
    ),
  })

/** The one answer to every failed login, so that nobody learns what was wrong with it. */
export const loginFailed = () => unauthorized('The request you have made requires authentication.')
export const unsupportedMethod = () => unauthorized('Attempted to authenticate with an unsupported method.')
export const tokenNotFound = () => notFound('Could not find token.', 'TokenNotFound')

export const missing = (kind: string, id: string): Fault => {
  const { code, message } = keystone.missing(kind, id)
  return notFound(message, code)
}
export const missingIdp = (id: string): Fault =>
  notFound(`Could not find Identity Provider: ${id}.`, 'IdentityProviderNotFound')
export const missingProtocol = (idpId: string, id: string): Fault =>
  notFound(`Could not find federated protocol ${id} for Identity Provider: ${idpId}.`, 'FederatedProtocolNotFound')
export const missingServiceProvider = (id: string): Fault =>
  notFound(`Could not find Service Provider: ${id}.`, 'ServiceProviderNotFound')
export const duplicate = (kind: string, what: string): Fault =>
  conflict(`Conflict occurred attempting to store ${kind} - Duplicate entry found with ${what}.`)
export const immutableResource = (kind: string, id: string): Fault =>
  forbidden(`Unable to change or delete ${kind} ${id}: its option immutable is set.`, 'ResourceUpdateForbidden')
export const invalid = (field: string, problem: string): Fault =>
  badRequest(`Invalid input for field '${field}': ${field} ${problem}`, 'ValidationError')
export const expectedToFind = (attribute: string, where: string): Fault =>
  badRequest(
    `Expecting to find ${attribute} in ${where}. The server could not comply with the request since it is either malformed or otherwise incorrect. The client is assumed to be in error.`,
    'ValidationError',
  )
export const grantNotFound = (role: string, actor: string, target: string): Fault =>
  notFound(
    `Could not find role assignment with role: ${role}, user or group: ${actor}, project, domain, or system: ${target}.`,
    'RoleAssignmentNotFound',
  )
export const refusedAction = (message: string): Fault => forbidden(message, 'ForbiddenAction')
export const applicationCredentialScoped = () =>
  unauthorized('Error authenticating with application credential: Application credentials cannot request a scope.')
export const delegationScoped = () => refusedAction('A token that was got by delegation cannot be scoped elsewhere.')
export const notTrustee = () => forbidden('User is not a trustee.', 'Forbidden')
export const trustExhausted = (id: string): Fault =>
  forbidden(`There are no remaining uses for trust ${id}.`, 'Forbidden')
export const invalidApplicationCredential = (problem: string): Fault =>
  badRequest(`Invalid application credential: ${problem}`, 'ValidationError')
