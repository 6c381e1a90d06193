import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { inflateRawSync } from 'node:zlib'
import { createLog } from '@strata/toolkit/log'
import { type TestAnswer, until } from '@strata/toolkit/testing'
import samlify from 'samlify'
import { publicUrl } from '../harness.test.ts'
import { ns } from '../logic/federation/saml/names.ts'
import { verified } from '../logic/federation/saml/signature.ts'
import { createTestIdp } from '../logic/federation/saml/test-idp.ts'
import { child, parseXml } from '../logic/federation/saml/xml.ts'
import { type Federated, startFederated } from './test-federation.ts'

const idp = createTestIdp()
const dashboard = 'https://dash.example/auth/websso/?x="&amp;'
const identity = `${publicUrl}/identity`
const path = 'identity_providers/corp/protocols/saml2'
const websso = `/v3/auth/OS-FEDERATION/${path}/websso`
const auth = `/v3/OS-FEDERATION/${path}/auth`
const entityId = `${identity}/v3/OS-FEDERATION/${path}/saml2/metadata`
const rules = [
  {
    local: [{ user: { name: '{0}' } }, { group: { name: 'staff', domain: { id: 'default' } } }],
    remote: [{ type: 'mail' }, { type: 'Shib-Identity-Provider', any_one_of: [idp.entityId] }],
  },
]
const paos = {
  accept: 'application/json, application/vnd.paos+xml',
  paos: 'ver="urn:liberty:paos:2003-08";"urn:oasis:names:tc:SAML:2.0:profiles:SSO:ecp"',
}

let cloud: Federated

before(async () => {
  const saml = { metadata: idp.metadata }
  cloud = await startFederated({
    federation: {
      trusted_dashboard: [dashboard],
      providers: {
        corp: { saml2: { saml } },
        other: { saml2: { saml: { ...saml, sign_requests: true, attribute_names: { 'urn:oid:1.2': 'mail' } } } },
        cloud: { saml2: { saml: { ...saml, keystone: true } } },
        gone: { saml2: { saml } },
      },
    },
  })
  for (const id of ['corp', 'other', 'cloud']) await cloud.register(id, 'saml2', rules)
  await cloud.make('group', { name: 'staff' })
})
after(() => cloud.close())

const get = (path: string, headers?: Record<string, string>) => cloud.get(path, headers)

/** The browser's cookie, as it sends it back. */
const cookieOf = (answer: TestAnswer) => String(answer.headers['set-cookie']).split(';', 1)[0]!

async function begin(where = `${websso}?origin=${encodeURIComponent(dashboard)}`) {
  const answer = await get(where)
  assert.equal(answer.status, 302, answer.text)
  const { searchParams } = new URL(String(answer.headers['location']))
  const request = inflateRawSync(Buffer.from(searchParams.get('SAMLRequest')!, 'base64')).toString()
  return {
    answer,
    request,
    id: /ID="([^"]*)"/.exec(request)![1]!,
    relayState: searchParams.get('RelayState')!,
    cookie: cookieOf(answer),
  }
}

const comeBack = (response: string, relayState: string, cookie: string, where = websso) =>
  cloud.call(
    'POST',
    where,
    '',
    new URLSearchParams({ SAMLResponse: btoa(response), RelayState: relayState }).toString(),
    {
      'content-type': 'application/x-www-form-urlencoded',
      cookie,
    },
  )

const answerTo = (request: string, form: Parameters<typeof idp.assertion>[0] | object = {}) =>
  idp.sign(
    idp.response(idp.assertion({ recipient: identity + websso, audience: entityId, inResponseTo: request, ...form }), {
      destination: identity + websso,
      inResponseTo: request,
    }),
  )

