import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { type Identity, startIdentity, statuses } from '../harness.test.ts'

/** `O=Default, CN=robot, emailAddress=robot@example.org`, self-signed; so is the next, with another key. */
const robot = `-----BEGIN CERTIFICATE-----
MIIB3zCCAYWgAwIBAgIUZKTXirte35ATLOe8mObWywKb+YMwCgYIKoZIzj0EAwIw
RDEQMA4GA1UECgwHRGVmYXVsdDEOMAwGA1UEAwwFcm9ib3QxIDAeBgkqhkiG9w0B
CQEWEXJvYm90QGV4YW1wbGUub3JnMCAXDTI2MTEyMDE2MjgzM1oYDzIxMjYxMDI3
MTYyODMzWjBEMRAwDgYDVQQKDAdEZWZhdWx0MQ4wDAYDVQQDDAVyb2JvdDEgMB4G
CSqGSIb3DQEJARYRcm9ib3RAZXhhbXBsZS5vcmcwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAASMemIWS1NWQ22aGa9LwutxYD2XRdONy2Rg3EFN0oQqwRbmOmR6Knui
qhjZn9J+t3t3n0BKFoY2YBn2yLKVRUuho1MwUTAdBgNVHQ4EFgQUxHLVhjvHrCjT
LN2wsvAMswD8XQ0wHwYDVR0jBBgwFoAUxHLVhjvHrCjTLN2wsvAMswD8XQ0wDwYD
VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiAEbLC9VY7X4pQpmwX+RWyY
9od9PF22eFr4W0dDV+tcwQIhAIJ8Uf9q5TBRXzKCXW+e/UuCyj0KHHSpOk3IlIQs
KVK8
-----END CERTIFICATE-----
`
const otherRobot = `-----BEGIN CERTIFICATE-----
MIIB3jCCAYWgAwIBAgIULfLXJRYRFpxTJh666ovsIi8hLV4wCgYIKoZIzj0EAwIw
RDEQMA4GA1UECgwHRGVmYXVsdDEOMAwGA1UEAwwFcm9ib3QxIDAeBgkqhkiG9w0B
CQEWEXJvYm90QGV4YW1wbGUub3JnMCAXDTI2MTEyMDE2MjgzM1oYDzIxMjYxMDI3
MTYyODMzWjBEMRAwDgYDVQQKDAdEZWZhdWx0MQ4wDAYDVQQDDAVyb2JvdDEgMB4G
CSqGSIb3DQEJARYRcm9ib3RAZXhhbXBsZS5vcmcwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAThY73qrAAJoOldTJtfuC5KxGbSuTkYZBV5QCrjeFIKv3iSalmlb237
mGfS/5CJzPiVMc6bzmr5Ib4RA7AenAD1o1MwUTAdBgNVHQ4EFgQU6HYWZRT6jb65
Lc+Gqxg/NUrxBkkwHwYDVR0jBBgwFoAU6HYWZRT6jb65Lc+Gqxg/NUrxBkkwDwYD
VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNHADBEAiBUkcmG2jbaxwMRqNMGCDsX
hRIIr8VSbg4+sSakoU61KQIgDodbxoYQOrM2FB++xA3c0HcSci2xAF11snAU5sgT
RMw=
-----END CERTIFICATE-----
`
/** `O=Default, CN=stranger`. */
const stranger = `-----BEGIN CERTIFICATE-----
MIIBoTCCAUegAwIBAgIURPLmL7lnqHBxiej2efvEvQ5DchYwCgYIKoZIzj0EAwIw
JTEQMA4GA1UECgwHRGVmYXVsdDERMA8GA1UEAwwIc3RyYW5nZXIwIBcNMjYxMTIw
MTYyODMzWhgPMjEyNjEwMjcxNjI4MzNaMCUxEDAOBgNVBAoMB0RlZmF1bHQxETAP
BgNVBAMMCHN0cmFuZ2VyMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEi/EvE8EM
PFj9L7irYSXROOLc6MF9v1M0BJ8AxZIiqqJjEgm8PzMKuYl0pCRWsBJ7rrgaJfB0
sjdkZ6jH3o6vf6NTMFEwHQYDVR0OBBYEFIf82fKtvqaMbCHjU+qJEAp+3QfkMB8G
A1UdIwQYMBaAFIf82fKtvqaMbCHjU+qJEAp+3QfkMA8GA1UdEwEB/wQFMAMBAf8w
CgYIKoZIzj0EAwIDSAAwRQIgYWIvW3rJVP26DbJrR8RV1DGOxMJkOroar3QU/8UJ
m00CIQC2lHr13aHZv0DeUb9X0P0cTMgNtqq28rKw1BPuRJedhA==
-----END CERTIFICATE-----
`

