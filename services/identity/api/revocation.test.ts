/** Whatever ends a token ends it at once: for identity, and for services that had been told that it was good. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { TokenInfo } from '@strata/toolkit/context'
import { systemRuntime } from '@strata/toolkit/runtime'
import { until } from '@strata/toolkit/testing'
import { cachingVerifier, type TokenVerifier } from '@strata/toolkit/tokens'
import { type Identity, startIdentity, statuses } from '../harness.test.ts'

let cloud: Identity
/** As another service checks tokens. */
let verify: TokenVerifier
let bystander: string
let serial = 0

before(async () => {
  cloud = await startIdentity({ token_cache_seconds: 3600 })
  const { instance, environment } = cloud.service
  // Asks once an hour, unless it hears that something changed.
  verify = cachingVerifier({
    fetch: instance.verifyToken!,
    runtime: systemRuntime,
    bus: environment.bus,
    ttl: 3_600_000,
  })
  bystander = (await member()).token
})
after(() => cloud.close())

const admin = (method: string, path: string, body?: object) => cloud.call(method, `/v3/${path}`, cloud.admin, body)
const done = async (answer: Promise<{ status: number; text: string }>) => {
  const { status, text } = await answer
  assert.ok(status < 300, text)
}
const fresh = () => `r${++serial}`

interface Member {
  readonly domainId: string
  readonly userId: string
  readonly projectId: string
  readonly token: string
  readonly login: (scope?: unknown) => Promise<string>
}

/** A user with the role member on a project; of a domain of their own where that matters. */
async function member(
  options: { ownDomain?: boolean; roles?: readonly string[]; via?: 'group' } = {},
): Promise<Member & { groupId?: string }> {
  const domainId = options.ownDomain ? (await cloud.make('domain', { name: fresh() })).id : 'default'
  const user = await cloud.make('user', { name: fresh(), password: 'pw', domain_id: domainId })
  const project = await cloud.make('project', { name: fresh(), domain_id: domainId })
  const group = options.via && (await cloud.make('group', { name: fresh() }))
  if (group) await done(admin('PUT', `groups/${group.id}/users/${user.id}`))
  const actor = group ? `groups/${group.id}` : `users/${user.id}`
  for (const role of options.roles ?? [cloud.roles.member]) await cloud.grant(`projects/${project.id}/${actor}`, role)
  const login = (scope: unknown = { project: { id: project.id } }) =>
    cloud.login({ id: user.id, password: 'pw', scope })
  return { domainId, userId: user.id, projectId: project.id, groupId: group?.id, token: await login(), login }
}
const disable = (kind: string, id: string) => done(admin('PATCH', `${kind}s/${id}`, { [kind]: { enabled: false } }))

interface Case {
  readonly token: string
  readonly act: () => Promise<void>
}