describe('a browser that logs in for a dashboard', () => {
  test('is sent to the identity provider, and with its answer on to the dashboard, with a token', async () => {
    const { answer, request, id, relayState, cookie } = await begin()
    const { href } = new URL(String(answer.headers['location']))
    assert.match(href, /^https:\/\/idp\.example\/sso\?tenant=1&SAMLRequest=/)
    assert.ok(Buffer.byteLength(relayState) <= 80, 'as the binding has it')
    assert.match(request, new RegExp(`AssertionConsumerServiceURL="${identity}${websso}"`))
    assert.match(request, new RegExp(`<saml:Issuer>${entityId}</saml:Issuer>`))
    assert.match(String(answer.headers['set-cookie']), /; Max-Age=600; Path=\/identity\/v3\/auth\/.*; HttpOnly$/)

    const page = await comeBack(answerTo(id), relayState, cookie)
    assert.equal(page.status, 200, page.text)
    assert.match(page.text, /action="https:\/\/dash\.example\/auth\/websso\/\?x=&quot;&amp;amp;" method="post"/)
    const token = /name="token" id="token" value="([^"]+)"/.exec(page.text)![1]!
    const shown = await cloud.show(token)
    assert.deepEqual([shown.json.token.user.name, shown.json.token.methods], ['ann@example.org', ['saml2']])
    assert.equal(page.headers['cache-control'], 'no-store')
    assert.match(
      String(page.headers['content-security-policy']),
      /default-src 'none'.*form-action https:\/\/dash\.example;/,
    )
    assert.match(String(page.headers['set-cookie']), /Max-Age=0/)
  })

  test('cannot use an assertion twice, nor come back without having begun', async () => {
    const { id, relayState, cookie } = await begin()
    const answer = answerTo(id)
    const other = await begin()
    const tries = [
      comeBack(answer, relayState, ''),
      comeBack(answer, relayState, other.cookie),
      comeBack(answer, other.relayState, other.cookie),
      comeBack(answer, relayState, cookie.replace(/=.*/, '=forged')),
      comeBack(answer, '', cookie),
      comeBack('not XML', relayState, cookie),
      comeBack(answer, relayState, cookie, websso.replace('corp', 'other')),
    ]
    for (const tried of await Promise.all(tries)) {
      assert.equal(tried.status, 401)
      assert.equal(tried.json.error.message, 'The request you have made requires authentication.')
    }
    assert.equal((await comeBack(answer, relayState, cookie)).status, 200)
    assert.equal((await comeBack(answer, relayState, cookie)).status, 401, 'it was used')
  })

  test('is sent to no dashboard but those that are trusted, letter by letter', async () => {
    for (const where of [websso, '/v3/auth/OS-FEDERATION/websso/saml2']) {
      assert.equal((await get(where)).status, 400)
      for (const origin of ['https://evil.example/', `${dashboard}x`, dashboard.slice(0, -1), dashboard.toUpperCase()])
        assert.equal((await get(`${where}?origin=${encodeURIComponent(origin)}`)).status, 401, origin)
    }
    assert.equal((await get(`${websso}?origin=${dashboard}&origin=${dashboard}`)).status, 401)
  })

  test('chooses among the identity providers that speak a protocol', async () => {
    const page = await get(`/v3/auth/OS-FEDERATION/websso/saml2?origin=${encodeURIComponent(dashboard)}`)
    assert.equal(page.status, 200)
    const links = [...page.text.matchAll(/href="([^"]*)"/g)].map(([, href]) => href!.replaceAll('&amp;', '&'))
    assert.equal(links[0], `${identity}${websso}?${new URLSearchParams({ origin: dashboard })}`)
    assert.equal(links.length, 4)
    assert.equal((await get(`/v3/auth/OS-FEDERATION/websso/none?origin=${encodeURIComponent(dashboard)}`)).status, 401)
  })

  test('is sent nowhere for an identity provider that is not registered, or disabled', async () => {
    const where = `${websso}?origin=${encodeURIComponent(dashboard)}`
    assert.equal((await get(where.replace('corp', 'gone'))).status, 404)
    const change = (enabled: boolean) =>
      cloud.call('PATCH', '/v3/OS-FEDERATION/identity_providers/other', cloud.admin, { identity_provider: { enabled } })
    assert.equal((await change(false)).status, 200)
    assert.equal((await get(where.replace('corp', 'other'))).status, 403)
    await change(true)
  })

  test('without a dashboard gets the token itself, with the attributes by the names of the operator', async () => {
    const at = '/v3/OS-FEDERATION/identity_providers/other/protocols/saml2'
    const back = websso.replace('corp', 'other')
    const { answer, id, relayState, cookie } = await begin(`${at}/auth`)
    assert.match(String(answer.headers['location']), /&SigAlg=http%3A.*rsa-sha256&Signature=/)
    const form = { recipient: identity + back, audience: `${identity}${at}/saml2/metadata`, inResponseTo: id }
    const assertion = idp.assertion({
      ...form,
      attributes: { 'urn:oid:1.2': ['bob'], MELLON_IDP: ['x'], REMOTE_USER: ['root'] },
    })
    const token = await comeBack(idp.sign(idp.response(assertion)), relayState, cookie, back)
    assert.equal(token.status, 201, token.text)
    assert.equal(token.json.token.user.name, 'bob')
  })
})

