/**
 * Security groups and their rules as old clients reach them through compute, up to version 2.35. Debian's client still looks
 * here for the group that it adds to a server: first by the group's name as if that were an id, hence that gets a 404.
 */
import { badRequest } from '@strata/toolkit/fault'
import { parsePrefix } from '@strata/toolkit/ip'
import { isUuid, type JsonSchema } from '@strata/toolkit/schema'
import { type ApiRequest, type Operation, operation, reply } from '@strata/toolkit/service'
import { invalidInput } from '../contract/errors.ts'
import { object } from '../contract/server-requests.ts'
import type { Compute } from '../logic/compute.ts'
import type { NamedGroup, NewSecurityRule } from '../logic/ports/proxies.ts'
import { isTrueParam, wholeParam } from './lists.ts'
import { groupView, ruleView } from './security-group-view.ts'

type Deps = Pick<Compute, 'proxies' | 'config'>

const until = 35
const rule = (verb: string): string => `os_compute_api:os-security-groups:${verb}`

interface RuleBody {
  readonly security_group_rule: {
    readonly parent_group_id?: string | number | null
    readonly ip_protocol?: string | null
    readonly from_port?: number | string | null
    readonly to_port?: number | string | null
    readonly cidr?: string | null
    readonly group_id?: string | null
  }
}

const text: JsonSchema = { type: ['string', 'null'], maxLength: 255 }
const port: JsonSchema = { type: ['integer', 'string', 'null'], maxLength: 6 }
const groupBody = object({ security_group: object({ name: text, description: text }, ['name']) }, ['security_group'])
const ruleBody = object(
  {
    security_group_rule: object({
      parent_group_id: { type: ['string', 'integer', 'null'], maxLength: 255 },
      ip_protocol: text,
      from_port: port,
      to_port: port,
      cidr: text,
      group_id: text,
    }),
  },
  ['security_group_rule'],
)

export function securityGroupOperations(deps: Deps): readonly Operation[] {
  const path = '/v2.1/os-security-groups'
  const named = ({ body }: ApiRequest<GroupBody>): NamedGroup => {
    const name = body.security_group.name?.trim()
    if (!name) throw invalidInput('name', 'a security group needs one')
    return { name, description: body.security_group.description ?? '' }
  }
  return [
    operation({ method: 'GET', path, until, policy: rule('get'), handler: request => list(deps, request) }),
    operation<GroupBody>({
      method: 'POST',
      path,
      until,
      policy: rule('create'),
      body: groupBody,
      async handler(request) {
        const made = await deps.proxies(request.context).createSecurityGroup(named(request))
        return { security_group: groupView(made, [made]) }
      },
    }),
    operation({
      method: 'GET',
      path: `${path}/:id`,
      until,
      policy: rule('show'),
      async handler(request) {
        const known = deps.proxies(request.context)
        const found = await known.securityGroup(request.params['id']!)
        return { security_group: groupView(found, await known.securityGroups(found.projectId)) }
      },
    }),
    operation<GroupBody>({
      method: 'PUT',
      path: `${path}/:id`,
      until,
      policy: rule('update'),
      body: groupBody,
      async handler(request) {
        const known = deps.proxies(request.context)
        const id = uuidOf(request.params['id'], 'Security group id')
        const changed = await known.updateSecurityGroup(id, named(request))
        return { security_group: groupView(changed, await known.securityGroups(changed.projectId)) }
      },
    }),
    operation({
      method: 'DELETE',
      path: `${path}/:id`,
      until,
      policy: rule('delete'),
      async handler(request) {
        await deps.proxies(request.context).removeSecurityGroup(uuidOf(request.params['id'], 'Security group id'))
        return reply(202)
      },
    }),
    ...ruleOperations(deps),
  ]
}

interface GroupBody {
  readonly security_group: { readonly name: string | null; readonly description?: string | null }
}

