/**
 * The walk of policies: each operation that the service has, asked by each caller, and what came of it beside what the field's
 * default rules say. An operation is found among the rules by its method and path, so a new one is walked without being named
 * here; what is written down here is what cannot be found out.
 */
import type { JsonSchema } from '@strata/toolkit/schema'
import type { Operation } from '@strata/toolkit/service'
import type { TestAnswer } from '@strata/toolkit/testing'
import type { Identity } from '../harness.test.ts'
import { type DefaultRule, type Facts, passes, shapeOf } from './test-policy-rules.ts'
import type { Persona, World } from './test-policy-world.ts'

/** One thing to ask: an operation, with a rule that stands for it. */
export interface Case {
  readonly rule: string
  readonly operation: Operation
  /** The path as the rules' documents have it: its parameters' names say what they stand for. */
  readonly path: string
  readonly query: string
}

/** Rules that stand for an operation beside another one, which says who passes. */
const secondary: ReadonlySet<string> = new Set([
  // Old names of `get_auth_projects` and `get_auth_domains`.
  ...['identity:list_projects_for_user', 'identity:list_domains_for_user'],
  // Of roles that belong to a domain; they are asked for besides, and tested in `resources.test.ts`.
  ...['get', 'create', 'update', 'delete'].map(verb => `identity:${verb}_domain_role`),
])

/** Operations that the rules' documents forget to name. */
const unnamed: Readonly<Record<string, readonly string[]>> = {
  'identity:list_grants': ['users/{user_id}', 'groups/{group_id}'].map(
    actor => `GET /v3/OS-INHERIT/projects/{project_id}/${actor}/roles/inherited_to_projects`,
  ),
  'identity:get_policy': ['GET /v3/policies/{policy_id}/OS-ENDPOINT-POLICY/policy'],
}

/** All cases of the service, and the operations for which there is no rule. */
export function casesOf(operations: readonly Operation[], rules: readonly DefaultRule[]) {
  const cases: Case[] = []
  const without: string[] = []
  for (const operation of operations) {
    const key = `${operation.method} ${shapeOf(operation.path)}`
    const found = rules
      .filter(({ rule }) => !secondary.has(rule))
      .flatMap(({ rule, operations: named = [] }) =>
        [...named, ...(unnamed[rule] ?? [])]
          .filter(one => shapeOf(one.split('?')[0]!) === key)
          .map((one): Case => {
            const [path, query = ''] = one.slice(one.indexOf(' ') + 1).split('?') as [string, string?]
            return { rule, operation, path, query }
          }),
      )
    if (found.length === 0) without.push(key)
    cases.push(...found)
  }
  return { cases, without }
}

/** Refusals that do not come from a policy, told by their words. */
const otherwise: Readonly<Record<string, RegExp>> = {
  'POST /v3/ec2tokens': /"code":401/,
  'POST /v3/s3tokens': /"code":401/,
  'GET /v3/auth/catalog': /project-scoped token is required/,
  'POST /v3/users/{user_id}/application_credentials': /needs a token of a project/,
}

/** What differs from the rules, in words; empty when all is as it should be. */
export async function walk(options: {
  readonly cloud: Identity
  readonly world: World
  readonly cases: readonly Case[]
  readonly rules: readonly DefaultRule[]
}): Promise<string[]> {
  const { cloud, world, cases, rules } = options
  const wrong: string[] = []
  for (const one of cases) {
    const ask = asker({ cloud, world, one, cases })
    for (const persona of world.personas) {
      const expected = passes(rules, one.rule, persona, factsFor(one, persona, world))
      const answer = await ask(persona.token, expected)
      const verdict = judge(one, expected, answer)
      if (verdict) wrong.push(`${words(one)}, ${one.rule}, ${persona.name}: ${verdict}`)
    }
    const { status } = await ask('', false)
    if (status !== 401) wrong.push(`${words(one)}, without a token: ${status}, not 401`)
  }
  return wrong
}

const words = ({ operation: { method }, path, query }: Case) => `${method} ${path}${query && `?${query}`}`

function judge(one: Case, expected: boolean, { status, text }: TestAnswer): string | undefined {
  const got = `${status} ${text.slice(0, 200)}`
  if (status >= 500) return `failed: ${got}`
  const known = otherwise[`${one.operation.method} ${one.path}`]
  if (expected && (status === 401 || status === 403) && !known?.test(text)) return `should pass, got ${got}`
  if (expected && status === 404) return `should pass and find it, got ${got}`
  if (!expected && status !== 403) return `should be refused, got ${got}`
  return undefined
}