describe('a program that carries envelopes (ECP)', () => {
  const bring = (envelope: string, where = auth) =>
    cloud.call('POST', where, '', envelope, { 'content-type': 'application/vnd.paos+xml' })
  const wrap = (response: string, relayState?: string) =>
    `<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Header>${
      relayState === undefined
        ? ''
        : `<ecp:RelayState xmlns:ecp="urn:oasis:names:tc:SAML:2.0:profiles:SSO:ecp">${relayState}</ecp:RelayState>`
    }</S:Header><S:Body>${response}</S:Body></S:Envelope>`
  const ask = async (where = auth) => {
    const answer = await get(where, paos)
    assert.deepEqual([answer.status, answer.headers['content-type']], [200, 'application/vnd.paos+xml'])
    return {
      id: /AuthnRequest[^>]* ID="([^"]*)"/.exec(answer.text)![1]!,
      relayState: /<ecp:RelayState[^>]*>([^<]*)</.exec(answer.text)![1]!,
      text: answer.text,
    }
  }
  const answer = (inResponseTo: string | null, audience: string | null = entityId, where = auth) =>
    idp.sign(idp.response(idp.assertion({ recipient: identity + where, audience, inResponseTo })))

  test('gets a request, and a token for the answer, once', async () => {
    const { id, relayState, text } = await ask()
    assert.match(text, new RegExp(`responseConsumerURL="${identity}${auth}"`))
    const envelope = wrap(answer(id), relayState)
    const token = await bring(envelope)
    assert.equal(token.status, 201, token.text)
    assert.equal(token.json.token.user.name, 'ann@example.org')
    assert.equal((await bring(envelope)).status, 401)
  })

  test('is refused what answers no request of ours, or another one', async () => {
    const { id, relayState } = await ask()
    const browser = await begin()
    for (const envelope of [
      wrap(answer(id)),
      wrap(answer(id), 'x'),
      wrap(answer('_other'), relayState),
      wrap(answer(null), relayState),
      wrap(answer(browser.id), browser.cookie.split('=').slice(1).join('=')),
      answer(id),
      'x',
      '',
      wrap(`<!DOCTYPE a>${answer(id)}`, relayState),
    ])
      assert.equal((await bring(envelope)).status, 401, envelope.slice(0, 80))
    assert.equal((await bring('x'.repeat(600_000))).status, 413)
    const json = await cloud.call('POST', auth, '', { SAMLResponse: 'x' })
    assert.equal(json.status, 302, 'a body that means nothing is none')
  })

  test('carries a request that is signed by the key of our metadata, where that is asked for', async () => {
    const there = auth.replace('corp', 'other')
    const { text } = await ask(there)
    const metadata = await get(there.replace(/auth$/, 'saml2/metadata'))
    assert.match(metadata.text, /AuthnRequestsSigned="true"/)
    const [, base64] = /use="signing">.*?<ds:X509Certificate>([^<]*)</.exec(metadata.text)!
    const certificate = new X509Certificate(Buffer.from(base64!, 'base64')).toString()
    const body = child(parseXml(text), ns.soap, 'Body')!
    const request = child(body, ns.protocol, 'AuthnRequest')!
    assert.equal(verified(text, request, [certificate]).localName, 'AuthnRequest')
    assert.throws(() => verified(text, request, [idp.certificate]), /no certificate/)
  })

  test('that is another cloud brings what answers no request', async () => {
    const there = auth.replace('corp', 'cloud')
    const envelope = wrap(answer(null, null, there), 'ss:mem:1234')
    assert.equal((await bring(envelope, there)).status, 201)
    assert.equal((await bring(envelope, there)).status, 401)
    assert.equal((await bring(wrap(answer(null, null)), auth)).status, 401, 'nobody else may')
  })
})

