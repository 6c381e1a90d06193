/** `POST /servers/{id}/action`: one operation for each thing that can be asked of a server. */
import { conflict } from '@strata/toolkit/fault'
import type { JsonSchema } from '@strata/toolkit/schema'
import { type ApiRequest, type Operation, operation, reply } from '@strata/toolkit/service'
import { stateRules } from '../contract/actions.ts'
import { driverCannot } from '../contract/errors.ts'
import { nameSchema, object, type RebuildServer } from '../contract/server-requests.ts'
import type { Compute } from '../logic/compute.ts'
import { refuseLocked, serverFor } from '../logic/server/access.ts'
import {
  hardRebootServer,
  pauseServer,
  softRebootServer,
  startServer,
  stopServer,
  unpauseServer,
} from '../logic/server/power.ts'
import { refuseInState, requestAction, requestChange } from '../logic/server/request-action.ts'
import { requestDelete } from '../logic/server/request-delete.ts'
import { addFloatingIp, changeSecurityGroup, removeFloatingIp } from '../logic/server/request-groups.ts'
import { requestRebuild } from '../logic/server/request-rebuild.ts'
import { linksOf } from '../logic/server/view.ts'
import { since, until } from '../versions/history.ts'
import { changedServerAt, rebuildSchemaAt } from '../versions/index.ts'
import { shownServer } from './servers.ts'

const path = '/v2.1/servers/:server_id/action'
const idOf = (request: ApiRequest): string => request.params['server_id']!

/** One action; `handler` may answer nothing, which is a 202. */
function action<Body>(definition: {
  readonly name: string
  readonly policy: string
  readonly schema?: JsonSchema | ((minor: number) => JsonSchema)
  readonly since?: number
  readonly until?: number
  handler(request: ApiRequest<Body>): Promise<object | undefined>
}): Operation {
  const { name, schema = { type: 'object', required: [name] }, handler, ...rest } = definition
  return operation<Body>({
    method: 'POST',
    path,
    action: name,
    body: schema,
    ...rest,
    handler: async request => (await handler(request)) ?? reply(202),
  })
}

/** Nothing but the action's name says what is wanted. */
type Bare = Readonly<Record<string, unknown>>

export function serverActionOperations(compute: Compute): readonly Operation[] {
  return [
    ...powerActions(compute),
    ...lockActions(compute),
    ...groupActions(compute),
    ...adminActions(compute),
    consoleOutput(compute),
    rebuild(compute),
    changePassword(compute),
  ]
}

function powerActions(compute: Compute): readonly Operation[] {
  const verbs = [
    { name: 'os-start', policy: 'servers:start', verb: 'start', task: 'powering-on', saga: startServer },
    { name: 'os-stop', policy: 'servers:stop', verb: 'stop', task: 'powering-off', saga: stopServer },
    { name: 'pause', policy: 'os-pause-server:pause', verb: 'pause', task: 'pausing', saga: pauseServer },
    { name: 'unpause', policy: 'os-pause-server:unpause', verb: 'unpause', task: 'unpausing', saga: unpauseServer },
  ] as const
  const simple = verbs.map(({ name, policy, verb, task, saga }) => {
    const rule = `os_compute_api:${policy}`
    return action<Bare>({
      name,
      policy: rule,
      async handler(request) {
        const wanted = { id: idOf(request), rule, states: stateRules[verb], action: verb, task, input: () => ({}) }
        await requestAction(compute, request.context, { ...wanted, saga })
        return undefined
      },
    })
  })
  return [...simple, reboot(compute)]
}