function ruleOperations({ proxies }: Deps): readonly Operation[] {
  const path = '/v2.1/os-security-group-rules'
  return [
    operation<RuleBody>({
      method: 'POST',
      path,
      until,
      policy: rule('rule:create'),
      body: ruleBody,
      async handler(request) {
        const known = proxies(request.context)
        const group = await known.securityGroup(
          uuidOf(request.body.security_group_rule.parent_group_id, 'Security group id'),
        )
        const made = await known.createRule(newRule(group.id, request.body))
        return { security_group_rule: ruleView(made, group, await known.securityGroups(group.projectId)) }
      },
    }),
    operation({
      method: 'DELETE',
      path: `${path}/:id`,
      until,
      policy: rule('rule:delete'),
      async handler(request) {
        await proxies(request.context).removeRule(uuidOf(request.params['id'], 'Security group rule id'))
        return reply(202)
      },
    }),
  ]
}

/** The caller's project's; of all with `all_tenants`, for administrators. Sorted by project and name, cut by offset and limit. */
async function list({ proxies, config }: Deps, request: ApiRequest): Promise<object> {
  const { context } = request
  const everybodys = isTrueParam(request, 'all_tenants') && context.can('context_is_admin')
  const found = [...(await proxies(context).securityGroups(everybodys ? undefined : context.projectId))]
  const keyOf = (group: (typeof found)[number]) => `${group.projectId} ${group.name}`
  found.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
  const offset = wholeParam(request, 'offset') ?? 0
  const limit = Math.min(wholeParam(request, 'limit') || config.max_limit, config.max_limit)
  return { security_groups: found.slice(offset, offset + limit).map(group => groupView(group, found)) }
}

function uuidOf(given: unknown, what: string): string {
  if (typeof given !== 'string' || !isUuid(given)) throw badRequest(`${what} should be uuid`)
  return given
}

const protocols = ['tcp', 'udp', 'icmp']

/** Throws a 400 for what is wrong in itself. A rule about a group's members may leave out protocol and ports. */
function newRule(groupId: string, { security_group_rule: given }: RuleBody): NewSecurityRule {
  const protocol = given.ip_protocol?.toLowerCase() ?? null
  const remoteGroupId =
    given.group_id === undefined || given.group_id === null ? null : uuidOf(given.group_id, 'Security group id')
  if (protocol !== null && !protocols.includes(protocol)) throw badRequest(`Invalid IP protocol ${given.ip_protocol}.`)
  const [low, high] = [portOf(given.from_port, 'from_port'), portOf(given.to_port, 'to_port')]
  if (protocol === null && remoteGroupId === null) throw badRequest('Ip protocol must be specified.')
  if (remoteGroupId === null && (low === null || high === null)) throw badRequest('Invalid port range.')
  checkPorts(protocol, low, high)
  if (given.cidr && !parsePrefix(given.cidr)) throw badRequest(`Invalid CIDR ${given.cidr}.`)
  const [portMin, portMax] = [low, high].map(one => (one === -1 ? null : one)) as [number | null, number | null]
  const remotePrefix = remoteGroupId === null ? given.cidr || '0.0.0.0/0' : null
  return { groupId, protocol, portMin, portMax, remotePrefix, remoteGroupId }
}

function portOf(given: number | string | null | undefined, name: string): number | null {
  if (given === undefined || given === null || given === '') return null
  const value = Number(given)
  if (!Number.isInteger(value)) throw badRequest(`Input for ${name} should be an integer.`)
  return value
}

/** For ICMP the ports are its type and code, -1 for any. */
function checkPorts(protocol: string | null, low: number | null, high: number | null): void {
  if (low === null || high === null) return
  const icmp = protocol === 'icmp'
  const [least, most] = icmp ? [-1, 255] : [1, 65_535]
  const wrong = [low, high].some(one => one < least || one > most) || (!icmp && low > high)
  if (wrong)
    throw badRequest(`Invalid port range ${low}:${high}. Valid ${protocol ?? ''} ports are ${least} to ${most}.`)
}
