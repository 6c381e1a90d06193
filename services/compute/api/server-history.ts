/** `/servers/{id}/os-instance-actions`: what was asked of a server, when, by whom, and how it went. */
import { nova } from '@strata/toolkit/dialect'
import { badRequest, notFound } from '@strata/toolkit/fault'
import { toNaive } from '@strata/toolkit/runtime'
import { type ApiRequest, type Operation, operation } from '@strata/toolkit/service'
import type { Compute } from '../logic/compute.ts'
import { historyOf } from '../logic/server/history.ts'
import { hostId } from '../logic/server/view.ts'
import { since } from '../versions/history.ts'
import { param, parameters, wholeParam } from './lists.ts'

type Action = Awaited<ReturnType<typeof historyOf>>[number]

const path = '/v2.1/servers/:server_id/os-instance-actions'
const rule = (verb: string) => `os_compute_api:os-instance-actions:${verb}`

export function serverHistoryOperations(compute: Compute): readonly Operation[] {
  const history = (request: ApiRequest, verb: string) =>
    historyOf(compute, request.context, {
      id: request.params['server_id']!,
      rule: rule(verb),
      deletedToo: request.minor >= since.deletedHistory,
    })
  return [
    operation({
      method: 'GET',
      path,
      policy: rule('list'),
      query: minor => (minor >= since.actionPaging ? pagedQuery(minor) : {}),
      async handler(request) {
        const actions = await history(request, 'list')
        const { shown, next } = pageOf(request, actions, compute.config.max_limit)
        return {
          instanceActions: shown.map(action => view(action, request.minor)),
          ...(next === undefined ? {} : { links: nextLink(request, next) }),
        }
      },
    }),
    operation({
      method: 'GET',
      path: `${path}/:request_id`,
      policy: rule('show'),
      async handler(request) {
        const id = request.params['request_id']!
        const action = (await history(request, 'show')).find(one => one.request_id === id)
        if (!action) throw notFound(`Action ${id} not found`)
        return { instanceAction: { ...view(action, request.minor), events: eventsOf(request, action) } }
      },
    }),
  ]
}

/** Nova calls these links neither `servers_links` nor anything like it. */
const nextLink = (request: ApiRequest, next: string): unknown =>
  nova.pageLinks('actions', { url: `${request.baseUrl}${request.path}`, query: request.query, next })['actions_links']

const pagedQuery = parameters(['limit', 'marker', 'changes-since', 'changes-before'], since.actionPaging)

function pageOf(request: ApiRequest, actions: readonly Action[], maxLimit: number) {
  if (request.minor < since.actionPaging) return { shown: actions, next: undefined }
  const after = timeParam(request, 'changes-since')
  const before = request.minor >= since.changesBefore ? timeParam(request, 'changes-before') : undefined
  if (after !== undefined && before !== undefined && before < after)
    throw badRequest('The value of changes-since must be less than or equal to changes-before.')
  const limit = Math.min(wholeParam(request, 'limit') ?? maxLimit, maxLimit)
  const marker = param(request, 'marker')
  const at = marker === undefined ? -1 : actions.findIndex(action => action.request_id === marker)
  if (marker !== undefined && at < 0) throw badRequest(`Marker ${marker} could not be found.`)
  const left = actions
    .slice(at + 1)
    .filter(
      action =>
        (after === undefined || action.updated_at >= after) && (before === undefined || action.updated_at <= before),
    )
  const shown = left.slice(0, limit)
  return { shown, next: left.length > shown.length ? shown.at(-1)?.request_id : undefined }
}

function timeParam(request: ApiRequest, name: string): string | undefined {
  const text = param(request, name)
  if (text === undefined) return undefined
  const ms = Date.parse(/(Z|[+-]\d{2}:?\d{2})$/.test(text) ? text : `${text}Z`)
  if (Number.isNaN(ms))
    throw badRequest(
      `Invalid input for query parameters ${name}: ${JSON.stringify(text)} is not a time`,
      'ValidationError',
    )
  return new Date(ms).toISOString()
}

const view = (action: Action, minor: number) => ({
  action: action.action,
  instance_uuid: action.server_id,
  request_id: action.request_id,
  user_id: action.user_id,
  project_id: action.project_id,
  start_time: toNaive(action.start_time),
  message: action.message,
  updated_at: minor >= since.actionPaging ? toNaive(action.updated_at) : undefined,
})

/** Before 2.51 only administrators saw events; tracebacks are theirs alone, hosts too. */
function eventsOf(request: ApiRequest, action: Action): readonly object[] | undefined {
  const { minor, context } = request
  const target = { project_id: action.project_id }
  const all = context.can(rule('events'), target)
  if (!all && minor < since.actionEventsForAll) return undefined
  const details = minor >= since.eventDetails && context.can(rule('events:details'), target)
  return action.events.map(event => ({
    event: event.event,
    start_time: toNaive(event.start_time),
    finish_time: event.finish_time === null ? null : toNaive(event.finish_time),
    result: event.result,
    traceback: all ? event.details : undefined,
    hostId: minor >= since.eventHost ? hostId({ host: event.host, project_id: action.project_id }) : undefined,
    host: minor >= since.eventHost && all ? event.host : undefined,
    details: details ? event.details : undefined,
  }))
}