/** What is asked about. Lists ask for what is of the caller, where it does not say otherwise. */
function factsFor(one: Case, persona: Persona, world: World): Facts {
  const { operation, path } = one
  const list = operation.method === 'GET' && !path.includes('{')
  const own = persona.credentials['domain_id']
  if (!list || one.query.includes('=')) return world.facts
  if (one.rule === 'identity:list_role_assignments_for_tree')
    return { ...world.facts, 'target.domain_id': world.acme.id }
  return {
    'target.domain_id': own,
    'target.domain.id': own,
    'target.group.domain_id': own,
    'target.credential.user_id': persona.userId,
    // What belongs to a token is the token's in this list too.
    'target.token.user_id': world.owner.id,
  }
}

/** Asks for one case: makes what it is about when it is not there (any more), and counts on it while it is. */
function asker(options: { cloud: Identity; world: World; one: Case; cases: readonly Case[] }) {
  const { cloud, world, one, cases } = options
  const { operation, path, query } = one
  const names = [...path.matchAll(/\{([^}]*)\}/g)].map(match => match[1]!)
  const consumes = operation.method === 'DELETE'
  const sibling = cases.find(
    other => other.operation.method === 'PUT' && shapeOf(other.path) === shapeOf(path) && other !== one,
  )
  let ids: Record<string, string> | undefined
  let subject: string | undefined
  const bind = async () => {
    const bound: Record<string, string> = {}
    for (const [at, name] of names.entries())
      bound[name] = await idFor({ name, last: at === names.length - 1, one, world })
    return bound
  }
  return async (token: string, expected: boolean): Promise<TestAnswer> => {
    ids ??= await bind()
    const url = path.replace(/\{([^}]*)\}/g, (_, name: string) => ids![name]!)
    if (path === '/v3/auth/tokens') subject ??= await world.ownersToken()
    if (expected && sibling && operation.method !== 'PUT')
      await cloud.call('PUT', url, cloud.admin, bodyFor(sibling, world))
    const wanted = query && `?${filled(query, world)}`
    const body = bodyFor(one, world)
    const headers = subject === undefined ? undefined : { 'x-subject-token': subject }
    const answer = await cloud.call(operation.method, `${url}${wanted}`, token, body, headers)
    if (consumes && answer.status < 300) {
      ids = undefined
      subject = undefined
    }
    return answer
  }
}

function filled(query: string, world: World): string {
  if (query === 'include_subtree') return `${query}&scope.project.id=${world.project.id}`
  const ids: Readonly<Record<string, string>> = {
    domain_id: world.acme.id,
    trustor_user_id: world.owner.id,
    trustee_user_id: String(world.facts['target.trust.trustee_user_id']),
  }
  return query.replace(/\{([^}]*)\}/g, (_, name: string) => ids[name]!)
}

/** What all facts speak of, unless it would be gone afterwards. */
async function idFor(options: { name: string; last: boolean; one: Case; world: World }): Promise<string> {
  const { name, last, one, world } = options
  const { path, operation } = one
  const spared =
    !path.includes('/config') &&
    !(last && operation.method === 'DELETE' && path === `/v3/${name.replace('_id', '')}s/{${name}}`)
  const standing: Readonly<Record<string, string>> = {
    // A role that is taken away must not be one that somebody walks with.
    user_id: path.includes('/OS-OAUTH1/') ? world.adminId : path.includes('/roles') ? world.grantee.id : world.owner.id,
    project_id: world.project.id,
    domain_id: world.acme.id,
    ...((path.includes('/users/') || path.includes('/groups/') || operation.method === 'GET') && {
      role_id: world.memberRole,
    }),
  }
  if (spared && standing[name] !== undefined) return standing[name]
  if (path.includes('/config')) {
    if (name === 'domain_id')
      return path.includes('security_compliance') ? 'default' : world.makers['configured_domain']!()
    if (path.includes('security_compliance')) return 'password_regex'
    return name === 'group' ? 'identity' : 'list_limit'
  }
  if (path.includes('/OS-EC2/')) return world.makers['ec2_access']!()
  if (path.startsWith('/v3/endpoints/') && path.endsWith('/OS-ENDPOINT-POLICY/policy'))
    return world.makers['endpoint_with_policy']!()
  const maker = world.makers[name]
  // Whatever has no maker is made by the `PUT` of its own path.
  return maker ? maker() : world.fresh('thing')
}

