/**
 * The operations on users and groups, for those that are of a directory: before anything is answered from identity's rows, the
 * directory is asked about whom it concerns; lists of its domain and changes go to it. All others pass through untouched.
 */
import { pageOf } from '@strata/toolkit/resource'
import { type ApiRequest, type Operation, type Reply, reply } from '@strata/toolkit/service'
import { dialect, missing } from '../contract/errors.ts'
import { group } from '../contract/group.ts'
import { type PasswordChange, user } from '../contract/user.ts'
import { domainOf, listTarget } from '../logic/common.ts'
import { listPeople } from '../logic/directory/list.ts'
import { type ActorType, peopleLogic } from '../logic/directory/people.ts'
import type { TellOfDirectory } from '../logic/notices.ts'
import type { Parts } from '../logic/parts.ts'
import { callerAddress } from '../logic/password/caller.ts'
import { member } from './view.ts'

type Answer = Reply | object | undefined
type Next = (request: ApiRequest) => Promise<Answer>
type Around = (request: ApiRequest, next: Next) => Promise<Answer>

interface Kit extends Parts {
  readonly tell: TellOfDirectory
}

/** The operations, with those on users and groups asking directories first. */
export function throughDirectories(parts: Kit, operations: readonly Operation[]): Operation[] {
  const rules = around(parts)
  return operations.map(one => {
    const rule = rules(one.method, one.path)
    return rule ? { ...one, handler: request => rule(request, async asked => one.handler(asked)) } : one
  })
}

function around(parts: Kit): (method: string, path: string) => Around | undefined {
  const exact = new Map<string, Around>([
    ...(['user', 'group'] as const).flatMap(type => [...readingRules(parts, type), ...changingRules(parts, type)]),
    ...membershipRules(parts),
    ['POST /v3/users/:user_id/password', ownPassword(parts)],
  ])
  const refreshing = refreshed(parts)
  return (method, path) =>
    exact.get(`${method} ${path}`) ?? (/\/:(user_id|group_id|actor_id)\b/.test(path) ? refreshing(path) : undefined)
}

const kinds = { user, group } as const

/** What the rules of one kind share. */
function scene(parts: Kit, type: ActorType) {
  const about = (values: object, id?: string) => ({ user_id: id, target: { [type]: values } })
  return {
    ...{ parts, type, about, resource: kinds[type], logic: peopleLogic(parts), directories: parts.directories },
    standing: (request: ApiRequest) => parts.directories.refresh(type, request.params['id']!),
    /** The 404, once the rule lets one know. */
    missingTo(request: ApiRequest, rule: string) {
      const id = request.params['id']!
      request.context.enforce(rule, about({}, id))
      return missing(type, id)
    },
    shown: (row: object, request: ApiRequest) => member<never>(kinds[type] as never, row, request),
  }
}

function readingRules(parts: Kit, type: ActorType): [string, Around][] {
  const { directories, resource, standing, missingTo, shown } = scene(parts, type)
  const { path, policy, plural } = resource
  return [
    [
      `GET ${path}`,
      async (request, next) => {
        const { context, query } = request
        const own = context.scope === 'domain' ? context.domainId : undefined
        const asked = [query['domain_id']].flat().at(-1) ?? own
        const at = asked && (own === undefined || asked === own) ? await directories.of(asked) : undefined
        if (!at) return next(request)
        context.enforce(policy.list!, { target: listTarget(context) })
        const page = await listPeople(parts, { type, found: at, request })
        const ids = { next: page.next, previous: page.marker && (page.rows[0] as { id?: string } | undefined)?.id }
        return {
          [plural]: page.rows.map(row => shown(row, request)),
          ...dialect.pageLinks(plural, pageOf(request, ids)),
        }
      },
    ],
    [
      `GET ${path}/:id`,
      async (request, next) => {
        if ((await standing(request)) === 'gone') throw missingTo(request, policy.show!)
        return next(request)
      },
    ],
  ]
}

