import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { authBody, type Identity, startIdentity, statuses } from '../harness.test.ts'

let cloud: Identity
let count = 0
before(async () => {
  cloud = await startIdentity()
})
after(() => cloud.close())

async function person() {
  const user = await cloud.make('user', { name: `person${++count}`, password: 'pw' })
  return { id: user.id as string, password: 'pw' }
}
/** A trustor, a member of a project, and a trustee who has nothing there. */
async function pair() {
  const [trustor, trustee] = [await person(), await person()]
  const project = await cloud.make('project', { name: `estate${count}` })
  await cloud.grant(`projects/${project.id}/users/${trustor.id}`, cloud.roles.member)
  const token = await cloud.login({ ...trustor, scope: { project: { id: project.id } } })
  const create = (values: object = {}, as = token) =>
    cloud.call('POST', '/v3/OS-TRUST/trusts', as, {
      trust: {
        trustor_user_id: trustor.id,
        trustee_user_id: trustee.id,
        impersonation: true,
        project_id: project.id,
        roles: [{ name: 'member' }],
        ...values,
      },
    })
  const use = (id: string, who = trustee) => cloud.tryLogin({ ...who, scope: { 'OS-TRUST:trust': { id } } })
  return { trustor, trustee, projectId: project.id as string, token, create, use }
}
const made = async (answer: Promise<{ status: number; text: string; json: { trust: { id: string } } }>) => {
  const { status, text, json } = await answer
  assert.equal(status, 201, text)
  return json.trust.id
}
const text = (answer: { headers: Record<string, unknown> }) => String(answer.headers['x-subject-token'])
const trust = (method: string, id: string, as: string, rest = '') =>
  cloud.call(method, `/v3/OS-TRUST/trusts/${id}${rest}`, as)