describe('an identity provider that somebody else wrote (samlify)', () => {
  const place = 'identity_providers/samlify/protocols/saml2'
  const back = `/v3/auth/OS-FEDERATION/${place}/websso`

  test('understands our metadata and signed requests, and its signed and encrypted answers are understood', async () => {
    samlify.setSchemaValidator({ validate: async () => 'not looked at' })
    const settings = {
      entityID: 'https://samlify.example/idp',
      privateKey: idp.key,
      signingCert: idp.certificate,
      wantAuthnRequestsSigned: true,
      isAssertionEncrypted: true,
      dataEncryptionAlgorithm: 'http://www.w3.org/2009/xmlenc11#aes256-gcm',
      singleSignOnService: [
        {
          Binding: 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect',
          Location: 'https://samlify.example/sso',
        },
      ],
      loginResponseTemplate: {
        context: samlify.SamlLib.defaultLoginResponseTemplate.context.replace(
          '{AuthnStatement}',
          '<saml:AuthnStatement AuthnInstant="{IssueInstant}"/>',
        ),
        attributes: [{ name: 'mail', valueTag: 'mail', nameFormat: 'urn:x', valueXsiType: 'xs:string' }],
      },
    }
    const foreign = samlify.IdentityProvider(settings)
    const own = await startFederated({
      federation: { providers: { samlify: { saml2: { saml: { metadata: foreign.getMetadata() } } } } },
    })
    try {
      await own.register('samlify', 'saml2', [{ local: [{ user: { name: '{0}' } }], remote: [{ type: 'mail' }] }])
      const metadata = (await own.get(`/v3/OS-FEDERATION/${place}/saml2/metadata`)).text
      const cloudThere = samlify.ServiceProvider({ metadata })
      const sent = await own.get(`/v3/OS-FEDERATION/${place}/auth`)
      const { search, searchParams } = new URL(String(sent.headers['location']))
      const octetString = search.slice(1).replace(/&Signature=.*/, '')
      const query = Object.fromEntries(searchParams)
      const { extract } = await foreign.parseLoginRequest(cloudThere, 'redirect', { query, octetString })
      const now = Date.now()
      const fill = (template: string) => {
        const values = {
          ID: `_${now}`,
          AssertionID: `_a${now}`,
          Destination: identity + back,
          Audience: String(extract.issuer),
          SubjectRecipient: identity + back,
          NameIDFormat: 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
          NameID: 'ann',
          Issuer: foreign.entityMeta.getEntityID(),
          IssueInstant: new Date(now).toISOString(),
          ConditionsNotBefore: new Date(now).toISOString(),
          ConditionsNotOnOrAfter: new Date(now + 60_000).toISOString(),
          SubjectConfirmationDataNotOnOrAfter: new Date(now + 60_000).toISOString(),
          AssertionConsumerServiceURL: identity + back,
          EntityID: String(extract.issuer),
          InResponseTo: String(extract.request?.id),
          StatusCode: 'urn:oasis:names:tc:SAML:2.0:status:Success',
          attrMail: 'ann@samlify.example',
        }
        return { id: values.ID, context: samlify.SamlLib.replaceTagsByValue(template, values) }
      }
      const { context } = await foreign.createLoginResponse(cloudThere, { extract }, 'post', {}, fill)
      const text = Buffer.from(context, 'base64').toString()
      assert.match(text, /EncryptedAssertion/)
      const body = new URLSearchParams({ SAMLResponse: context, RelayState: searchParams.get('RelayState')! })
      const token = await own.call('POST', back, '', body.toString(), {
        'content-type': 'application/x-www-form-urlencoded',
        cookie: cookieOf(sent),
      })
      assert.equal(token.status, 201, token.text)
      assert.equal(token.json.token.user.name, 'ann@samlify.example')
    } finally {
      await own.close()
    }
  })
})

