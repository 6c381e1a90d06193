import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import type { TestAnswer } from '@strata/toolkit/testing'
import { decodeJwt, SignJWT } from 'jose'
import { publicUrl } from '../harness.test.ts'
import { type Federated, startFederated } from './test-federation.ts'
import { cloudClient, programClient, resource, startOidcProvider } from './test-oidc-provider.ts'

const dashboard = 'https://dash.example/auth/websso/'
const identity = `${publicUrl}/identity`
const path = 'identity_providers/corp/protocols/openid'
const websso = `/v3/auth/OS-FEDERATION/${path}/websso`
const auth = `/v3/OS-FEDERATION/${path}/auth`
const rules = [
  {
    local: [{ user: { name: '{0}', email: '{1}' } }, { groups: '{2}', domain: { id: 'default' } }],
    remote: [{ type: 'OIDC-preferred_username' }, { type: 'HTTP_OIDC_EMAIL' }, { type: 'OIDC-groups' }],
  },
]

let provider: Awaited<ReturnType<typeof startOidcProvider>>
let cloud: Federated
let group: { id: string }

before(async () => {
  provider = await startOidcProvider([identity + websso])
  const oidc = {
    ...cloudClient,
    issuer: provider.issuer,
    allow_http: true,
    audience: [resource, programClient.client_id],
  }
  cloud = await startFederated({
    identity: { remote_id_attribute: 'HTTP_OIDC_ISS' },
    federation: {
      trusted_dashboard: [dashboard],
      providers: {
        corp: { openid: { oidc } },
        silent: { openid: { oidc: { ...oidc, issuer: 'http://127.0.0.1:9' } } },
        narrow: { openid: { oidc: { ...oidc, audience: [] } } },
        foreign: { openid: { oidc } },
      },
    },
  })
  for (const id of ['corp', 'silent', 'narrow'])
    await cloud.register(id, 'openid', rules, id === 'corp' ? [provider.issuer] : [])
  await cloud.register('foreign', 'openid', rules, ['https://else.example'])
  group = await cloud.make('group', { name: 'staff' })
})
after(async () => {
  await cloud?.close()
  await provider?.close()
})

const show = async (token: string) => (await cloud.show(token)).json.token
const tokenOf = (answer: TestAnswer) => String(answer.headers['x-subject-token'])

describe('a browser that logs in for a dashboard', () => {
  const begin = async () => {
    const answer = await cloud.get(`/v3/auth/OS-FEDERATION/${path}/websso?origin=${dashboard}`)
    assert.equal(answer.status, 302, answer.text)
    const location = String(answer.headers['location'])
    return { location, cookie: String(answer.headers['set-cookie']).split(';', 1)[0]!, answer }
  }
  const comeBack = (back: URL, cookie: string) => cloud.get(`${websso}${back.search}`, { cookie })

  test('goes to the provider with a challenge, a state and a nonce, and on to the dashboard with a token', async () => {
    const { location, cookie, answer } = await begin()
    const asked = new URL(location).searchParams
    assert.equal(asked.get('redirect_uri'), identity + websso)
    assert.equal(asked.get('code_challenge_method'), 'S256')
    for (const name of ['state', 'nonce', 'code_challenge']) assert.ok(asked.get(name)!.length >= 32, name)
    assert.match(String(answer.headers['set-cookie']), /; HttpOnly; SameSite=Lax$/)
    const back = await provider.browse(location)
    const page = await comeBack(back, cookie)
    assert.equal(page.status, 200, page.text)
    const token = await show(/id="token" value="([^"]+)"/.exec(page.text)![1]!)
    assert.deepEqual([token.user.name, token.methods], ['ann', ['openid']])
    assert.deepEqual(token.user['OS-FEDERATION'], {
      groups: [{ id: group.id }],
      identity_provider: { id: 'corp' },
      protocol: { id: 'openid' },
    })
    assert.equal((await comeBack(back, cookie)).status, 401, 'the code was used')
  })

  test('is refused with a state, a code or a cookie that is not its own', async () => {
    const mine = await begin()
    const back = await provider.browse(mine.location)
    const other = await begin()
    const change = (name: string, value: string) => {
      const url = new URL(back)
      url.searchParams.set(name, value)
      return url
    }
    for (const [url, cookie] of [
      [back, ''],
      [back, other.cookie],
      [change('state', new URL(other.location).searchParams.get('state')!), other.cookie],
      [change('state', 'x'), mine.cookie],
      [change('code', 'x'), mine.cookie],
      [change('iss', 'https://evil.example'), mine.cookie],
      [
        new URL(`${identity}${websso}?error=access_denied&state=${new URL(back).searchParams.get('state')}`),
        mine.cookie,
      ],
    ] as const)
      assert.equal((await comeBack(url, cookie)).status, 401, url.search)
    const again = await begin()
    assert.equal((await comeBack(await provider.browse(again.location), again.cookie)).status, 200)
  })

  test('hears when the provider does not answer', async () => {
    const answer = await cloud.get(`${websso.replace('corp', 'silent')}?origin=${dashboard}`)
    assert.equal(answer.status, 503, answer.text)
  })
})