describe('trusts', () => {
  test('one is made, shown, listed and deleted', async () => {
    const who = await pair()
    const answer = await who.create({ expires_at: '2099-01-01T00:00:00Z' })
    assert.equal(answer.status, 201, answer.text)
    const { id, links, roles, roles_links: _, ...rest } = answer.json.trust
    assert.match(links.self, /v3\/OS-TRUST\/trusts\//)
    assert.deepEqual(rest, {
      trustor_user_id: who.trustor.id,
      trustee_user_id: who.trustee.id,
      project_id: who.projectId,
      impersonation: true,
      expires_at: '2099-01-01T00:00:00.000000Z',
      deleted_at: null,
      remaining_uses: null,
      redelegated_trust_id: null,
      redelegation_count: 0,
    })
    assert.deepEqual([roles.length, roles[0].id], [1, cloud.roles.member])
    assert.deepEqual((await trust('GET', id, who.token)).json, answer.json)
    assert.equal((await trust('GET', id, who.token, '/roles')).json.roles[0].name, 'member')
    assert.deepEqual(
      await statuses([
        trust('GET', id, who.token, `/roles/${cloud.roles.member}`),
        trust('HEAD', id, who.token, `/roles/${cloud.roles.member}`),
        trust('GET', id, who.token, `/roles/${cloud.roles.admin}`),
      ]),
      [200, 200, 404],
    )
    const list = (query: string, as = who.token) => cloud.call('GET', `/v3/OS-TRUST/trusts${query}`, as)
    for (const query of [`?trustor_user_id=${who.trustor.id}`, `?trustor_user_id=${who.trustor.id}&trustee_user_id=`])
      assert.equal((await list(query)).json.trusts.length, 1)
    assert.ok((await list('', cloud.admin)).json.trusts.some((one: { id: string }) => one.id === id))
    assert.deepEqual(await statuses([list(''), list(`?trustee_user_id=${who.trustee.id}`)]), [403, 403])
    assert.equal((await trust('DELETE', id, who.token)).status, 204)
    assert.equal((await trust('GET', id, who.token)).status, 404)
  })

  test('with impersonation the trustee acts as the trustor, without it as itself', async () => {
    const who = await pair()
    for (const impersonation of [true, false]) {
      const id = await made(who.create({ impersonation, roles: [{ id: cloud.roles.reader }] }))
      const answer = await who.use(id)
      assert.equal(answer.status, 201, answer.text)
      const { token } = answer.json
      assert.equal(token.user.id, impersonation ? who.trustor.id : who.trustee.id)
      assert.equal(token.project.id, who.projectId)
      assert.deepEqual(
        token.roles.map((role: { name: string }) => role.name),
        ['reader'],
      )
      assert.deepEqual(token['OS-TRUST:trust'], {
        id,
        impersonation,
        trustor_user: { id: who.trustor.id },
        trustee_user: { id: who.trustee.id },
      })
    }
  })

  test('nobody but the trustee can use it, and only while it lasts', async () => {
    const who = await pair()
    const stranger = await person()
    const id = await made(who.create())
    assert.deepEqual(
      await statuses([who.use(id, stranger), who.use(id, who.trustor), who.use('none')]),
      [403, 403, 401],
    )
    const token = text(await who.use(id))
    await trust('DELETE', id, who.token)
    assert.deepEqual(await statuses([cloud.show(token), who.use(id)]), [404, 401])
  })

  test('its tokens end with it, and with what either of the two loses', async () => {
    const end = new Date(Date.now() + 60_000)
    const losses: ((who: Awaited<ReturnType<typeof pair>>) => Promise<{ status: number }>)[] = [
      who =>
        cloud.call(
          'DELETE',
          `/v3/projects/${who.projectId}/users/${who.trustor.id}/roles/${cloud.roles.member}`,
          cloud.admin,
        ),
      who => cloud.call('PATCH', `/v3/users/${who.trustor.id}`, cloud.admin, { user: { enabled: false } }),
      who => cloud.call('PATCH', `/v3/users/${who.trustee.id}`, cloud.admin, { user: { enabled: false } }),
      who => cloud.call('PATCH', `/v3/users/${who.trustee.id}`, cloud.admin, { user: { password: 'new' } }),
      who => cloud.call('DELETE', `/v3/users/${who.trustor.id}`, cloud.admin),
      who => cloud.call('DELETE', `/v3/projects/${who.projectId}`, cloud.admin),
    ]
    for (const lose of losses) {
      const who = await pair()
      const answer = await who.use(await made(who.create({ expires_at: end.toISOString() })))
      assert.equal(Date.parse(answer.json.token.expires_at), end.getTime())
      assert.equal((await cloud.show(text(answer))).status, 200)
      assert.ok([200, 204].includes((await lose(who)).status))
      assert.equal((await cloud.show(text(answer))).status, 404, String(lose))
    }
  })

  test('uses are counted, also when they come at once', async () => {
    const who = await pair()
    const id = await made(who.create({ remaining_uses: 2 }))
    const all = await statuses([who.use(id), who.use(id), who.use(id)])
    assert.deepEqual(all.sort(), [201, 201, 403])
    assert.equal((await trust('GET', id, who.token)).json.trust.remaining_uses, 0)
  })

  test('a token by a trust makes no other token and no application credential', async () => {
    const who = await pair()
    const id = await made(who.create())
    const token = text(await who.use(id))
    const again = (scope?: unknown) => cloud.call('POST', '/v3/auth/tokens', '', authBody({ token, scope }))
    assert.deepEqual(
      await statuses([again(), again({ project: { id: who.projectId } }), again({ 'OS-TRUST:trust': { id } })]),
      [403, 403, 403],
    )
    const path = `/v3/users/${who.trustor.id}/application_credentials`
    assert.equal((await cloud.call('POST', path, token, { application_credential: { name: 'x' } })).status, 403)
  })

  test('nobody gives what is not theirs', async () => {
    const who = await pair()
    const stranger = await pair()
    assert.deepEqual(
      await statuses([
        who.create({}, stranger.token),
        who.create({}, cloud.admin),
        who.create({ roles: [{ name: 'admin' }] }),
        who.create({ roles: [{ name: 'unheard-of' }] }),
        who.create({ roles: [] }),
        who.create({ project_id: stranger.projectId }),
        who.create({ project_id: 'none' }),
        who.create({ trustee_user_id: 'none' }),
      ]),
      [403, 403, 404, 404, 403, 404, 404, 404],
    )
  })

  test('malformed ones are refused by the name of the field', async () => {
    const who = await pair()
    for (const [values, field] of [
      [{ impersonation: 'yes' }, /impersonation/],
      [{ expires_at: 'bad.123Z' }, /expires_at/],
      [{ expires_at: '2001-01-01T00:00:00Z' }, /expires_at/],
      [{ remaining_uses: 0 }, /remaining_uses/],
      [{ remaining_uses: 1, allow_redelegation: true }, /remaining_uses/],
      [{ allow_redelegation: true, redelegation_count: 4 }, /redelegation_count/],
    ] as const) {
      const answer = await who.create(values)
      assert.equal(answer.status, 400, answer.text)
      assert.match(answer.json.error.message, field)
    }
  })

  test('it is handed on within its bounds, and takes what came of it along', async () => {
    const who = await pair()
    const third = await person()
    const first = await made(who.create({ allow_redelegation: true, redelegation_count: 1 }))
    const token = text(await who.use(first))
    const hand = (values: object) => who.create({ trustee_user_id: third.id, ...values }, token)
    assert.equal((await hand({ allow_redelegation: true, redelegation_count: 1 })).status, 403)
    const second = await made(hand({ roles: [{ name: 'reader' }] }))
    assert.equal((await trust('GET', second, who.token)).json.trust.redelegated_trust_id, first)
    const reached = await who.use(second, third)
    assert.equal(reached.json.token.user.id, who.trustor.id)
    const { trustee } = who
    await cloud.call('PATCH', `/v3/users/${trustee.id}`, cloud.admin, { user: { enabled: false } })
    assert.equal((await cloud.show(text(reached))).status, 404)
    await trust('DELETE', first, who.token)
    assert.equal((await who.use(second, third)).status, 401)
  })
})