let cloud: Identity
let credential: { id: string; secret: string }
let userId: string
let projectId: string
before(async () => {
  // Requests of tests come from this address.
  cloud = await startIdentity({ trusted_proxies: ['127.0.0.1'] })
  const project = await cloud.make('project', { name: 'factory' })
  const user = await cloud.make('user', {
    name: 'robot',
    password: 'pw',
    email: 'robot@example.org',
    default_project_id: project.id,
  })
  userId = user.id
  projectId = project.id
  await cloud.grant(`projects/${project.id}/users/${user.id}`, cloud.roles.member)
  const as = await cloud.login({ id: user.id, password: 'pw' })
  const made = await cloud.call('POST', `/v3/users/${user.id}/application_credentials`, as, {
    application_credential: { name: 'ci', unrestricted: true },
  })
  credential = made.json.application_credential
})
after(() => cloud.close())

const form = 'application/x-www-form-urlencoded'
const grant = { grant_type: 'client_credentials' }
const ask = (fields: Record<string, string>, headers: Record<string, string> = {}) =>
  cloud.call('POST', '/v3/OS-OAUTH2/token', '', new URLSearchParams(fields).toString(), {
    'content-type': form,
    ...headers,
  })
const basic = (id: string, secret: string) => ({
  authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
})
const showed = (pem: string) => ({ 'client-cert': encodeURIComponent(pem) })

describe('client credentials', () => {
  test('an application credential gets a token, by the header or the form', async () => {
    for (const answer of [
      await ask(grant, basic(credential.id, credential.secret)),
      await ask({ ...grant, client_id: credential.id, client_secret: credential.secret }),
    ]) {
      assert.equal(answer.status, 200, answer.text)
      assert.equal(answer.headers['cache-control'], 'no-store')
      const { access_token: token, ...rest } = answer.json
      assert.ok(rest.expires_in > 3590 && rest.expires_in <= 3600)
      assert.equal(rest.token_type, 'Bearer')
      const shown = (await cloud.show(token)).json.token
      assert.deepEqual([shown.application_credential.id, shown.project.id], [credential.id, projectId])
      // As services take it.
      const bearer = { authorization: `Bearer ${token}` }
      const show = (as: string) => cloud.call('GET', `/v3/users/${userId}`, as, undefined, bearer)
      assert.equal((await show('')).json.user.name, 'robot')
      assert.equal((await show('wrong')).status, 401)
    }
  })

  test('whatever is wrong is told in the words of RFC 6749', async () => {
    const { id, secret } = credential
    const wrong: readonly [Promise<{ status: number; json: { error: string } }>, number, string][] = [
      [ask({}, basic(id, secret)), 400, 'invalid_request'],
      [ask({ grant_type: 'password' }, basic(id, secret)), 400, 'unsupported_grant_type'],
      [ask(grant), 401, 'invalid_client'],
      [ask(grant, basic(id, 'wrong')), 401, 'invalid_client'],
      [ask(grant, basic('f'.repeat(32), secret)), 401, 'invalid_client'],
      [ask(grant, basic(id, '')), 401, 'invalid_client'],
      [ask({ ...grant, client_id: id }), 401, 'invalid_client'],
      [cloud.call('GET', '/v3/OS-OAUTH2/token', ''), 405, 'other_error'],
      [cloud.call('DELETE', '/v3/OS-OAUTH2/token', ''), 405, 'other_error'],
    ]
    for (const [answer, status, error] of wrong) {
      const { json, ...rest } = await answer
      assert.deepEqual([rest.status, json.error], [status, error])
      assert.equal((rest as unknown as { headers: Record<string, string> }).headers['cache-control'], 'no-store')
    }
    assert.equal((await ask(grant)).headers['www-authenticate'], 'Basic realm="identity"')
    assert.equal((await ask(grant, { 'content-type': 'text/plain' })).status, 415)
  })
})

