import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openEnvelope } from './envelope.ts'
import { readIdpMetadata } from './metadata.ts'
import { type Expectation, readResponse } from './response.ts'
import { type AssertionForm, createTestIdp, type SigningForm, saml } from './test-idp.ts'
import { parseXml, SamlError } from './xml.ts'

const idp = createTestIdp()
const stranger = createTestIdp()
const cloud = createTestIdp('https://cloud.example/sp')
const recipient = 'https://cloud.example/acs'
const audience = 'https://cloud.example/sp'
const inResponseTo = '_request-1'

const expected = (): Expectation => ({
  issuer: idp.entityId,
  certificates: [idp.certificate],
  audience,
  recipient,
  inResponseTo,
  requireAudience: true,
  decryptionKey: cloud.key,
  now: Date.now(),
  skew: 60_000,
})
const assertion = (form: AssertionForm = {}) => idp.assertion({ recipient, audience, inResponseTo, ...form })
/** A good response whose assertion is signed. */
const good = (form: AssertionForm = {}, signing: SigningForm = {}) =>
  idp.sign(idp.response(assertion(form), { destination: recipient, inResponseTo }), signing)
const read = async (text: string, change: Partial<Expectation> = {}) =>
  readResponse(text, parseXml(text), { ...expected(), ...change })
const refused = (text: string, why: RegExp, change: Partial<Expectation> = {}) =>
  assert.rejects(
    read(text, change),
    thrown => {
      assert.ok(thrown instanceof SamlError, String(thrown))
      assert.match(thrown.message, why)
      return true
    },
    text.slice(0, 400),
  )

const wholeResponse: SigningForm = { reference: '/*', location: "/*/*[local-name(.)='Issuer']" }
const signatureOf = (xml: string) => /<ds:Signature[\s\S]*?<\/ds:Signature>/.exec(xml)![0]

describe('a response of the identity provider', () => {
  test('is believed when its assertion is signed, with what it says', async () => {
    const believed = await read(
      good({ id: '_a1', nameId: 'ann &amp; co', attributes: { groups: ['a', 'b'], mail: [''] } }),
    )
    assert.deepEqual(believed.attributes, { groups: ['a', 'b'], mail: [''] })
    assert.deepEqual([believed.id, believed.issuer, believed.nameId], ['_a1', idp.entityId, 'ann & co'])
    assert.ok(believed.notOnOrAfter > Date.now() + 60_000)
  })

  test('is believed when it is signed as a whole, or twice', async () => {
    const inner = assertion()
    const form = { destination: recipient, inResponseTo }
    assert.equal((await read(idp.sign(idp.response(inner, form), wholeResponse))).nameId, 'ann')
    assert.equal((await read(idp.sign(idp.response(idp.sign(inner), form), wholeResponse))).nameId, 'ann')
  })

  test('is believed by any certificate of its metadata, and by each of the algorithms that are good', async () => {
    const certificates = [stranger.certificate, idp.certificate]
    assert.equal((await read(good(), { certificates })).nameId, 'ann')
    for (const method of [
      'http://www.w3.org/2001/04/xmldsig-more#rsa-sha512',
      'http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1',
    ])
      assert.equal((await read(good({}, { method, digest: 'http://www.w3.org/2001/04/xmlenc#sha512' }))).nameId, 'ann')
  })

  test('is believed when its assertion is encrypted for us', async () => {
    const inner = await idp.encrypted(idp.sign(assertion()), { for: cloud.certificate })
    const text = idp.response(inner, { destination: recipient, inResponseTo })
    assert.equal((await read(text)).nameId, 'ann')
    assert.equal((await read(idp.sign(text, wholeResponse))).nameId, 'ann')
    const outer = idp.response(await idp.encrypted(assertion(), { for: cloud.certificate }), { inResponseTo })
    assert.equal((await read(idp.sign(outer, wholeResponse))).nameId, 'ann', 'only the response is signed')
    await refused(outer, /neither .* is signed/)
  })

  test('of another cloud names no audience and answers no request', async () => {
    const text = idp.sign(idp.response(assertion({ audience: null, inResponseTo: null })))
    const keystone = { inResponseTo: undefined, requireAudience: false }
    assert.equal((await read(text, keystone)).nameId, 'ann')
    await refused(text, /names no audience/, { inResponseTo: undefined })
    await refused(text, /not for this address, this request/, { requireAudience: false })
    await refused(good(), /answers another request/, keystone)
    await refused(good({ audience: 'https://else.example' }), /another audience/, { requireAudience: false })
  })
})

