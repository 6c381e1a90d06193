import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { formPairs, isSignedOAuth1, type OAuth1Header, readOAuth1Header, signatureBase } from './oauth1-signature.ts'

const read = (value: string): OAuth1Header => {
  const header = readOAuth1Header(value)
  assert.ok(typeof header === 'object', String(header))
  return header
}
const consumer = 'kd94hf93k423kf44'

/** The exchange of section 1.2 of RFC 5849. */
const exchange = [
  {
    method: 'POST',
    url: 'https://photos.example.net/token',
    query: '',
    token: 'hdhd0244k9j7ao03',
    header: `OAuth realm="Photos", oauth_consumer_key="dpf43f3p2l4k3l03", oauth_token="hh5s93j4hdidpola",
      oauth_signature_method="HMAC-SHA1", oauth_timestamp="137131201", oauth_nonce="walatlh",
      oauth_verifier="hfdp7dh39dks9884", oauth_signature="gKgrFCywp7rO0OXSjdot%2FIHF7IU%3D"`,
  },
  {
    method: 'GET',
    url: 'http://photos.example.net/photos',
    query: 'file=vacation.jpg&size=original',
    token: 'pfkkdhi9sl3r4s00',
    header: `OAuth realm="Photos", oauth_consumer_key="dpf43f3p2l4k3l03", oauth_token="nnch734d00sl2jdk",
      oauth_signature_method="HMAC-SHA1", oauth_timestamp="137131202", oauth_nonce="chapoH",
      oauth_signature="MdpQcU8iPSUjWoN%2FUDMsK2sui9I%3D"`,
  },
] as const

describe('signatures of OAuth 1.0', () => {
  test('the requests of RFC 5849 are signed, and with no other secret', () => {
    for (const { method, url, query, token, header } of exchange) {
      const request = { method, url, parameters: formPairs(query), header: read(header) }
      assert.equal(isSignedOAuth1(request, { consumer, token }), true, url)
      assert.equal(isSignedOAuth1(request, { consumer: 'other', token }), false)
      assert.equal(isSignedOAuth1(request, { consumer, token: 'other' }), false)
      assert.equal(isSignedOAuth1({ ...request, method: 'PUT' }, { consumer, token }), false)
      assert.equal(isSignedOAuth1({ ...request, url: `${url}/x` }, { consumer, token }), false)
      assert.equal(isSignedOAuth1({ ...request, parameters: [['a', 'b']] }, { consumer, token }), false)
    }
  })

  test('the base string of RFC 5849, section 3.4.1.1', () => {
    const header = read(
      'OAuth realm="Example", oauth_consumer_key="9djdj82h48djs9d2", oauth_token="kkk9d7dh3k39sjv7", ' +
        'oauth_signature_method="HMAC-SHA1", oauth_timestamp="137131201", oauth_nonce="7d8f3e4a", oauth_signature="bYT5CMsGcbgUdFHObYMEfcx6bsw%3D"',
    )
    const parameters = [...formPairs('b5=%3D%253D&a3=a&c%40=&a2=r%20b'), ...formPairs('c2&a3=2+q')]
    assert.equal(
      signatureBase({ method: 'post', url: 'http://EXAMPLE.COM:80/request', parameters, header }),
      'POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26c2%3D%26' +
        'oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1%26' +
        'oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7',
    )
  })

  test('a header that says too little, or the same twice, is named for it', () => {
    const parts = {
      oauth_consumer_key: 'a',
      oauth_signature_method: 'HMAC-SHA1',
      oauth_signature: 'x',
      oauth_timestamp: '1',
      oauth_nonce: 'n',
    }
    const write = (given: object, more = '') =>
      `OAuth ${Object.entries(given)
        .map(([name, value]) => `${name}="${value}"`)
        .join(', ')}${more}`
    assert.equal(typeof readOAuth1Header(write(parts)), 'object')
    for (const name of Object.keys(parts))
      assert.match(String(readOAuth1Header(write({ ...parts, [name]: '' }))), new RegExp(`^${name}`))
    for (const wrong of [
      undefined,
      'Basic abc',
      'OAuth',
      'OAuth a',
      write(parts, ', oauth_nonce="m"'),
      write(parts, ', oauth_token="%zz"'),
      write({ ...parts, oauth_signature_method: 'PLAINTEXT' }),
      write({ ...parts, oauth_timestamp: '1.5' }),
      write({ ...parts, oauth_version: '2.0' }),
    ])
      assert.equal(typeof readOAuth1Header(wrong), 'string', wrong)
  })

  test('whatever the header, reading it ends', () => {
    fc.assert(fc.property(fc.string(), text => void readOAuth1Header(`OAuth ${text}`)))
  })
})
