import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { idOf, persona } from '@strata/toolkit/testing'
import { admin, type Fixture, other, startNetwork } from './fixture.test.ts'

describe('sharing networks', () => {
  let f: Fixture
  before(async () => {
    f = await startNetwork()
  })
  after(() => f.close())

  const share = (network: string, target: string, as?: string) =>
    f.call(
      'POST',
      'rbac-policies',
      {
        rbac_policy: { object_type: 'network', object_id: network, action: 'access_as_shared', target_tenant: target },
      },
      as,
    )

  test('with one project, until it has nothing there any more', async () => {
    const { network, subnet } = await f.inside('10.95.0.0/24')
    const third = persona({ project: 'gamma' })
    const made = await share(network.id, idOf('beta'))
    assert.equal(made.status, 201, made.text)
    const policy = made.json.rbac_policy
    assert.deepEqual(
      [policy.target_tenant, policy.object_id, policy.project_id],
      [idOf('beta'), network.id, idOf('alpha')],
    )
    await f.refused(share(network.id, idOf('beta')), 409, 'DuplicateRbacPolicy')
    assert.equal((await f.show('network', network.id, other)).id, network.id)
    assert.equal((await f.show('subnet', subnet.id, other)).id, subnet.id)
    await f.refused(f.call('GET', `networks/${network.id}`, undefined, third), 404)
    const port = await f.make('port', { network_id: network.id }, other)
    await f.refused(f.call('DELETE', `rbac-policies/${policy.id}`), 409, 'RbacPolicyInUse')
    await f.refused(f.call('DELETE', `rbac-policies/${policy.id}`, undefined, other), 404, 'RbacPolicyNotFound')
    await f.call('DELETE', `ports/${port.id}`, undefined, other)
    assert.equal((await f.call('DELETE', `rbac-policies/${policy.id}`)).status, 204)
    await f.refused(f.call('GET', `networks/${network.id}`, undefined, other), 404)
  })

  test('with all is the network’s own `shared`, and for admins', async () => {
    const { network } = await f.inside('10.96.0.0/24')
    await f.refused(share(network.id, '*'), 403, 'PolicyNotAuthorized')
    const narrow = (await share(network.id, idOf('beta'))).json.rbac_policy
    const widen = { rbac_policy: { target_tenant: '*' } }
    await f.refused(f.call('PUT', `rbac-policies/${narrow.id}`, widen), 403, 'PolicyNotAuthorized')
    const policy = (await share(network.id, '*', admin)).json.rbac_policy
    assert.equal((await f.show('network', network.id, other)).shared, true)
    await f.call('DELETE', `rbac-policies/${policy.id}`, undefined, admin)
    assert.equal((await f.show('network', network.id)).shared, false)
    const shared = await f.make('network', { shared: true }, admin)
    const listed = () => f.call('GET', `rbac-policies?object_id=${shared.id}`, undefined, admin)
    assert.equal((await listed()).json.rbac_policies[0].target_tenant, '*')
    await f.call('PUT', `networks/${shared.id}`, { network: { shared: false } }, admin)
    assert.deepEqual((await listed()).json.rbac_policies, [])
  })

  const open = async (network: string, target: string, as?: string) => {
    const rbac_policy = {
      object_type: 'network',
      object_id: network,
      action: 'access_as_external',
      target_tenant: target,
    }
    return f.call('POST', 'rbac-policies', { rbac_policy }, as)
  }
  const isExternal = async (network: string) => (await f.show('network', network, admin))['router:external']

  test('as external for one project, which may have gateways and addresses there', async () => {
    const { network } = await f.inside('10.98.0.0/24')
    const gateway = (as: string) =>
      f.call('POST', 'routers', { router: { external_gateway_info: { network_id: network.id } } }, as)
    await f.refused(gateway(other), 404, 'NetworkNotFound')
    const policy = (await open(network.id, idOf('beta'))).json.rbac_policy
    assert.equal(await isExternal(network.id), true)
    assert.equal((await f.show('network', network.id, other)).id, network.id)
    await f.refused(f.call('GET', `networks/${network.id}`, undefined, persona({ project: 'gamma' })), 404)
    const router = await gateway(other)
    assert.equal(router.status, 201, router.text)
    const remove = (id: string) => f.call('DELETE', `rbac-policies/${id}`, undefined, admin)
    await f.refused(remove(policy.id), 409, 'RbacPolicyInUse')
    const wide = (await open(network.id, '*', admin)).json.rbac_policy
    assert.equal((await remove(policy.id)).status, 204)
    await f.refused(remove(wide.id), 409, 'RbacPolicyInUse')
    await f.call('DELETE', `routers/${router.json.router.id}`, undefined, other)
    assert.equal((await remove(wide.id)).status, 204)
    assert.equal(await isExternal(network.id), false)
    await f.refused(gateway(other), 404, 'NetworkNotFound')
  })

  test('a network that is made external is so for all, until it is not', async () => {
    const network = await f.make('network', { 'router:external': true }, admin)
    const policies = async () =>
      (await f.call('GET', `rbac-policies?object_id=${network.id}`, undefined, admin)).json.rbac_policies
    const set = (change: object) => f.call('PUT', `networks/${network.id}`, { network: change }, admin)
    const [policy] = await policies()
    assert.deepEqual([policy.action, policy.target_tenant], ['access_as_external', '*'])
    await f.refused(open(network.id, '*', admin), 409, 'DuplicateRbacPolicy')
    await f.refused(open((await f.inside('10.99.0.0/24')).network.id, '*'), 403, 'PolicyNotAuthorized')
    await set({ is_default: true })
    await f.refused(f.call('DELETE', `rbac-policies/${policy.id}`, undefined, admin), 409, 'RbacPolicyInUse')
    await set({ 'router:external': false, is_default: false })
    assert.deepEqual(await policies(), [])
    await f.refused(f.call('GET', `networks/${network.id}`, undefined, other), 404)
    await set({ 'router:external': true })
    assert.equal((await policies()).length, 1)
  })

  test('only what one owns', async () => {
    const { network } = await f.inside('10.97.0.0/24')
    await f.refused(share(network.id, idOf('gamma'), other), 404, 'NetworkNotFound')
    await share(network.id, idOf('beta'))
    await f.refused(share(network.id, idOf('gamma'), other), 400, 'InvalidInput')
    for (const [field, value] of Object.entries({
      object_type: 'pond',
      action: 'x',
      object_id: 'x',
      target_tenant: '',
    })) {
      const body = { object_type: 'network', object_id: network.id, action: 'access_as_shared', target_tenant: 'p' }
      const answer = f.call('POST', 'rbac-policies', { rbac_policy: { ...body, [field]: value } })
      assert.match(await f.refused(answer, 400), new RegExp(field))
    }
  })

  test('how full networks are', async () => {
    const { network, subnet } = await f.inside('10.98.0.0/28')
    await f.make('port', { network_id: network.id })
    const path = 'network-ip-availabilities'
    const one = (await f.call('GET', `${path}/${network.id}`, undefined, admin)).json.network_ip_availability
    assert.deepEqual([one.total_ips, one.used_ips, one.subnet_ip_availability[0].subnet_id], [13, 2, subnet.id])
    const listed = await f.call('GET', `${path}?network_id=${network.id}`, undefined, admin)
    assert.deepEqual(listed.json.network_ip_availabilities, [one])
    // More than a number of JavaScript can count: the digits are looked at.
    const wide = await f.inside('2001:db8:7::/64')
    const { text } = await f.call('GET', `${path}/${wide.network.id}`, undefined, admin)
    assert.match(text, /"total_ips":18446744073709551614,/)
    assert.deepEqual((await f.call('GET', path)).json.network_ip_availabilities, [])
    await f.refused(f.call('GET', `${path}/${network.id}`), 403)
    await f.refused(f.call('GET', `${path}/${subnet.id}`, undefined, admin), 404)
    await f.refused(f.call('GET', `${path}?colour=1`, undefined, admin), 400)
  })
})
