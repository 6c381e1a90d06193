/**
 * What identity tells of: changes of its resources, assignments, memberships, and logins, under the event types that Keystone
 * has (https://docs.openstack.org/keystone/latest/admin/event_notifications.html). Plain verbs are told of by the row that
 * changed; the other operations by their paths.
 */
import { Fault } from '@strata/toolkit/fault'
import { initiatorOf, type Notice, type Notifier, type Telling } from '@strata/toolkit/notifications'
import type { RowChange } from '@strata/toolkit/resource'
import type { ApiRequest, Operation, Reply } from '@strata/toolkit/service'
import type { AuthRequest } from '../contract/token.ts'
import type { Db, Tables } from '../store/tables.ts'
import { findLogin } from './token/methods/password.ts'

type Verb = 'created' | 'updated' | 'deleted' | 'disabled'

const account = 'service/security/account/user'
/** CADF's names of the resources that it has names for. */
const typeURIs: Readonly<Record<string, string>> = {
  user: 'data/security/account/user',
  ...Object.fromEntries(
    ['group', 'project', 'role', 'domain', 'region', 'endpoint', 'service', 'policy'].map(kind => [
      kind,
      `data/security/${kind}`,
    ]),
  ),
  'OS-TRUST:trust': 'data/security/trust',
  'OS-OAUTH1:consumer': 'data/security/account',
  'OS-OAUTH1:access_token': 'data/security/credential',
  'OS-OAUTH1:request_token': 'data/security/credential',
  application_credential: 'data/security/credential',
}

/** `about`: what else there is to say of it. */
function noticeOf(kind: string, id: string, verb: Verb, about: Notice['about'] = {}): Notice {
  return {
    eventType: `identity.${kind}.${verb}`,
    action: `${verb}.${kind}`,
    target: { typeURI: typeURIs[kind] ?? 'unknown', id },
    about: { resource_info: id, ...about },
  }
}

/** For derived resources: tells of each row that was made, changed or removed, in the same transaction. */
export const tellOfRows =
  (notifier: Notifier<Tables>) =>
  async ({ verb, resource, row, before, scene }: RowChange): Promise<void> => {
    const own = kinds[resource.plural] ?? resource.name
    const kind = own === 'project' && row['is_domain'] ? 'domain' : own
    const id = String(row['id'])
    const past = { create: 'created', update: 'updated', delete: 'deleted' } as const
    await notifier.record(scene.tx, noticeOf(kind, id, past[verb]))
    if (before?.['enabled'] && !row['enabled']) await notifier.record(scene.tx, noticeOf(kind, id, 'disabled'))
  }

/** Tells of a user or group that was changed in a directory, and not by way of identity's own rows. */
export type TellOfDirectory = (
  request: ApiRequest,
  what: { readonly kind: 'user' | 'group'; readonly id: string; readonly verb: Verb; readonly about?: Notice['about'] },
) => void

export const tellOfDirectory =
  (notifier: Notifier<Tables>): TellOfDirectory =>
  (request, { kind, id, verb, about }) =>
    notifier.emit(noticeOf(kind, id, verb, about), initiatorOf(request))

/** Kinds by the collection that stands last in a path, of what is made and removed by operations of their own. */
const kinds: Readonly<Record<string, string>> = {
  trusts: 'OS-TRUST:trust',
  application_credentials: 'application_credential',
  access_rules: 'access_rule',
  'OS-EC2': 'credential',
  consumers: 'OS-OAUTH1:consumer',
  access_tokens: 'OS-OAUTH1:access_token',
  identity_providers: 'identity_provider',
  protocols: 'protocol',
  mappings: 'mapping',
  service_providers: 'service_provider',
}
const verbs: Readonly<Record<string, Verb>> = { PUT: 'created', PATCH: 'updated', DELETE: 'deleted', POST: 'created' }

