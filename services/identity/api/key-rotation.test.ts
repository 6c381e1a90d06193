/** Tokens are made and checked all the while that keys change: by the service itself, and by another process. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { systemRuntime as runtime } from '@strata/toolkit/runtime'
import { identityConfig } from '../contract/config.ts'
import { inProject, plan, startIdentity } from '../harness.test.ts'
import { openRing } from '../logic/token/rings.ts'

const changes = 25

for (const [provider, name] of [
  ['fernet', 'tokens'],
  ['jws', 'jws'],
] as const)
  describe(`tokens of the form ${provider}`, () => {
    test('no request fails while another process changes the keys again and again', async () => {
      // Nothing that was checked is remembered, so that each request reads its token.
      const cloud = await startIdentity({ token_provider: provider, token_cache_seconds: 0 })
      const config = cloud.service.environment.config.section(identityConfig)
      const ring = openRing(name, { folder: cloud.service.environment.stateDir('identity'), runtime, config })
      const who = { name: 'admin', password: plan.adminPassword, scope: inProject('admin') }
      const tokens = [cloud.admin]
      let asked = 0
      for (let change = 0; change < changes; change++) {
        assert.equal(ring.rotate(), true)
        // One after another, so that the service comes to know of each change by a token, or of several at once.
        if (change % 3 === 0) tokens.push(await cloud.login(who))
        for (const token of tokens) {
          const { status, text } = await cloud.show(token, tokens.at(-1))
          assert.equal(status, 200, text)
          asked++
        }
      }
      assert.ok(asked > 100)
      // A replica on the same folder, which has none of these in memory.
      const elsewhere = openRing(name, { folder: cloud.service.environment.stateDir('identity'), runtime, config })
      assert.equal(elsewhere.list().length, changes + 2)
      await cloud.close()
    })
  })

describe('changing the form of tokens', () => {
  test('signed tokens say who they are for to everybody who has the public key', async () => {
    const cloud = await startIdentity({ token_provider: 'jws' })
    const [head, body] = cloud.admin.split('.').map(part => Buffer.from(part, 'base64url').toString())
    assert.equal(JSON.parse(head!).alg, 'ES256')
    const shown = (await cloud.show(cloud.admin)).json.token
    const claims = JSON.parse(body!)
    assert.deepEqual(
      [claims.sub, claims.openstack_project_id, claims.openstack_audit_ids, claims.openstack_methods],
      [shown.user.id, shown.project.id, shown.audit_ids, ['password']],
    )
    // One that was changed is no token, nor is one that is revoked.
    const other = `${cloud.admin.slice(0, -4)}AAAA`
    assert.equal((await cloud.show(other)).status, 404)
    const mine = await cloud.login({ name: 'admin', password: plan.adminPassword, scope: inProject('admin') })
    const revoke = await cloud.call('DELETE', '/v3/auth/tokens', cloud.admin, undefined, { 'x-subject-token': mine })
    assert.equal(revoke.status, 204)
    assert.equal((await cloud.show(mine)).status, 404)
    await cloud.close()
  })
})