test('metadata of this cloud tell the identity provider where browsers and programs come back', async () => {
  const answer = await get(`/v3/OS-FEDERATION/${path}/saml2/metadata`)
  assert.equal(answer.status, 200)
  assert.equal(answer.headers['content-type'], 'application/samlmetadata+xml')
  assert.match(answer.text, new RegExp(`entityID="${entityId}"`))
  assert.match(answer.text, new RegExp(`HTTP-POST" Location="${identity}${websso}"`))
  assert.match(answer.text, new RegExp(`PAOS" Location="${identity}${auth}"`))
  assert.equal((await get('/v3/OS-FEDERATION/identity_providers/none/protocols/saml2/saml2/metadata')).status, 404)
})

test('a provider whose metadata cannot be used keeps the service from starting, in words for the operator', async () => {
  const start = (providers: object) => startFederated({ federation: { providers } })
  await assert.rejects(
    start({ a: { b: { saml: { metadata: '<a/>' } } } }),
    /federation\.providers\.a\.b\.saml: its metadata cannot be used/,
  )
  await assert.rejects(start({ a: { b: { saml: { metadata_file: '/none' } } } }), /cannot be used: ENOENT/)
  await assert.rejects(start({ a: { b: {} } }), /federation/)
  await assert.rejects(start({ a: { b: { oidc: { issuer: 'http://x', client_id: 'x' } } } }), /without TLS/)
})

test('the log says why a message was refused, and nothing of what messages say', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'strata-test-'))
  const file = join(folder, 'log')
  const providers = { corp: { saml2: { saml: { metadata: idp.metadata } } } }
  const own = await startFederated({ federation: { providers } }, { log: createLog({ level: 'debug', file }) })
  try {
    await own.register('corp', 'saml2', [{ local: [{ user: { name: '{0}' } }], remote: [{ type: 'mail' }] }])
    const sent = await own.get(auth)
    const url = new URL(String(sent.headers['location']))
    const request = inflateRawSync(Buffer.from(url.searchParams.get('SAMLRequest')!, 'base64')).toString()
    const answer = answerTo(/ID="([^"]*)"/.exec(request)![1]!)
    const state = url.searchParams.get('RelayState')!
    const bring = (text: string) =>
      own.call('POST', websso, '', new URLSearchParams({ SAMLResponse: btoa(text), RelayState: state }).toString(), {
        'content-type': 'application/x-www-form-urlencoded',
        cookie: cookieOf(sent),
      })
    assert.equal((await bring(answer.replace('ann@', 'eve@'))).status, 401)
    const token = await bring(answer)
    assert.equal(token.status, 201, token.text)
    const log = await until('the log is written', () => {
      const text = readFileSync(file, 'utf8')
      return /websso.*"status":201/.test(text) && text
    })
    assert.match(log, /no certificate of the identity provider fits the signature.*a message of SAML was refused/)
    for (const secret of ['ann@', 'eve@', 'Assertion', btoa(answer).slice(0, 64), state, cookieOf(sent).slice(-64)])
      assert.ok(!log.includes(secret), secret)
    assert.ok(!log.includes(String(token.headers['x-subject-token'])))
  } finally {
    await own.close()
    rmSync(folder, { recursive: true })
  }
})

// The last one: the clock stays where it is.
test('a browser must be back in time', async () => {
  const { id, relayState, cookie } = await begin()
  cloud.advance(601_000)
  const end = Date.now() + 900_000
  assert.equal((await comeBack(answerTo(id, { notOnOrAfter: end }), relayState, cookie)).status, 401)
})
