/** The signatures expected are those of AWS's own documentation. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SignedRequest } from '../../contract/credential.ts'
import { isSignedEc2, isSignedS3, signedAt } from './aws-signature.ts'

const version2: SignedRequest = {
  access: 'AKIAIOSFODNN7EXAMPLE',
  signature: 'i91nKc4PWAt0JJIdXwz9HxZCJDdiy6cf/Mj6vPxyYIs=',
  host: 'elasticmapreduce.amazonaws.com',
  verb: 'GET',
  path: '/',
  params: {
    AWSAccessKeyId: 'AKIAIOSFODNN7EXAMPLE',
    Action: 'DescribeJobFlows',
    SignatureMethod: 'HmacSHA256',
    SignatureVersion: '2',
    Timestamp: '2011-10-03T15:19:30',
    Version: '2009-03-31',
  },
}
const secret2 = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'

const version4: SignedRequest = {
  access: 'AKIDEXAMPLE',
  signature: '5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7',
  host: 'iam.amazonaws.com',
  verb: 'GET',
  path: '/',
  params: { Action: 'ListUsers', Version: '2010-05-08' },
  headers: {
    'Content-Type': 'application/x-www-form-urlencoded; charset=utf-8',
    'X-Amz-Date': '20150830T123600Z',
    Authorization:
      'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=x',
  },
  body_hash: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
}
const secret4 = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'

test('version 2 is checked, with the signature among the parameters or not', () => {
  assert.equal(isSignedEc2(version2, secret2), true)
  assert.equal(isSignedEc2({ ...version2, params: { ...version2.params, Signature: 'x' } }, secret2), true)
  assert.equal(isSignedEc2({ ...version2, host: `${version2.host}:8773` }, secret2), true)
  assert.equal(isSignedEc2(version2, 'other'), false)
  assert.equal(isSignedEc2({ ...version2, verb: 'POST' }, secret2), false)
  assert.equal(isSignedEc2({ ...version2, params: { ...version2.params, Action: 'Other' } }, secret2), false)
})

test('version 4 is checked, whatever the case of the headers', () => {
  assert.equal(isSignedEc2(version4, secret4), true)
  assert.equal(isSignedEc2(version4, secret2), false)
  assert.equal(isSignedEc2({ ...version4, path: '/other' }, secret4), false)
  assert.equal(isSignedEc2({ ...version4, body_hash: '' }, secret4), false)
})

test('older versions and requests that are not signed are refused', () => {
  for (const params of [{}, { ...version2.params, SignatureVersion: '1' }])
    assert.equal(isSignedEc2({ ...version2, params, signature: '' }, ''), false)
})

test('S3’s own signature is checked over the text that was signed', () => {
  const text = 'GET\n\n\nTue, 27 Mar 2007 19:36:42 +0000\n/awsexamplebucket1/photos/puppy.jpg'
  const request = {
    access: 'a',
    signature: 'qgk2+6Sv9/oM7G3qLEjTH1a1l1g=',
    token: Buffer.from(text).toString('base64url'),
  }
  assert.equal(isSignedS3(request, secret2), true)
  assert.equal(isSignedS3({ ...request, token: Buffer.from(`${text}x`).toString('base64url') }, secret2), false)
  assert.equal(isSignedS3({ access: 'a', signature: '', token: '' }, ''), false)
})

test('the time of signing is read from wherever the version has it', () => {
  assert.equal(signedAt(version2), Date.UTC(2011, 9, 3, 15, 19, 30))
  assert.equal(signedAt(version4), Date.UTC(2015, 7, 30, 12, 36, 0))
  assert.equal(signedAt({ access: 'a', signature: 'b' }), undefined)
})
