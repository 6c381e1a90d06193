/** Application credentials and access rules, below the user who owns them. */
import { type ApiRequest, type Operation, operation, reply } from '@strata/toolkit/service'
import { type ApplicationCredentialRequest, applicationCredentialSchema } from '../contract/application-credential.ts'
import { missing } from '../contract/errors.ts'
import {
  type ApplicationCredential,
  applicationCredentialLogic,
  type OwnedAccessRule,
} from '../logic/application-credential.ts'
import type { Parts } from '../logic/parts.ts'

const credentials = '/v3/users/:user_id/application_credentials'
const rules = '/v3/users/:user_id/access_rules'

const owner = (request: ApiRequest): string => request.params['user_id']!
const pathOf = (request: ApiRequest, kind: string, id: string) =>
  `${request.baseUrl}/v3/users/${owner(request)}/${kind}/${id}`
/** Enforces a rule about what belongs to a user: the one of the path, where there is no other. */
const allowed = (request: ApiRequest, rule: string, userId = owner(request)): string => {
  request.context.enforce(`identity:${rule}`, { user_id: userId, target: { user: { id: userId } } })
  return userId
}
const existing = (found: ApplicationCredential | undefined, request: ApiRequest): ApplicationCredential => {
  if (!found) throw missing('application_credential', request.params['id']!)
  return found
}
const listLinks = (request: ApiRequest) => ({
  next: null,
  self: `${request.baseUrl}${request.path}`,
  previous: null,
})

export function applicationCredentialOperations(parts: Parts): Operation[] {
  const logic = applicationCredentialLogic(parts)
  return [
    operation({
      method: 'GET',
      path: credentials,
      async handler(request) {
        const userId = allowed(request, 'list_application_credentials')
        const name = [request.query['name']].flat().at(-1)
        const found = await logic.list(userId, name)
        return { application_credentials: found.map(one => view(one, request)), links: listLinks(request) }
      },
    }),
    operation<ApplicationCredentialRequest>({
      method: 'POST',
      path: credentials,
      body: applicationCredentialSchema,
      async handler(request) {
        allowed(request, 'create_application_credential')
        const { secret, ...made } = await logic.create(request.context, request.body.application_credential)
        return reply(201, { application_credential: { ...view(made, request), secret } })
      },
    }),
    operation({
      method: 'GET',
      path: `${credentials}/:id`,
      async handler(request) {
        const found = await logic.find(request.params['id']!)
        allowed(request, 'get_application_credential', found?.row.user_id)
        return { application_credential: view(existing(found, request), request) }
      },
    }),
    operation({
      method: 'DELETE',
      path: `${credentials}/:id`,
      async handler(request) {
        const found = await logic.find(request.params['id']!)
        allowed(request, 'delete_application_credential', found?.row.user_id)
        await logic.remove(request.context, existing(found, request).row.id)
        return undefined
      },
    }),
    ...accessRuleOperations(logic),
  ]
}

function accessRuleOperations(logic: ReturnType<typeof applicationCredentialLogic>): Operation[] {
  return [
    operation({
      method: 'GET',
      path: rules,
      async handler(request) {
        const found = await logic.rules(allowed(request, 'list_access_rules'))
        return { access_rules: found.map(one => ruleView(one, request)), links: listLinks(request) }
      },
    }),
    operation({
      method: 'GET',
      path: `${rules}/:id`,
      async handler(request) {
        const userId = allowed(request, 'get_access_rule')
        return { access_rule: ruleView(await logic.rule(userId, request.params['id']!), request) }
      },
    }),
    operation({
      method: 'DELETE',
      path: `${rules}/:id`,
      async handler(request) {
        await logic.removeRule(allowed(request, 'delete_access_rule'), request.params['id']!)
        return undefined
      },
    }),
  ]
}

function view({ row, roles, rules: own }: ApplicationCredential, request: ApiRequest): object {
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    user_id: row.user_id,
    project_id: row.project_id,
    roles: roles.map(({ id, name, domain_id }) => ({ id, name, domain_id })),
    expires_at: row.expires_at,
    unrestricted: row.unrestricted === 1,
    ...(own.length > 0 && { access_rules: own.map(({ user_id: _, ...rule }) => rule) }),
    links: { self: pathOf(request, 'application_credentials', row.id) },
  }
}

function ruleView({ user_id: _, ...rule }: OwnedAccessRule, request: ApiRequest): object {
  return { ...rule, links: { self: pathOf(request, 'access_rules', rule.id) } }
}