describe('client certificates', () => {
  const clientOf = (pem: string, id = userId) => ask({ ...grant, client_id: id }, showed(pem))
  const rules = [
    {
      local: [{ user: { name: '{0}', email: '{1}', domain: { name: '{2}' } } }],
      remote: [
        { type: 'SSL_CLIENT_SUBJECT_DN_CN' },
        { type: 'SSL_CLIENT_SUBJECT_DN_EMAILADDRESS' },
        { type: 'SSL_CLIENT_SUBJECT_DN_O' },
        { type: 'SSL_CLIENT_ISSUER_DN_CN', any_one_of: ['robot'] },
      ],
    },
  ]

  test('nobody gets a token while there is no mapping, and nobody whom it does not fit', async () => {
    assert.equal((await clientOf(robot)).json.error, 'invalid_client')
    const made = await cloud.call('PUT', '/v3/OS-FEDERATION/mappings/oauth2_mapping', cloud.admin, {
      mapping: { rules },
    })
    assert.equal(made.status, 201, made.text)
    const admin = (await cloud.show(cloud.admin)).json.token.user.id
    assert.deepEqual(
      await statuses([
        clientOf(robot),
        clientOf(otherRobot),
        clientOf(stranger),
        clientOf('garbage'),
        clientOf(robot, admin),
        clientOf(robot, 'f'.repeat(32)),
      ]),
      [200, 200, 401, 401, 401, 401],
    )
  })

  test('the token is good with that certificate only, wherever it is shown', async () => {
    const { access_token: token } = (await clientOf(robot)).json
    const shown = (await cloud.show(token)).json.token
    assert.deepEqual(shown.methods, ['oauth2_credential'])
    assert.equal(shown.project.id, projectId)
    // As keystonemiddleware has it: of the PEM text.
    const digest = createHash('sha256').update(robot).digest('base64').replaceAll('+', '-').replaceAll('/', '_')
    assert.deepEqual(shown.oauth2_credential, { 'x5t#S256': digest })
    const use = (headers: Record<string, string>) => cloud.call('GET', '/v3/auth/projects', token, undefined, headers)
    const again = (headers: Record<string, string>) =>
      cloud.call(
        'POST',
        '/v3/auth/tokens',
        '',
        { auth: { identity: { methods: ['token'], token: { id: token } } } },
        headers,
      )
    const bare = robot.replace(/-----.*-----|\n/g, '')
    assert.deepEqual(
      await statuses([
        use(showed(robot)),
        use({ 'client-cert': bare }),
        use({ 'client-cert': `:${bare}:` }),
        use({ 'client-cert': robot.replaceAll('\n', ' ') }),
        use({}),
        use(showed(otherRobot)),
        use({ 'client-cert': 'x' }),
        again({}),
        again(showed(otherRobot)),
        again(showed(robot)),
      ]),
      [200, 200, 200, 200, 401, 401, 401, 401, 401, 201],
    )
    // A token made of it is bound, too.
    const next = String((await again(showed(robot))).headers['x-subject-token'])
    assert.equal((await cloud.show(next)).json.token.oauth2_credential['x5t#S256'], digest)
    assert.equal((await cloud.call('GET', '/v3/auth/projects', next)).status, 401)
    // A service carries on for the caller, beside whose token it shows its own.
    const service = await cloud.login({
      name: 'nova',
      password: 'secret-of-nova',
      scope: { project: { name: 'service', domain: { id: 'default' } } },
    })
    assert.deepEqual(
      await statuses([
        use({ 'x-service-token': service }),
        use({ 'x-service-token': 'x' }),
        use({ 'x-service-token': next }),
      ]),
      [200, 401, 401],
    )
  })

  test('what strangers say of certificates is not heeded', async () => {
    const other = await startIdentity({ trusted_proxies: ['192.0.2.0/24'] })
    const body = new URLSearchParams({ ...grant, client_id: userId }).toString()
    const answer = await other.call('POST', '/v3/OS-OAUTH2/token', '', body, { 'content-type': form, ...showed(robot) })
    assert.equal(answer.status, 401)
    await other.close()
  })
})
