/**
 * For the walk of policies: callers of every role and scope, and things for them to ask about.
 *
 * Words: what is asked about lies in the domain *acme*, and what a user can own belongs to the user *owner*. Callers come from
 * acme and from the domain *other*, so each rule is met by its own and by strangers.
 */
import { type Identity, inProject, root } from '../harness.test.ts'
import { authorization, type Signer } from '../test-oauth1.ts'
import type { Caller, Facts } from './test-policy-rules.ts'

export interface Persona extends Caller {
  readonly name: string
  readonly token: string
  readonly userId: string
}

type Role = keyof Identity['roles']
const roleNames: readonly Role[] = ['admin', 'manager', 'member', 'reader', 'service']
const implied: Readonly<Record<Role, readonly Role[]>> = {
  admin: ['admin', 'manager', 'member', 'reader'],
  manager: ['manager', 'member', 'reader'],
  member: ['member', 'reader'],
  reader: ['reader'],
  service: ['service'],
}

export type World = Awaited<ReturnType<typeof createWorld>>

export async function createWorld(cloud: Identity) {
  const { make, grant, roles, login, call } = cloud
  let serial = 0
  const fresh = (what = 'made') => `${what}${++serial}`
  const acme = await make('domain', { name: 'acme' })
  const other = await make('domain', { name: 'other' })
  const project = await make('project', { name: 'project', domain_id: acme.id })
  const foreign = await make('project', { name: 'foreign', domain_id: other.id })
  const user = (domain: string, name = fresh('user')) => make('user', { name, domain_id: domain, password: 'pw' })
  const owner = await user(acme.id, 'owner')
  const trustee = await user(acme.id, 'trustee')
  const grantee = await user(acme.id, 'grantee')
  for (const one of [owner, trustee]) await grant(`projects/${project.id}/users/${one.id}`, roles.member)

  const places = [
    { name: 'the system', path: 'system', scope: { system: { all: true } }, type: 'system', of: acme },
    { name: 'acme', path: `domains/${acme.id}`, scope: { domain: { id: acme.id } }, type: 'domain', of: acme },
    { name: 'other', path: `domains/${other.id}`, scope: { domain: { id: other.id } }, type: 'domain', of: other },
    {
      name: 'a project of acme',
      path: `projects/${project.id}`,
      scope: { project: { id: project.id } },
      type: 'project',
      of: acme,
    },
    {
      name: 'a project of other',
      path: `projects/${foreign.id}`,
      scope: { project: { id: foreign.id } },
      type: 'project',
      of: other,
    },
  ] as const
  type Place = (typeof places)[number]
  const credentialsOf = (userId: string, home: string, place?: Place): Caller['credentials'] => ({
    user_id: userId,
    user_domain_id: home,
    ...(place?.type === 'system' && { system_scope: 'all' }),
    ...(place?.type === 'domain' && { domain_id: place.of.id, 'token.domain.id': place.of.id }),
    ...(place?.type === 'project' && {
      project_id: place.scope.project.id,
      project_domain_id: place.of.id,
      'token.project.domain.id': place.of.id,
    }),
  })
  const personas: Persona[] = []
  const add = async (name: string, who: { id: string }, home: string, place?: Place, role?: Role) =>
    personas.push({
      name,
      userId: who.id,
      roles: role ? implied[role] : [],
      scope: place?.type ?? 'none',
      credentials: credentialsOf(who.id, home, place),
      token: await login({ id: who.id, password: 'pw', scope: place?.scope ?? 'unscoped' }),
    })
  for (const place of places)
    for (const role of roleNames) {
      const who = await user(place.of.id)
      await grant(`${place.path}/users/${who.id}`, roles[role])
      await add(`${role} of ${place.name}`, who, place.of.id, place, role)
    }
  await add('nobody', await user(acme.id), acme.id)
  await add('the owner', owner, acme.id, places[3], 'member')
  await add('the owner, unscoped', owner, acme.id)
  await add('the trustee', trustee, acme.id, places[3], 'member')

  /** A token of the owner: what it shows is asked about. */
  const ownersToken = () => login({ id: owner.id, password: 'pw', scope: inProject('project', acme.id) })
  const asOwner = async (path: string, body: object) => {
    const answer = await call('POST', path, await ownersToken(), body)
    if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${answer.text}`)
    return Object.values(answer.json as Record<string, { id: string }>)[0]!
  }
  const service = await make('service', { type: 'walked' })
  const registered = async (name = fresh('resource')) =>
    (
      await call('POST', '/v3/registered_limits', cloud.admin, {
        registered_limits: [{ service_id: service.id, resource_name: name, default_limit: 1 }],
      })
    ).json.registered_limits[0] as { id: string; resource_name: string }
  const trustBody = () => ({
    trust: {
      trustor_user_id: owner.id,
      trustee_user_id: trustee.id,
      impersonation: false,
      project_id: project.id,
      roles: [{ name: 'member' }],
    },
  })
  const applicationCredentials = `/v3/users/${owner.id}/application_credentials`

  const consumer = async (): Promise<Signer> => {
    const made = await make('consumer', {}, '/v3/OS-OAUTH1/consumers')
    return { key: made.id, secret: made.secret }
  }
  const adminToken = (await cloud.show(cloud.admin)).json.token
  const signed = async (what: string, signer: Signer, changes: Record<string, string>) => {
    const path = `/OS-OAUTH1/${what}`
    const headers = {
      authorization: authorization(`${root.replace(':80', '')}${path}`, signer, changes),
      'requested-project-id': adminToken.project.id as string,
    }
    const form = new URLSearchParams((await call('POST', `/v3${path}`, '', undefined, headers)).text)
    return { id: form.get('oauth_token')!, secret: form.get('oauth_token_secret')! }
  }
  const requestToken = (signer: Signer) => signed('request_token', signer, { oauth_callback: 'oob' })

  /** What a path's parameter can stand for, by the name that the rules' documents give it; each makes a new one. */
  const makers: Readonly<Record<string, () => Promise<string>>> = {
    domain_id: async () => {
      const made = await make('domain', { name: fresh('domain'), enabled: false })
      return made.id
    },
    user_id: async () => (await user(acme.id)).id,
    group_id: async () => (await make('group', { name: fresh('group'), domain_id: acme.id })).id,
    project_id: async () => (await make('project', { name: fresh('project'), domain_id: acme.id })).id,
    role_id: async () => (await make('role', { name: fresh('role') })).id,
    prior_role_id: async () => (await make('role', { name: fresh('role') })).id,
    implied_role_id: async () => (await make('role', { name: fresh('role') })).id,
    region_id: async () => (await make('region', { id: fresh('region') })).id,
    service_id: async () => (await make('service', { type: fresh('type') })).id,
    endpoint_id: async () =>
      (await make('endpoint', { service_id: service.id, interface: 'public', url: 'http://cloud.example' })).id,
    endpoint_group_id: async () =>
      (await make('endpoint_group', { name: fresh(), filters: {} }, '/v3/OS-EP-FILTER/endpoint_groups')).id,
    policy_id: async () => (await make('policy', { type: 'text/plain', blob: 'x' }, '/v3/policies')).id,
    credential_id: async () => (await make('credential', { type: 'cert', blob: fresh(), user_id: owner.id })).id,
    registered_limit_id: async () => (await registered()).id,
    limit_id: async () => {
      const of = await registered()
      const { json } = await call('POST', '/v3/limits', cloud.admin, {
        limits: [
          { service_id: service.id, resource_name: of.resource_name, resource_limit: 1, project_id: project.id },
        ],
      })
      return json.limits[0].id
    },
    trust_id: async () => (await asOwner('/v3/OS-TRUST/trusts', trustBody())).id,
    application_credential_id: async () =>
      (await asOwner(applicationCredentials, { application_credential: { name: fresh() } })).id,
    access_rule_id: async () => {
      const rule = { service: 'compute', method: 'GET', path: `/${fresh()}` }
      const made = await asOwner(applicationCredentials, {
        application_credential: { name: fresh(), access_rules: [rule] },
      })
      const { id } = (made as unknown as { access_rules: [{ id: string }] }).access_rules[0]
      // A rule that is in use cannot be deleted.
      await call('DELETE', `${applicationCredentials}/${made.id}`, await ownersToken())
      return id
    },
    consumer_id: async () => (await consumer()).key,
    request_token_id: async () => (await requestToken(await consumer())).id,
    // Authorized by the administrator, on its own project.
    access_token_id: async () => {
      const signer = await consumer()
      const asked = await requestToken(signer)
      const body = { roles: [{ id: roles.member }] }
      const { json } = await call('PUT', `/v3/OS-OAUTH1/authorize/${asked.id}`, cloud.admin, body)
      return (await signed('access_token', { ...signer, token: asked }, json.token)).id
    },
    value: async () => fresh('tag'),
    idp_id: async () => {
      const id = fresh('idp')
      await call('PUT', `/v3/OS-FEDERATION/identity_providers/${id}`, cloud.admin, { identity_provider: {} })
      return id
    },
    configured_domain: async () => {
      const id = await makers['domain_id']!()
      await call('PUT', `/v3/domains/${id}/config`, cloud.admin, { config: { identity: { list_limit: 10 } } })
      return id
    },
    endpoint_with_policy: async () => {
      const [policyId, endpointId] = [await makers['policy_id']!(), await makers['endpoint_id']!()]
      await call('PUT', `/v3/policies/${policyId}/OS-ENDPOINT-POLICY/endpoints/${endpointId}`, cloud.admin)
      return endpointId
    },
    ec2_access: async () =>
      (
        (await asOwner(`/v3/users/${owner.id}/credentials/OS-EC2`, { tenant_id: project.id })) as unknown as {
          access: string
        }
      ).access,
  }

  const mapping = fresh('mapping')
  const rules = [{ local: [{ user: { name: '{0}' } }], remote: [{ type: 'UserName' }] }]
  await call('PUT', `/v3/OS-FEDERATION/mappings/${mapping}`, cloud.admin, { mapping: { rules } })

  const facts: Facts = {
    user_id: owner.id,
    'target.user.id': owner.id,
    'target.user.domain_id': acme.id,
    'target.group.domain_id': acme.id,
    'target.project.id': project.id,
    'target.project.domain_id': acme.id,
    'target.domain.id': acme.id,
    'target.token.user_id': owner.id,
    'target.credential.user_id': owner.id,
    'target.trust.trustor_user_id': owner.id,
    'target.trust.trustee_user_id': trustee.id,
    'target.limit.project_id': project.id,
    'target.limit.project.domain_id': acme.id,
    'target.role.name': 'member',
    'target.role.domain_id': null,
  }
  return {
    ...{ acme, other, project, owner, grantee, trustee, service, personas, makers, facts, fresh },
    ...{ adminId: adminToken.user.id as string },
    ...{ ownersToken, trustBody, mapping, memberRole: roles.member, limited: (await registered()).resource_name },
  }
}