/** What to tell of an operation that is not derived; undefined when it changes nothing that is told of. */
export function tellingOf({ method, path }: Operation): Telling | undefined {
  const verb = verbs[method]!
  const grant =
    /^\/v3(\/OS-INHERIT)?\/(system|project|domain)s?(?:\/:target_id)?\/(user|group)s\/:actor_id\/roles\//.exec(path)
  if (grant) {
    const [, inherited, target, actor] = grant as unknown as [string, string | undefined, string, string]
    return { before: request => ofGrant({ verb, target, actor, inherited: inherited !== undefined, request }) }
  }
  if (path === '/v3/groups/:group_id/users/:user_id') {
    const added = method === 'PUT' ? 'added' : 'removed'
    return {
      before: ({ params }) =>
        noticeOf('group', params['group_id']!, 'updated', {
          actor_id: params['user_id']!,
          actor_type: 'user',
          actor_operation: added,
        }),
    }
  }
  const changes: Readonly<Record<string, readonly [kind: string, id: string]>> = {
    '/v3/users/:user_id/password': ['user', 'user_id'],
    '/v3/roles/:id/implies/:implied_id': ['role', 'id'],
    '/v3/projects/:id/tags': ['project', 'id'],
    '/v3/projects/:id/tags/:tag': ['project', 'id'],
  }
  const changed = changes[path]
  if (changed) return { before: ({ params }) => noticeOf(changed[0], params[changed[1]]!, 'updated') }
  const domainConfig = /^\/v3\/domains\/:(\w+)\/config/.exec(path)?.[1]
  if (domainConfig) return { before: ({ params }) => noticeOf('domain', params[domainConfig]!, 'updated') }
  const [, collection, id] = /\/([\w-]+)(?:\/:(\w+))?$/.exec(path) ?? []
  const kind = kinds[collection ?? '']
  if (!kind) return undefined
  if (id !== undefined) return { before: ({ params }) => noticeOf(kind, params[id]!, verb) }
  return { after: (_, answer) => ofMade(kind, answer) }
}

function ofGrant({
  verb,
  target,
  actor,
  inherited,
  request: { params },
}: {
  verb: Verb
  target: string
  actor: string
  inherited: boolean
  request: ApiRequest
}): Notice {
  return {
    eventType: `identity.role_assignment.${verb}`,
    action: `${verb}.role_assignment`,
    target: { typeURI: account },
    about: {
      [target]: params['target_id'] ?? 'all',
      [actor]: params['actor_id']!,
      role: params['role_id']!,
      inherited_to_projects: inherited,
    },
  }
}

/** Of what a `POST` made, by the id that its answer shows; EC2 keys have none but the access key. */
function ofMade(kind: string, answer: unknown): Notice | undefined {
  const body = (answer as Reply).reply ? (answer as Reply).body : answer
  const made = Object.values((body ?? {}) as Record<string, { id?: string; access?: string }>)[0]
  const id = made?.id ?? made?.access
  return id === undefined ? undefined : noticeOf(kind, id, 'created')
}

/**
 * Login tells how it ended. Who failed to log in is looked up after the answer, so that the time that takes says nothing; a name
 * that nobody has is not told, since what is typed there may be a password.
 */
export const tellingOfLogins = (
  operations: readonly Operation[],
  tellers: { readonly notifier: Notifier<Tables>; readonly db: Db },
): Operation[] => operations.map(one => (logins.test(`${one.method} ${one.path}`) ? tellingOfLogin(one, tellers) : one))

/** Where tokens are had: from here, from identity providers, by OAuth 2.0. */
const logins =
  /^POST \/v3\/(auth\/tokens|OS-OAUTH2\/token)$|^(GET|POST) \/v3\/(auth\/)?OS-FEDERATION\/.*\/(auth|websso)$/

function tellingOfLogin(operation: Operation, { notifier, db }: { notifier: Notifier<Tables>; db: Db }): Operation {
  const notice = (outcome: 'success' | 'failure', reason?: Notice['reason']): Notice => ({
    eventType: 'identity.authenticate',
    action: 'authenticate',
    outcome,
    target: { typeURI: account },
    reason,
  })
  const tellOfSuccess = notifier.wants('identity.authenticate', 'success')
  const tellOfFailure = notifier.wants('identity.authenticate', 'failure')
  const failed = async (request: ApiRequest<Partial<AuthRequest> | undefined>) => {
    const initiator = initiatorOf(request)
    const user = request.body?.auth?.identity?.password?.user
    const found = user && (await findLogin(db, user).catch(() => undefined))
    const who = found && { userId: found.id, userName: found.name }
    notifier.emit(notice('failure', { code: 401, type: 'Unauthorized' }), { ...initiator, ...who })
  }
  const ended = (request: ApiRequest, status: number, answer?: unknown) => {
    if (status === 401 && tellOfFailure) void failed(request as ApiRequest<AuthRequest | undefined>)
    if (status < 300 && tellOfSuccess) notifier.emit(notice('success'), { ...initiatorOf(request), ...whoIn(answer) })
  }
  return {
    ...operation,
    async handler(request) {
      try {
        const answer = await operation.handler(request)
        ended(request, (answer as Reply | undefined)?.status ?? 200, answer)
        return answer
      } catch (thrown) {
        if (thrown instanceof Fault) ended(request, thrown.status)
        throw thrown
      }
    },
  }
}

/** Whom a new token is of, where the answer says so: it is JSON text by then, or a page for a browser. */
function whoIn(answer: unknown) {
  const { body, headers } = answer as Reply
  if (headers?.['content-type'] !== 'application/json') return {}
  const { token } = JSON.parse(String(body)) as { token?: { user: { id: string; name: string } } }
  return token && { userId: token.user.id, userName: token.user.name }
}