describe('a program that shows an access token', () => {
  const bring = (token: string, idp = 'corp') =>
    cloud.call('POST', auth.replace('corp', idp), '', undefined, { authorization: `Bearer ${token}` })
  const password = { grant_type: 'password', username: 'ann', password: 'wonderland' }

  test('that is opaque: the provider is asked about it, and for the claims of the user', async () => {
    const { access_token: token } = await provider.tokens({ ...password, scope: 'openid profile email' })
    assert.ok(!token.includes('.'))
    const answer = await bring(token)
    assert.equal(answer.status, 201, answer.text)
    const { user, roles, project } = answer.json.token
    assert.deepEqual([user.name, roles, project], ['ann', undefined, undefined])
    assert.equal((await show(tokenOf(answer))).user.id, user.id)
    assert.equal((await bring(token, 'narrow')).status, 401, 'issued for a client that is not trusted here')
    assert.equal((await bring(token, 'foreign')).status, 403, 'of a provider whose remote id is another')
    assert.equal((await bring(`${token.slice(0, -1)}x`)).status, 401)
    assert.equal((await bring('')).status, 302, 'no token at all: as a browser')
  })

  test('of a program that acts for nobody: it has no subject, and a mapping can go by its client', async () => {
    const { access_token: token } = await provider.tokens({ grant_type: 'client_credentials' })
    assert.match((await bring(token)).json.error.message, /map|rule|attribute/i)
    const program = {
      local: [{ user: { name: '{0}' } }],
      remote: [{ type: 'OIDC-client_id' }],
    }
    const change = (given: readonly object[]) =>
      cloud.call('PATCH', '/v3/OS-FEDERATION/mappings/corp', cloud.admin, { mapping: { rules: given } })
    assert.equal((await change([program])).status, 200)
    const answer = await bring(token)
    await change(rules)
    assert.equal(answer.status, 201, answer.text)
    assert.equal(answer.json.token.user.name, programClient.client_id)
  })

  test('that is a JSON Web Token: its signature, issuer, audience and time are checked', async () => {
    const { access_token: token } = await provider.tokens({ grant_type: 'client_credentials', resource })
    const claims = decodeJwt(token)
    assert.equal(claims.aud, resource)
    const answer = await bring(token)
    assert.equal(answer.status, 401, 'good, but its mapping finds no user name')
    assert.match(answer.json.error.message, /map|rule|attribute/i)
    assert.equal(
      (await bring(token, 'narrow')).json.error.message,
      'The request you have made requires authentication.',
    )
    cloud.advance(1200_000)
    assert.equal((await bring(token)).json.error.message, 'The request you have made requires authentication.')
    cloud.advance(-1200_000)
  })

  test('that was forged is refused: another key, no signature, the public key as a secret, another use', async () => {
    const { access_token: good } = await provider.tokens({ grant_type: 'client_credentials', resource })
    const claims = { ...decodeJwt(good), preferred_username: 'root' }
    const { keys } = (await (await fetch(`${provider.issuer}/jwks`)).json()) as { keys: Record<string, string>[] }
    const [key] = keys
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const header = { alg: 'RS256', kid: key!['kid'] }
    const pem = createPublicKey({ key: key as never, format: 'jwk' }).export({ type: 'spki', format: 'pem' })
    const [head, body, signature] = good.split('.') as [string, string, string]
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const forged = [
      await new SignJWT(claims).setProtectedHeader(header).sign(privateKey),
      await new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.from(pem as string)),
      `${encode({ alg: 'none' })}.${encode(claims)}.`,
      `${head}.${encode(claims)}.${signature}`,
      `${encode({ alg: 'RS256', typ: 'logout+jwt', kid: key!['kid'] })}.${body}.${signature}`,
      `${head}.${body}.`,
    ]
    for (const token of forged) {
      const answer = await bring(token)
      assert.equal(answer.status, 401)
      assert.equal(answer.json.error.message, 'The request you have made requires authentication.', token)
    }
  })
})
