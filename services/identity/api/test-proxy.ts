/** For tests of logins behind a trusted proxy, which is whoever asks. */
import assert from 'node:assert/strict'
import { startIdentity } from '../harness.test.ts'

export const base = '/v3/OS-FEDERATION'
export type Attributes = Readonly<Record<string, string>>

export async function startFederation(
  options: Readonly<Record<string, unknown>> = { trusted_proxies: ['127.0.0.0/8'] },
) {
  const cloud = await startIdentity(options)
  const put = async (path: string, body: object) => {
    const answer = await cloud.call('PUT', `${base}/${path}`, cloud.admin, body)
    assert.equal(answer.status, 201, answer.text)
    return Object.values(answer.json)[0] as { domain_id: string }
  }
  const headersOf = (attributes: Attributes) =>
    Object.fromEntries(Object.entries(attributes).map(([name, value]) => [`X-Federation-${name}`, value]))
  return {
    ...cloud,
    put,
    headersOf,
    /** An identity provider with one protocol; its mapping is of these rules. */
    async provider(
      id: string,
      rules: readonly object[],
      more: { protocol?: string; version?: string; idp?: object } = {},
    ) {
      const { protocol = 'saml2', version = '1.0', idp = {} } = more
      const made = await put(`identity_providers/${id}`, { identity_provider: { enabled: true, ...idp } })
      await put(`mappings/${id}`, { mapping: { rules, schema_version: version } })
      await put(`identity_providers/${id}/protocols/${protocol}`, { protocol: { mapping_id: id } })
      return made.domain_id
    },
    enter: (idp: string, attributes: Attributes, protocol = 'saml2', method = 'POST') =>
      cloud.call(
        method,
        `${base}/identity_providers/${idp}/protocols/${protocol}/auth`,
        '',
        undefined,
        headersOf(attributes),
      ),
    scoped: (token: string, scope: object) =>
      cloud.call('POST', '/v3/auth/tokens', '', {
        auth: { identity: { methods: ['token'], token: { id: token } }, scope },
      }),
  }
}

export type Federation = Awaited<ReturnType<typeof startFederation>>
export const tokenIn = (answer: { headers: Readonly<Record<string, unknown>> }) =>
  String(answer.headers['x-subject-token'])
export const byName = (local: object = {}) => [
  { local: [{ user: { name: '{0}' } }, local], remote: [{ type: 'REMOTE_USER' }, { type: 'GROUPS' }] },
]
