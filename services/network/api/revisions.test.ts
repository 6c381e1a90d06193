/** Revision numbers: what counts as a change of a network or a router, and changes on the condition of a revision. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { idOf } from '@strata/toolkit/testing'
import { type Fixture, startNetwork } from './fixture.test.ts'

describe('revisions', () => {
  let f: Fixture
  before(async () => {
    f = await startNetwork()
  })
  after(() => f.close())

  const revision = async (kind: string, id: string): Promise<number> => (await f.show(kind, id)).revision_number

  test('a network changes with its subnets and its RBAC policies', async () => {
    const { network, subnet } = await f.inside('10.120.0.0/24')
    let last = await revision('network', network.id)
    const goesUp = async (what: string) => {
      const now = await revision('network', network.id)
      assert.ok(now > last, what)
      last = now
    }
    assert.ok(last > network.revision_number, 'a subnet came')
    await f.call('PUT', `subnets/${subnet.id}`, { subnet: { name: 'x' } })
    await goesUp('a subnet changed')
    const policy = {
      object_type: 'network',
      object_id: network.id,
      action: 'access_as_shared',
      target_tenant: idOf('b'),
    }
    await f.call('POST', 'rbac-policies', { rbac_policy: policy })
    await goesUp('a policy came')
    await f.call('DELETE', `subnets/${subnet.id}`)
    await goesUp('a subnet went')
  })

  test('a router changes with its interfaces', async () => {
    const { subnet } = await f.inside('10.121.0.0/24')
    const router = await f.make('router', {})
    const body = { subnet_id: subnet.id }
    await f.call('PUT', `routers/${router.id}/add_router_interface`, body)
    const joined = await revision('router', router.id)
    assert.ok(joined > router.revision_number)
    await f.call('PUT', `routers/${router.id}/remove_router_interface`, body)
    assert.ok((await revision('router', router.id)) > joined)
  })

  test('a change on the condition of a revision is made to that alone', async () => {
    const network = await f.make('network', {})
    const send = (method: string, match: string) =>
      f.service.request(method, `/v2.0/networks/${network.id}`, {
        body: method === 'PUT' ? { network: { name: 'new' } } : undefined,
        headers: { 'if-match': match },
      })
    const current = `revision_number=${network.revision_number}`
    const stale = await send('PUT', `revision_number=${network.revision_number - 1}`)
    assert.deepEqual([stale.status, stale.json.NeutronError.type], [412, 'RevisionNumberConstraintFailed'])
    assert.equal((await send('PUT', 'nonsense')).status, 400)
    assert.equal((await send('PUT', current)).json.network.name, 'new')
    assert.equal((await send('DELETE', current)).status, 412)
    assert.equal((await send('DELETE', `revision_number=${network.revision_number + 1}`)).status, 204)
  })
})
