import assert from 'node:assert/strict'
import { test } from 'node:test'
import { substituted } from './domain-config.ts'

test('an option may refer to a secret of its group, and to nothing else', () => {
  const ldap = (url: string, password?: unknown) =>
    substituted({ ldap: { url, user: 'me', ...(password !== undefined && { password }) } })['ldap']!['url']
  assert.equal(ldap('ldap://x/%(password)s', 'se%cret$&'), 'ldap://x/se%cret$&')
  assert.equal(ldap('%(password)s and %(password)s', 'p'), 'p and p')
  for (const text of ['%(password)s', '%(user)s', '%(url)s', '%(constructor)s', '50% off', '%', '%s', '%(password)'])
    assert.equal(ldap(text), text)
  assert.equal(ldap('100%%'), '100%')
  const secret = substituted({ ldap: { password: '%(password)s %%' } })
  assert.equal(secret['ldap']!['password'], '%(password)s %%')
  assert.deepEqual(substituted({ identity: { list_limit: 5 } }), { identity: { list_limit: 5 } })
})