function bodyFor({ operation, path }: Case, world: World): unknown {
  const { fresh, acme, owner, service, project } = world
  const own = { name: fresh(), domain_id: acme.id }
  const bodies: Readonly<Record<string, () => unknown>> = {
    'POST /v3/users': () => ({ user: own }),
    'POST /v3/groups': () => ({ group: own }),
    'POST /v3/projects': () => ({ project: own }),
    'POST /v3/regions': () => ({ region: {} }),
    'POST /v3/domains': () => ({ domain: { name: fresh() } }),
    'POST /v3/roles': () => ({ role: { name: fresh() } }),
    'POST /v3/endpoints': () => ({
      endpoint: { service_id: service.id, interface: 'public', url: 'http://cloud.example' },
    }),
    'POST /v3/credentials': () => ({ credential: { type: 'cert', blob: fresh(), user_id: owner.id } }),
    'POST /v3/registered_limits': () => ({
      registered_limits: [{ service_id: service.id, resource_name: fresh(), default_limit: 1 }],
    }),
    'POST /v3/limits': () => ({
      limits: [{ service_id: service.id, resource_name: world.limited, resource_limit: 1, project_id: project.id }],
    }),
    'POST /v3/OS-TRUST/trusts': () => world.trustBody(),
    'POST /v3/users/{user_id}/application_credentials': () => ({ application_credential: { name: fresh() } }),
    'POST /v3/users/{user_id}/credentials/OS-EC2': () => ({ tenant_id: project.id }),
    ...domainConfigBodies,
    ...federationBodies(world),
  }
  const made = bodies[`${operation.method} ${path}`]?.()
  return made ?? (operation.body === undefined ? undefined : sampleOf(operation.body))
}

const config = '/v3/domains/{domain_id}/config'
const ofGroup = () => ({ config: { identity: { list_limit: 10 } } })
const domainConfigBodies = {
  [`PUT ${config}`]: ofGroup,
  [`PATCH ${config}`]: ofGroup,
  [`PATCH ${config}/{group}`]: ofGroup,
  [`PATCH ${config}/{group}/{option}`]: () => ({ config: { list_limit: 10 } }),
}

function federationBodies({ mapping }: World): Readonly<Record<string, () => unknown>> {
  const root = '/v3/OS-FEDERATION'
  const rules = [{ local: [{ user: { name: '{0}' } }], remote: [{ type: 'UserName' }] }]
  const provider = { auth_url: 'https://cloud.example/auth', sp_url: 'https://cloud.example/sp' }
  return {
    [`PUT ${root}/identity_providers/{idp_id}`]: () => ({ identity_provider: { enabled: true } }),
    [`PUT ${root}/identity_providers/{idp_id}/protocols/{protocol_id}`]: () => ({ protocol: { mapping_id: mapping } }),
    [`PATCH ${root}/identity_providers/{idp_id}/protocols/{protocol_id}`]: () => ({
      protocol: { mapping_id: mapping },
    }),
    [`PUT ${root}/mappings/{mapping_id}`]: () => ({ mapping: { rules } }),
    [`PATCH ${root}/mappings/{mapping_id}`]: () => ({ mapping: { rules } }),
    [`PUT ${root}/service_providers/{service_provider_id}`]: () => ({ service_provider: provider }),
  }
}

/** The least that a schema asks for. */
export function sampleOf(given: Operation['body']): unknown {
  if (given === undefined) return undefined
  const schema = typeof given === 'function' ? given(0) : given
  const {
    enum: choices,
    properties,
    required,
    items,
    minItems,
    minLength,
    anyOf,
  } = schema as {
    enum?: unknown[]
    properties?: Record<string, JsonSchema>
    required?: string[]
    items?: JsonSchema
    minItems?: number
    minLength?: number
    anyOf?: JsonSchema[]
  }
  if (choices) return choices[0]
  const type = [schema['type']].flat()[0]
  if (type === 'object' || properties) {
    const names = [...(required ?? []), ...((anyOf?.[0]?.['required'] as string[] | undefined) ?? [])]
    return Object.fromEntries(names.map(name => [name, sampleOf(properties?.[name] ?? { type: 'string' })]))
  }
  if (type === 'array') return Array.from({ length: minItems ?? 0 }, () => sampleOf(items ?? {}))
  if (type === 'integer' || type === 'number') return (schema['minimum'] as number | undefined) ?? 1
  if (type === 'boolean') return false
  if (type === 'null') return null
  if (anyOf) return sampleOf(anyOf[0])
  return 'x'.repeat(Math.max(minLength ?? 0, 1))
}