function changingRules(parts: Kit, type: ActorType): [string, Around][] {
  const { directories, logic, resource, standing, missingTo, shown, about } = scene(parts, type)
  const { path, policy } = resource
  const bodyIn = ({ body }: ApiRequest) => (body as Record<string, Readonly<Record<string, unknown>>>)[type]!
  const allowed = async (request: ApiRequest, rule: string) => {
    const id = request.params['id']!
    request.context.enforce(rule, about((await logic.findActor(type, id)) ?? {}, id))
    return id
  }
  return [
    [
      `POST ${path}`,
      async (request, next) => {
        const body = bodyIn(request)
        const domainId = (body['domain_id'] as string | undefined) ?? domainOf(request.context)
        const at = await directories.of(domainId)
        if (!at) return next(request)
        request.context.enforce(policy.create!, about({ ...body, domain_id: domainId }))
        const row = await logic.create(type, at, body)
        parts.tell(request, { kind: type, id: (row as { id: string }).id, verb: 'created' })
        return reply(201, { [type]: shown(row, request) })
      },
    ],
    [
      `PATCH ${path}/:id`,
      async (request, next) => {
        const now = await standing(request)
        if (now === 'gone') throw missingTo(request, policy.update!)
        if (now === 'own') return next(request)
        const id = await allowed(request, policy.update!)
        const row = await logic.update(type, id, bodyIn(request))
        parts.tell(request, { kind: type, id, verb: 'updated' })
        return reply(200, { [type]: shown(row, request) })
      },
    ],
    [
      `DELETE ${path}/:id`,
      async (request, next) => {
        // What is kept of someone who is gone is deleted like one of identity's own.
        if ((await standing(request)) !== 'there') return next(request)
        const id = await allowed(request, policy.delete!)
        await logic.remove(type, id)
        parts.tell(request, { kind: type, id, verb: 'deleted' })
        return reply(204)
      },
    ],
  ]
}

function membershipRules(parts: Kit): [string, Around][] {
  const { directories } = parts
  const logic = peopleLogic(parts)
  const path = '/v3/groups/:group_id/users/:user_id'
  const change =
    (rule: string, act: 'addMember' | 'removeMember'): Around =>
    async (request, next) => {
      const { user_id: userId = '', group_id: groupId = '' } = request.params
      await directories.refresh('user', userId)
      await directories.refresh('group', groupId)
      const [user, group] = [await logic.findActor('user', userId), await logic.findActor('group', groupId)]
      if (!user || !group) return next(request)
      request.context.enforce(rule, { user_id: userId, target: { user, group } })
      const both = await logic.together(userId, groupId)
      if (!both) return next(request)
      if (act === 'removeMember' && !(await both.directory.groupsOf(both.user)).some(one => one.id === both.group))
        throw missing('user', userId)
      await both.directory[act](both.group, both.user)
      await logic.membersChanged(userId, groupId)
      const about = { actor_id: userId, actor_type: 'user', actor_operation: act === 'addMember' ? 'added' : 'removed' }
      parts.tell(request, { kind: 'group', id: groupId, verb: 'updated', about })
      return reply(204)
    }
  return [
    [`PUT ${path}`, change('identity:add_user_to_group', 'addMember')],
    [`DELETE ${path}`, change('identity:remove_user_from_group', 'removeMember')],
    [
      'GET /v3/role_assignments',
      async (request, next) => {
        const ids = (name: string) => [request.query[name] ?? []].flat().filter(id => id !== '')
        const effective = request.query['effective'] !== undefined
        if (request.context.can('identity:list_role_assignments', { target: listTarget(request.context) }))
          await logic.refreshAssigned({ users: ids('user.id'), groups: ids('group.id'), effective })
        return next(request)
      },
    ],
  ]
}

/** The own password of a user, as a login is slowed when it is guessed at. */
function ownPassword(parts: Kit): Around {
  const logic = peopleLogic(parts)
  return async (request, next) => {
    const userId = request.params['user_id']!
    const found = await parts.directories.behind('user', userId)
    if (!found) return next(request)
    const { original_password: original, password } = (request.body as PasswordChange).user
    await parts.throttle.attempt(
      { accounts: [{ user: { id: userId } }], address: callerAddress(parts.config, request) },
      () => logic.changePassword(found, { original, next: password }),
    )
    parts.tell(request, { kind: 'user', id: userId, verb: 'updated' })
    return reply(204)
  }
}

/** Whom a path names is asked about first. */
function refreshed(parts: Parts): (path: string) => Around {
  return path => {
    const group = /\/groups\/:(group_id|actor_id)\b/.exec(path)?.[1]
    const user = /\/users\/:(user_id|actor_id)\b/.exec(path)?.[1]
    return async (request, next) => {
      for (const [type, name] of [
        ['group', group],
        ['user', user],
      ] as const) {
        if (name === undefined) continue
        await parts.directories.refresh(type, request.params[name]!)
      }
      return next(request)
    }
  }
}
