/** Failures of the identity API, in the words that clients know. */
import { type Dialect, keystone } from '@strata/toolkit/dialect'
import { badRequest, conflict, Fault, forbidden, notFound, unauthorized, unavailable } from '@strata/toolkit/fault'

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
/** The password was right, so this tells nobody else anything. */
export const passwordExpired = (userId: string): Fault =>
  unauthorized(`The password is expired and needs to be changed for user: ${userId}.`, 'PasswordExpired')
/** In the same words whether there is such an account or not. `seconds`: when it is worth trying again. */
export const tooManyLogins = (seconds: number): Fault =>
  new Fault({
    status: 429,
    code: 'TooManyRequests',
    message: 'Too many failed attempts to log in. Try again later.',
    headers: { 'retry-after': String(seconds) },
  })
const refusedPassword = (message: string): Fault => badRequest(message, 'ValidationError')
export const weakPassword = (requirements: string): Fault =>
  refusedPassword(`The password does not match the requirements: ${requirements}.`)
export const repeatedPassword = (count: number): Fault =>
  refusedPassword(
    `The new password cannot be identical to a previous password. The total number which includes the new password must be unique is ${count}.`,
  )
export const youngPassword = (days: number, left: number): Fault =>
  refusedPassword(
    `You cannot change your password at this time due to the minimum password age. Once you change your password, it must be used for ${days} day(s) before it can be changed. Please try again in ${left} day(s) or contact your administrator to reset your password.`,
  )
export const lockedPassword = (): Fault =>
  refusedPassword(
    'You cannot change your password at this time due to password policy disallowing password changes. Please contact your administrator to reset your password.',
  )
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
export const invalidDomainConfig = (reason: string): Fault =>
  forbidden(`Invalid domain specific configuration: ${reason}.`, 'InvalidDomainConfig')
export const domainConfigNotFound = (domainId: string, what: string): Fault =>
  notFound(`Could not find ${what} in domain configuration for domain ${domainId}.`, 'DomainConfigNotFound')
/** The cause is for the log: callers need not learn where the directory is. */
export const directoryAway = (domainId: string, cause: unknown): Fault =>
  unavailable(`The directory of domain ${domainId} does not answer.`, 'ServiceUnavailable', { cause })
export const directoryMisconfigured = (domainId: string, cause: Error): Fault =>
  unavailable(`The directory of domain ${domainId} cannot be used as it is configured.`, 'ServiceUnavailable', {
    cause,
  })
export const directoryReadOnly = (what: string): Fault =>
  refusedAction(
    `You are not authorized to perform the requested action: the directory of the domain is not to ${what}.`,
  )
/** What the directory itself said no to. */
export const directoryRefused = (problem: string, cause?: unknown): Fault =>
  badRequest(`The directory of the domain refused it: ${problem}`, 'ValidationError', { cause })
export const otherDirectory = (): Fault =>
  refusedAction(
    'Group membership across backend boundaries is not allowed: user and group are of different directories.',
  )