describe('refused is', () => {
  test('what is not signed, by whom it should be, with a key of its own, or as another issuer', async () => {
    await refused(idp.response(assertion()), /neither the response nor the assertion is signed/)
    const theirs = stranger.sign(stranger.response(assertion(), { destination: recipient, inResponseTo }))
    assert.match(theirs, /X509Certificate/, 'the message brings its own certificate along')
    await refused(theirs, /no certificate of the identity provider fits/)
    await refused(good({ issuer: 'https://evil.example' }), /assertion is of another issuer/)
    const response = idp.response(assertion(), { inResponseTo, issuer: 'https://evil.example' })
    await refused(idp.sign(response), /response is of another issuer/)
  })

  test('what was changed after it was signed', async () => {
    await refused(good().replace('>ann<', '>bob<'), /no certificate .* fits/)
    await refused(good().replace('ann@example.org', 'bob@example.org'), /no certificate .* fits/)
    const whole = idp.sign(idp.response(assertion(), { inResponseTo }), wholeResponse)
    await refused(whole.replace('>ann<', '>bob<'), /no certificate .* fits/)
  })

  test('weak algorithms: SHA-1, HMAC with the certificate as its secret, none', async () => {
    const sha1 = 'http://www.w3.org/2000/09/xmldsig#sha1'
    await refused(good({}, { method: 'http://www.w3.org/2000/09/xmldsig#rsa-sha1' }), /rsa-sha1, which is not accepted/)
    await refused(good({}, { digest: sha1 }), /sha1, which is not accepted/)
    for (const secret of [idp.certificate, 'secret'])
      await refused(
        good({}, { method: 'http://www.w3.org/2000/09/xmldsig#hmac-sha1', secret }),
        /hmac-sha1, which is not accepted/,
      )
    await refused(good().replace(/(<ds:SignatureMethod Algorithm=")[^"]*/, '$1'), /no algorithm, which is not accepted/)
    await refused(good().replace(/<ds:SignatureMethod[^>]*\/>/, ''), /no SignatureMethod/)
    await refused(good().replace(/<ds:SignatureValue>[^<]*/, '<ds:SignatureValue>'), /no certificate .* fits/)
  })

  test('signatures that cover something else, or nothing', async () => {
    const uri = good().replace(/URI="#[^"]*"/, 'URI=""')
    await refused(uri, /not of the element that carries it/)
    const two = good().replace(/<ds:Reference[\s\S]*<\/ds:Reference>/, one => one + one)
    await refused(two, /several Reference/)
    const none = good().replace(/<ds:Reference[\s\S]*<\/ds:Reference>/, '')
    await refused(none, /no Reference/)
    const xslt = good().replace(
      'http://www.w3.org/2000/09/xmldsig#enveloped-signature',
      'http://www.w3.org/TR/1999/REC-xslt-19991116',
    )
    await refused(xslt, /transforms what it signs/)
    const comments = good({}, { canonicalization: 'http://www.w3.org/2001/10/xml-exc-c14n#WithComments' })
    await refused(comments, /WithComments, which is not accepted/)
    const object = good().replace('</ds:Signature>', '<ds:Object Id="x"/></ds:Signature>')
    await refused(object, /object of its own/)
  })

  test('signed elements that were wrapped (XML signature wrapping), in each of the known ways', async () => {
    const text = good({ id: '_good' })
    const signed = /<saml:Assertion[\s\S]*<\/saml:Assertion>/.exec(text)![0]
    const signature = signatureOf(text)
    const bare = signed.replace(signature, '')
    const evil = bare.replace('ID="_good"', 'ID="_evil"').replace('>ann<', '>admin<')
    const put = (inner: string) => text.replace(signed, () => inner)
    const inSignature = signature.replace('</ds:Signature>', `<ds:Object>${bare}</ds:Object></ds:Signature>`)
    const attacks: Record<string, string> = {
      'a forged assertion before the signed one': put(evil + signed),
      'a forged assertion after the signed one': put(signed + evil),
      'the signature moved into the forged one': put(
        evil.replace('</saml:Issuer>', `</saml:Issuer>${signature}`) + bare,
      ),
      'the signed one inside of the forged one': put(evil.replace('</saml:Assertion>', `${signed}</saml:Assertion>`)),
      'the signed one inside of the signature of the forged one': put(
        evil.replace('</saml:Issuer>', `</saml:Issuer>${inSignature}`),
      ),
      'the signed one in an extension': text
        .replace(/(<samlp:Status>)/, `<samlp:Extensions>${signed}</samlp:Extensions>$1`)
        .replace(new RegExp(`(</samlp:Status>)${escapeRegExp(signed)}`), `$1${evil}`),
      'both with the same id': put(evil.replace('_evil', '_good') + signed),
      'the same id under another name': put(
        evil.replace('ID="_evil"', 'ID="_good"').replace('</saml:Issuer>', `</saml:Issuer>${signature}`) +
          bare.replace('ID="_good"', 'Id="_good"'),
      ),
    }
    for (const [what, attack] of Object.entries(attacks)) {
      const believed = await read(attack).catch(thrown => thrown)
      assert.ok(believed instanceof SamlError, `${what}: ${JSON.stringify(believed)}`)
    }
    const wrapped = `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_x" Version="2.0">${evil}<inner>${text}</inner></samlp:Response>`
    await refused(wrapped, /Status|is signed/)
  })

  test('hostile XML: entities, bombs, comments in names, processing instructions', async () => {
    const text = good()
    const bomb = `<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>${text}`
    const external = `<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>${text.replace('>ann<', '>&a;<')}`
    for (const hostile of [
      bomb,
      external,
      text.replace('>ann<', '>ann<!-- -->.evil<'),
      text.replace('>ann<', '><![CDATA[ann]]><'),
      text.replace('>ann<', '>ann<?php?><'),
      `<?xml version="1.0"?><?xml-stylesheet href="x"?>${text}`,
      `${text}<samlp:Response/>`,
      text.replace('</samlp:Response>', ''),
      text.replace('>ann<', '>&unknown;<'),
      '',
      'x',
    ])
      await assert.rejects(async () => read(hostile), SamlError, hostile.slice(0, 80))
    const deep = `${'<a>'.repeat(100)}${'</a>'.repeat(100)}`
    assert.throws(() => parseXml(deep), /nested too deeply/)
    assert.throws(() => parseXml(`<a>${'<b/>'.repeat(20_001)}</a>`), /too large/)
    assert.equal((await read(`<?xml version="1.0" encoding="UTF-8"?>\n${text}`)).nameId, 'ann')
  })

  test('what is for another address, another audience, another request, or no request', async () => {
    await refused(good({ recipient: 'https://else.example/acs' }), /not for this address/)
    await refused(good(), /for another address/, { recipient: 'https://else.example/acs' })
    await refused(good({ audience: 'https://else.example/sp' }), /another audience/)
    await refused(good({ audience: null }), /names no audience/)
    await refused(good(), /another request/, { inResponseTo: '_request-2' })
    await refused(good({ inResponseTo: '_request-2' }), /this request/)
    await refused(good({ inResponseTo: null }), /this request/)
    await refused(
      good({ confirmation: '<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"/>' }),
      /not for this address/,
    )
    await refused(good({ confirmation: '' }), /not for this address/)
  })

  test('what is too old, too early, of no time, or of a session that is over', async () => {
    const now = Date.now()
    await refused(good({ notOnOrAfter: now - 61_000 }), /this time/)
    assert.equal((await read(good({ notOnOrAfter: now - 50_000 }))).nameId, 'ann', 'within what clocks may differ')
    await refused(good({ notBefore: now + 70_000 }), /not of this time/)
    await refused(good({ issueInstant: now + 70_000 }), /of the future/)
    await refused(good(), /this time/, { now: now + 180_000 })
    const timeless = `<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData Recipient="${recipient}" InResponseTo="${inResponseTo}"/></saml:SubjectConfirmation>`
    await refused(good({ confirmation: timeless }), /this time/)
    await refused(good({ login: '' }), /does not say that somebody logged in/)
    const over = `<saml:AuthnStatement AuthnInstant="2020-01-01T00:00:00Z" SessionNotOnOrAfter="2020-01-01T00:00:00Z"/>`
    await refused(good({ login: over }), /session .* is over/)
    const odd = `<saml:Conditions><saml:AudienceRestriction><saml:Audience>${audience}</saml:Audience></saml:AudienceRestriction><saml:Condition/></saml:Conditions>`
    await refused(good({ conditions: odd }), /condition that is not known/)
    await refused(
      good({ conditions: '<saml:Conditions NotOnOrAfter="2099-01-01T00:00:00+01:00"/>' }),
      /audience|no time/,
    )
  })

  test('an answer that is no success, or no answer', async () => {
    const failed = idp.sign(idp.response(assertion(), { inResponseTo, status: 'Responder' }))
    await refused(failed, /status:Responder/)
    await refused(idp.sign(idp.response('', { inResponseTo }), wholeResponse), /there is no assertion/)
    await refused(idp.sign(assertion()), /is no response/)
  })

  test('what is encrypted badly, or for somebody else', async () => {
    const make = async (options: Parameters<typeof idp.encrypted>[1]) =>
      idp.response(await idp.encrypted(idp.sign(assertion()), options), { inResponseTo })
    for (const options of [
      { for: stranger.certificate },
      { for: cloud.certificate, cipher: 'http://www.w3.org/2001/04/xmlenc#aes256-cbc' },
      { for: cloud.certificate, wrap: 'http://www.w3.org/2001/04/xmlenc#rsa-1_5' },
    ] as const)
      await refused(await make(options), /cannot be decrypted, or not by an algorithm that is accepted/)
  })
})