function reboot(compute: Compute): Operation {
  const rule = 'os_compute_api:servers:reboot'
  const kinds = ['HARD', 'Hard', 'hard', 'SOFT', 'Soft', 'soft']
  return action<{ readonly reboot: { readonly type: string } }>({
    name: 'reboot',
    policy: rule,
    schema: object({ reboot: object({ type: { type: 'string', enum: kinds } }, ['type']) }, ['reboot']),
    async handler(request) {
      const about = { id: idOf(request), rule, action: 'reboot', input: () => ({}) }
      if (request.body.reboot.type.toUpperCase() === 'HARD')
        await requestAction(compute, request.context, {
          ...about,
          states: stateRules.hardReboot,
          task: 'rebooting_hard',
          saga: hardRebootServer,
        })
      else
        await requestAction(compute, request.context, {
          ...about,
          states: stateRules.softReboot,
          task: 'rebooting',
          saga: softRebootServer,
        })
      return undefined
    },
  })
}

function lockActions(compute: Compute): readonly Operation[] {
  const reason = object({ locked_reason: { type: 'string', minLength: 1, maxLength: 255 } })
  const withReason = object({ lock: { anyOf: [{ type: 'null' }, reason] } }, ['lock'])
  const bare: JsonSchema = { type: 'object', required: ['lock'] }
  return [
    action<{ readonly lock: { readonly locked_reason?: string } | null }>({
      name: 'lock',
      policy: 'os_compute_api:os-lock-server:lock',
      schema: minor => (minor >= since.lockReason ? withReason : bare),
      async handler(request) {
        const reason = request.minor >= since.lockReason ? (request.body.lock?.locked_reason ?? null) : null
        await requestChange(compute, request.context, {
          id: idOf(request),
          rule: 'os_compute_api:os-lock-server:lock',
          lockedToo: true,
          action: 'lock',
          change: () => ({ values: { locked: true, locked_reason: reason }, result: undefined }),
        })
        return undefined
      },
    }),
    action<Bare>({
      name: 'unlock',
      policy: 'os_compute_api:os-lock-server:unlock',
      async handler(request) {
        await requestChange(compute, request.context, {
          id: idOf(request),
          rule: 'os_compute_api:os-lock-server:unlock',
          lockedToo: true,
          action: 'unlock',
          change: () => ({ values: { locked: false, locked_reason: null }, result: undefined }),
        })
        return undefined
      },
    }),
  ]
}

function groupActions(compute: Compute): readonly Operation[] {
  const groups = (['add', 'remove'] as const).map(verb =>
    action<Readonly<Record<string, { readonly name: string }>>>({
      name: `${verb}SecurityGroup`,
      policy: `os_compute_api:os-security-groups:${verb}`,
      schema: object({ [`${verb}SecurityGroup`]: object({ name: nameSchema }, ['name']) }, [`${verb}SecurityGroup`]),
      async handler(request) {
        const { name } = request.body[`${verb}SecurityGroup`]!
        await changeSecurityGroup(compute, request.context, { id: idOf(request), name, verb })
        return undefined
      },
    }),
  )
  const address: JsonSchema = { type: 'string', format: 'ip' }
  return [
    ...groups,
    action<{ readonly addFloatingIp: { readonly address: string; readonly fixed_address?: string } }>({
      name: 'addFloatingIp',
      policy: 'os_compute_api:os-floating-ips:add',
      until: until.floatingIpActions,
      schema: object({ addFloatingIp: object({ address, fixed_address: address }, ['address']) }, ['addFloatingIp']),
      async handler(request) {
        const { address, fixed_address: fixedAddress } = request.body.addFloatingIp
        await addFloatingIp(compute, request.context, { id: idOf(request), address, fixedAddress })
        return undefined
      },
    }),
    action<{ readonly removeFloatingIp: { readonly address: string } }>({
      name: 'removeFloatingIp',
      policy: 'os_compute_api:os-floating-ips:remove',
      until: until.floatingIpActions,
      schema: object({ removeFloatingIp: object({ address }, ['address']) }, ['removeFloatingIp']),
      async handler(request) {
        const { address } = request.body.removeFloatingIp
        await removeFloatingIp(compute, request.context, { id: idOf(request), address })
        return undefined
      },
    }),
  ]
}