const matrix: Readonly<Record<string, () => Promise<Case>>> = {
  async 'the token itself is revoked'() {
    const { token } = await member()
    return {
      token,
      act: () => done(cloud.call('DELETE', '/v3/auth/tokens', token, undefined, { 'x-subject-token': token })),
    }
  },
  async 'the chain of a token is revoked'() {
    const { token, projectId } = await member()
    const child = await cloud.login({ token, scope: { project: { id: projectId } } })
    return {
      token: child,
      act: () =>
        done(cloud.call('DELETE', '/v3/auth/tokens?revoke_chain=1', token, undefined, { 'x-subject-token': token })),
    }
  },
  async 'its user is disabled'() {
    const { token, userId } = await member()
    return { token, act: () => disable('user', userId) }
  },
  async 'its user is deleted'() {
    const { token, userId } = await member()
    return { token, act: () => done(admin('DELETE', `users/${userId}`)) }
  },
  async 'an administrator sets the password'() {
    const { token, userId } = await member()
    return { token, act: () => done(admin('PATCH', `users/${userId}`, { user: { password: 'new' } })) }
  },
  async 'the user changes the password'() {
    const { token, userId } = await member()
    const user = { original_password: 'pw', password: 'new' }
    return { token, act: () => done(cloud.call('POST', `/v3/users/${userId}/password`, '', { user })) }
  },
  async 'its project is disabled'() {
    const { token, projectId } = await member()
    return { token, act: () => disable('project', projectId) }
  },
  async 'its project is deleted'() {
    const { token, projectId } = await member()
    return { token, act: () => done(admin('DELETE', `projects/${projectId}`)) }
  },
  async 'the domain of its user and project is disabled'() {
    const { token, domainId } = await member({ ownDomain: true })
    return { token, act: () => disable('domain', domainId) }
  },
  async 'the domain of its user alone is disabled'() {
    const { domainId, userId, login } = await member({ ownDomain: true })
    const project = await cloud.make('project', { name: fresh() })
    await cloud.grant(`projects/${project.id}/users/${userId}`, cloud.roles.reader)
    return { token: await login({ project: { id: project.id } }), act: () => disable('domain', domainId) }
  },
  async 'the domain that it is of is disabled'() {
    const { userId, login } = await member()
    const domain = await cloud.make('domain', { name: fresh() })
    await cloud.grant(`domains/${domain.id}/users/${userId}`, cloud.roles.reader)
    return { token: await login({ domain: { id: domain.id } }), act: () => disable('domain', domain.id) }
  },
  async 'an unscoped one, and its user’s domain is disabled'() {
    const { domainId, login } = await member({ ownDomain: true })
    return { token: await login('unscoped'), act: () => disable('domain', domainId) }
  },
  async 'its only role is taken'() {
    const { token, userId, projectId } = await member()
    const path = `projects/${projectId}/users/${userId}/roles/${cloud.roles.member}`
    return { token, act: () => done(admin('DELETE', path)) }
  },
  async 'its only role is deleted'() {
    const role = await cloud.make('role', { name: fresh() })
    const { token } = await member({ roles: [role.id] })
    return { token, act: () => done(admin('DELETE', `roles/${role.id}`)) }
  },
  async 'its role on the system is taken'() {
    const { userId, login } = await member()
    await cloud.grant(`system/users/${userId}`, cloud.roles.reader)
    const path = `system/users/${userId}/roles/${cloud.roles.reader}`
    return { token: await login({ system: { all: true } }), act: () => done(admin('DELETE', path)) }
  },
  async 'the role that it inherited is taken'() {
    const { userId, domainId, login } = await member({ ownDomain: true })
    const path = `OS-INHERIT/domains/${domainId}/users/${userId}/roles/${cloud.roles.reader}/inherited_to_projects`
    await done(admin('PUT', path))
    const project = await cloud.make('project', { name: fresh(), domain_id: domainId })
    return { token: await login({ project: { id: project.id } }), act: () => done(admin('DELETE', path)) }
  },
  async 'its user leaves the group that had the role'() {
    const { token, userId, groupId } = await member({ via: 'group' })
    return { token, act: () => done(admin('DELETE', `groups/${groupId}/users/${userId}`)) }
  },
  async 'the group that had the role is deleted'() {
    const { token, groupId } = await member({ via: 'group' })
    return { token, act: () => done(admin('DELETE', `groups/${groupId}`)) }
  },
  async 'the role is taken from the group'() {
    const { token, groupId, projectId } = await member({ via: 'group' })
    const path = `projects/${projectId}/groups/${groupId}/roles/${cloud.roles.member}`
    return { token, act: () => done(admin('DELETE', path)) }
  },
  async 'its application credential is deleted'() {
    const { token, userId } = await member()
    const path = `/v3/users/${userId}/application_credentials`
    const made = await cloud.call('POST', path, token, { application_credential: { name: fresh() } })
    const { id, secret } = made.json.application_credential
    const identity = { methods: ['application_credential'], application_credential: { id, secret } }
    const answer = await cloud.call('POST', '/v3/auth/tokens', '', { auth: { identity } })
    return {
      token: String(answer.headers['x-subject-token']),
      act: () => done(cloud.call('DELETE', `${path}/${id}`, token)),
    }
  },
  async 'its trust is deleted'() {
    const { trust, trustor, token } = await trusted()
    return { token, act: () => done(cloud.call('DELETE', `/v3/OS-TRUST/trusts/${trust}`, trustor.token)) }
  },
  async 'its trustor is disabled'() {
    const { trustor, token } = await trusted()
    return { token, act: () => disable('user', trustor.userId) }
  },
  async 'its trustee is disabled, though it acts as the trustor'() {
    const { trustee, token } = await trusted()
    return { token, act: () => disable('user', trustee.userId) }
  },
  async 'its trustor loses the role'() {
    const { trustor, token } = await trusted()
    const path = `projects/${trustor.projectId}/users/${trustor.userId}/roles/${cloud.roles.member}`
    return { token, act: () => done(admin('DELETE', path)) }
  },
}

async function trusted() {
  const [trustor, trustee] = [await member(), await member()]
  const made = await cloud.call('POST', '/v3/OS-TRUST/trusts', trustor.token, {
    trust: {
      trustor_user_id: trustor.userId,
      trustee_user_id: trustee.userId,
      impersonation: true,
      project_id: trustor.projectId,
      roles: [{ name: 'member' }],
    },
  })
  const trust: string = made.json.trust.id
  return { trustor, trustee, trust, token: await trustee.login({ 'OS-TRUST:trust': { id: trust } }) }
}