test('a response in an envelope is read where it lies, and a second one beside it is not', async () => {
  const envelope = (body: string) =>
    `<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Header><ecp:RelayState xmlns:ecp="urn:oasis:names:tc:SAML:2.0:profiles:SSO:ecp"> state </ecp:RelayState></S:Header><S:Body>${body}</S:Body></S:Envelope>`
  const text = envelope(good())
  const { response, relayState } = openEnvelope(text)
  assert.equal(relayState, 'state')
  assert.equal((await readResponse(text, response, expected())).nameId, 'ann')
  assert.throws(() => openEnvelope(envelope(good() + good())), /several Response/)
  assert.throws(() => openEnvelope(envelope('<S:Fault/>')), /fault/)
  assert.throws(() => openEnvelope(good()), /no SOAP envelope/)
})

test('metadata tell who signs; those that do not are refused', () => {
  const read = readIdpMetadata(idp.metadata)
  assert.deepEqual(read, {
    entityId: idp.entityId,
    certificates: [idp.certificate],
    redirectUrl: 'https://idp.example/sso?tenant=1',
    wantsSignedRequests: false,
  })
  const both = `<EntitiesDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata">${idp.metadata}${cloud.metadata}</EntitiesDescriptor>`
  assert.throws(() => readIdpMetadata(both), /several identity providers/)
  assert.equal(readIdpMetadata(both, cloud.entityId).entityId, cloud.entityId)
  assert.throws(() => readIdpMetadata(both, 'https://else.example'), /do not name/)
  assert.throws(() => readIdpMetadata(idp.metadata.replace('use="signing"', 'use="encryption"')), /no certificate/)
  assert.throws(
    () => readIdpMetadata(idp.metadata.replace('Location="https:', 'Location="javascript:')),
    /no web address/,
  )
  assert.throws(() => readIdpMetadata(`<!DOCTYPE a>${idp.metadata}`), SamlError)
  assert.throws(() => readIdpMetadata(`<saml:A xmlns:saml="${saml}"/>`), /no metadata/)
})

const escapeRegExp = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