function adminActions(compute: Compute): readonly Operation[] {
  const reset = 'os_compute_api:os-admin-actions:reset_state'
  const force = 'os_compute_api:os-deferred-delete:force'
  const restore = 'os_compute_api:os-deferred-delete:restore'
  const state = { type: 'string', enum: ['active', 'error'] }
  return [
    action<{ readonly 'os-resetState': { readonly state: 'active' | 'error' } }>({
      name: 'os-resetState',
      policy: reset,
      schema: object({ 'os-resetState': object({ state }, ['state']) }, ['os-resetState']),
      async handler(request) {
        const values = { vm_state: request.body['os-resetState'].state, task_state: null } as const
        const change = () => ({ values, result: undefined })
        await requestChange(compute, request.context, { id: idOf(request), rule: reset, lockedToo: true, change })
        return undefined
      },
    }),
    action<Bare>({
      name: 'forceDelete',
      policy: force,
      async handler(request) {
        await requestDelete(compute, request.context, { id: idOf(request), rule: force, action: 'forceDelete' })
        return undefined
      },
    }),
    action<Bare>({
      name: 'restore',
      policy: restore,
      async handler(request) {
        const server = await serverFor(compute, request.context, { id: idOf(request), rule: restore })
        // Deleted servers are gone at once: none is ever there to be restored.
        throw conflict(`Cannot 'restore' instance ${server.id} while it is in vm_state ${server.vm_state}`)
      },
    }),
  ]
}

function consoleOutput(compute: Compute): Operation {
  const rule = 'os_compute_api:os-console-output'
  const length: JsonSchema = {
    anyOf: [
      { type: ['integer', 'null'], minimum: -1 },
      { type: 'string', pattern: '^(-1|[0-9]{1,9})$' },
    ],
  }
  return action<{ readonly 'os-getConsoleOutput': { readonly length?: number | string | null } | null }>({
    name: 'os-getConsoleOutput',
    policy: rule,
    schema: object({ 'os-getConsoleOutput': { anyOf: [{ type: 'null' }, object({ length })] } }, [
      'os-getConsoleOutput',
    ]),
    async handler(request) {
      const server = await serverFor(compute, request.context, { id: idOf(request), rule })
      const agent = server.host === null ? undefined : compute.agent(server.host)
      if (!agent) throw conflict(`Instance ${server.id} is not ready`, 'InstanceNotReady')
      const asked = request.body['os-getConsoleOutput']?.length
      const lines = asked === undefined || asked === null || Number(asked) < 0 ? undefined : Number(asked)
      const output = await agent.consoleOutput(server.id, lines)
      // What follows the last line feed counts as a line in this API, if an empty one: clients ask for one more than they want.
      return { output: lines ? output.split('\n').slice(-lines).join('\n') : output }
    },
  })
}

function rebuild(compute: Compute): Operation {
  return action<{ readonly rebuild: RebuildServer }>({
    name: 'rebuild',
    policy: 'os_compute_api:servers:rebuild',
    schema: rebuildSchemaAt,
    async handler(request) {
      const { context, body, minor } = request
      const { server, password } = await requestRebuild(compute, context, { id: idOf(request), wanted: body.rebuild })
      const view = changedServerAt(minor, 'rebuild', await shownServer(compute, request, server))
      const answer = {
        ...view,
        adminPass: compute.config.enable_instance_password ? password : undefined,
        user_data: minor >= since.rebuildShowsUserData ? server.user_data : undefined,
      }
      return reply(202, { server: answer }, { location: linksOf(request, 'servers', server.id)[0]!.href })
    },
  })
}

/** No driver reaches into a guest: the answer is that of one that cannot. */
function changePassword(compute: Compute): Operation {
  const rule = 'os_compute_api:os-admin-password'
  return action<Bare>({
    name: 'changePassword',
    policy: rule,
    schema: object({ changePassword: object({ adminPass: { type: 'string' } }, ['adminPass']) }, ['changePassword']),
    async handler(request) {
      const server = await serverFor(compute, request.context, { id: idOf(request), rule })
      refuseLocked(request.context, server)
      refuseInState(stateRules.changePassword, server)
      throw driverCannot('Unable to set password on instance')
    },
  })
}