describe('a token ends at once, everywhere, when', () => {
  for (const [what, prepare] of Object.entries(matrix))
    test(what, async () => {
      const { token, act } = await prepare()
      for (const one of [token, bystander]) {
        assert.equal((await cloud.show(one)).status, 200)
        assert.ok(await verify(one))
      }
      await act()
      assert.equal((await cloud.show(token)).status, 404)
      assert.equal((await cloud.call('GET', '/v3/auth/projects', token)).status, 401)
      await until('services hear of it', async () => (await verify(token)) === undefined)
      assert.equal((await cloud.show(bystander)).status, 200)
      assert.ok(await verify(bystander))
    })
})

describe('what does not end a token', () => {
  const namesOf = (info: TokenInfo | undefined) => info?.roles.map(role => role.name).sort()

  test('a role of several that is taken: the others stay, at once without it', async () => {
    const { token, userId, projectId } = await member({ roles: [cloud.roles.member, cloud.roles.service] })
    assert.deepEqual(namesOf(await verify(token)), ['member', 'reader', 'service'])
    await done(admin('DELETE', `projects/${projectId}/users/${userId}/roles/${cloud.roles.member}`))
    assert.deepEqual(namesOf(await verify(token)), ['service'])
  })

  test('what a role implies', async () => {
    const [prior, implied] = [await cloud.make('role', { name: fresh() }), await cloud.make('role', { name: fresh() })]
    await done(admin('PUT', `roles/${prior.id}/implies/${implied.id}`))
    const { token } = await member({ roles: [prior.id] })
    assert.equal(namesOf(await verify(token))?.length, 2)
    await done(admin('DELETE', `roles/${prior.id}/implies/${implied.id}`))
    assert.deepEqual(namesOf(await verify(token)), [prior.name])
  })

  test('the token that it was made from being revoked', async () => {
    const { token, projectId } = await member()
    const child = await cloud.login({ token, scope: { project: { id: projectId } } })
    await done(cloud.call('DELETE', '/v3/auth/tokens', token, undefined, { 'x-subject-token': token }))
    assert.deepEqual(await statuses([cloud.show(token), cloud.show(child)]), [404, 200])
  })

  test('a revocation of before: who was disabled and is enabled again logs in anew', async () => {
    const { token, userId, login } = await member()
    await disable('user', userId)
    await done(admin('PATCH', `users/${userId}`, { user: { enabled: true } }))
    assert.equal((await cloud.show(token)).status, 404)
    cloud.advance(1)
    assert.equal((await cloud.show(await login())).status, 200)
  })
})

describe('the list of revocations', () => {
  test('says what was revoked since when, to services and administrators', async () => {
    const start = (await cloud.call('GET', '/v3/OS-REVOKE/events', cloud.admin)).json.events.at(-1).revoked_at
    cloud.advance(5)
    const { token, userId, projectId } = await member()
    const { trust, trustor } = await trusted()
    await done(cloud.call('DELETE', '/v3/auth/tokens', token, undefined, { 'x-subject-token': token }))
    await disable('user', userId)
    await done(admin('DELETE', `projects/${projectId}`))
    await done(cloud.call('DELETE', `/v3/OS-TRUST/trusts/${trust}`, trustor.token))
    const consumer = await cloud.make('consumer', {}, '/v3/OS-OAUTH1/consumers')
    await done(admin('DELETE', `OS-OAUTH1/consumers/${consumer.id}`))
    const list = (query: string, as = cloud.admin) => cloud.call('GET', `/v3/OS-REVOKE/events${query}`, as)
    const { events, links } = (await list(`?since=${start}`)).json
    assert.ok(links.self.endsWith('/v3/OS-REVOKE/events'))
    const named = events.map(({ issued_before, revoked_at, ...rest }: Record<string, string>) => {
      assert.match(issued_before!, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
      assert.equal(issued_before, revoked_at)
      return rest
    })
    assert.deepEqual(
      named.flatMap((one: object) => Object.keys(one)),
      ['audit_id', 'user_id', 'project_id', 'OS-TRUST:trust_id', 'OS-OAUTH1:consumer_id'],
    )
    assert.deepEqual(named.slice(1), [
      { user_id: userId },
      { project_id: projectId },
      { 'OS-TRUST:trust_id': trust },
      { 'OS-OAUTH1:consumer_id': consumer.id },
    ])
    assert.deepEqual((await list('?since=2099-01-01T00:00:00Z')).json.events, [])
    assert.deepEqual(await statuses([list('?since=yesterday'), list('', bystander)]), [400, 403])
  })

  test('the lists of PKI tokens are gone', async () => {
    const get = (path: string) => cloud.call('GET', `/v3/OS-SIMPLE-CERT/${path}`, '')
    assert.deepEqual(await statuses([get('ca'), get('certificates')]), [410, 410])
  })
})
