import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { idOf, persona } from '@strata/toolkit/testing'
import { admin, type Fixture, other, startNetwork } from './fixture.test.ts'

describe('security groups', () => {
  let f: Fixture
  before(async () => {
    f = await startNetwork({ default_quotas: { security_group_rule: 1000 } })
  })
  after(() => f.close())

  const rule = (body: object, as?: string) => f.call('POST', 'security-group-rules', { security_group_rule: body }, as)

  test('who looks finds the default group with its rules', async () => {
    const as = persona({ project: 'fresh' })
    const { json } = await f.call('GET', 'security-groups', undefined, as)
    assert.deepEqual(
      json.security_groups.map((group: { name: string }) => group.name),
      ['default'],
    )
    const [group] = json.security_groups
    const seen = group.security_group_rules.map((one: Record<string, unknown>) =>
      [one['direction'], one['ethertype'], one['remote_group_id'] === group.id].join(' '),
    )
    assert.deepEqual(seen.sort(), ['egress IPv4 false', 'egress IPv6 false', 'ingress IPv4 true', 'ingress IPv6 true'])
    await f.refused(
      f.call('DELETE', `security-groups/${group.id}`, undefined, as),
      409,
      'SecurityGroupCannotRemoveDefault',
    )
    await f.refused(
      f.call('PUT', `security-groups/${group.id}`, { security_group: { name: 'x' } }, as),
      409,
      'SecurityGroupCannotUpdateDefault',
    )
    await f.refused(
      f.call('POST', 'security-groups', { security_group: { name: 'default' } }, as),
      409,
      'SecurityGroupDefaultAlreadyExists',
    )
  })

  test('a new group lets everything out and nothing in', async () => {
    const group = await f.make('security_group', { name: 'web', description: 'd' })
    assert.deepEqual(
      group.security_group_rules.map((one: { direction: string }) => one.direction),
      ['egress', 'egress'],
    )
    assert.equal(group.stateful, true)
    const made = (
      await rule({
        security_group_id: group.id,
        direction: 'ingress',
        protocol: 'TCP',
        port_range_min: 22,
        port_range_max: 22,
        remote_ip_prefix: '10.0.0.7/8',
      })
    ).json.security_group_rule
    assert.deepEqual(
      [made.protocol, made.ethertype, made.remote_ip_prefix, made.normalized_cidr, made.project_id],
      ['tcp', 'IPv4', '10.0.0.7/8', '10.0.0.0/8', group.project_id],
    )
    const { security_group_rules } = await f.show('security_group', group.id)
    assert.equal(security_group_rules.length, 3)
    assert.deepEqual(
      security_group_rules.find((one: { id: string }) => one.id === made.id),
      made,
    )
    const found = await f.call('GET', `security-group-rules?security_group_id=${group.id}&protocol=tcp`)
    assert.deepEqual(
      found.json.security_group_rules.map((one: { id: string }) => one.id),
      [made.id],
    )
    assert.equal((await f.call('DELETE', `security-group-rules/${made.id}`)).status, 204)
    await f.refused(f.call('DELETE', `security-group-rules/${made.id}`), 404, 'SecurityGroupRuleNotFound')
    const renamed = await f.call('PUT', `security-groups/${group.id}`, {
      security_group: { name: 'w', stateful: false },
    })
    assert.deepEqual([renamed.json.security_group.name, renamed.json.security_group.stateful], ['w', false])
    assert.equal((await f.call('DELETE', `security-groups/${group.id}`)).status, 204)
  })

  test('the same rule twice is refused, however it is written', async () => {
    const { id } = await f.make('security_group', { name: 'twice' })
    const base = { security_group_id: id, direction: 'ingress' }
    const pairs = [
      [
        { protocol: 'tcp', port_range_min: 80, port_range_max: 80 },
        { protocol: '6', port_range_min: 80, port_range_max: 80 },
      ],
      [{ protocol: 'icmp' }, { protocol: 1 }],
      [{ remote_ip_prefix: '10.1.0.1' }, { remote_ip_prefix: '10.1.0.1/32' }],
      [{ remote_group_id: id }, { remote_group_id: id }],
      [
        { ethertype: 'IPv6', protocol: 'icmpv6' },
        { ethertype: 'IPv6', protocol: 'ipv6-icmp' },
      ],
      [{}, { remote_ip_prefix: '0.0.0.0/0' }],
    ]
    for (const [first, second] of pairs) {
      const made = await rule({ ...base, ...first })
      assert.equal(made.status, 201, made.text)
      const message = await f.refused(rule({ ...base, ...second }), 409, 'SecurityGroupRuleExists')
      assert.ok(message.includes(made.json.security_group_rule.id))
    }
  })

  test('rules that make no sense are refused with their own words', async () => {
    const { id } = await f.make('security_group', { name: 'bad' })
    const base = { security_group_id: id, direction: 'ingress' }
    const cases: [object, string][] = [
      [{ protocol: 'tcp', port_range_min: 90, port_range_max: 80 }, 'SecurityGroupInvalidPortRange'],
      [{ protocol: 'tcp', port_range_min: 90 }, 'SecurityGroupInvalidPortValue'],
      [{ protocol: 'tcp', port_range_min: 0, port_range_max: 5 }, 'SecurityGroupInvalidPortValue'],
      [{ port_range_min: 1, port_range_max: 2 }, 'SecurityGroupProtocolRequiredWithPorts'],
      [{ protocol: 'gre', port_range_min: 1, port_range_max: 2 }, 'SecurityGroupInvalidProtocolForPort'],
      [{ protocol: 'icmp', port_range_min: 256 }, 'SecurityGroupInvalidIcmpValue'],
      [{ protocol: 'icmp', port_range_max: 0 }, 'SecurityGroupMissingIcmpType'],
      [{ protocol: 'nonsense' }, 'SecurityGroupRuleInvalidProtocol'],
      [{ protocol: 256 }, 'SecurityGroupRuleInvalidProtocol'],
      [{ ethertype: 'IPv4', protocol: 'ipv6-icmp' }, 'SecurityGroupEthertypeConflictWithProtocol'],
      [{ ethertype: 'IPv4', protocol: 58 }, 'SecurityGroupEthertypeConflictWithProtocol'],
      [{ remote_ip_prefix: '2001:db8::/64' }, 'SecurityGroupRuleParameterConflict'],
      [{ remote_ip_prefix: 'x' }, 'InvalidCIDR'],
      [{ remote_ip_prefix: '10.0.0.0/8', remote_group_id: id }, 'SecurityGroupMultipleRemoteEntites'],
    ]
    for (const [body, type] of cases) await f.refused(rule({ ...base, ...body }), 400, type)
    for (const [field, value] of Object.entries({
      direction: 'up',
      ethertype: 'ARP',
      port_range_min: 'x',
      remote_group_id: 7,
      security_group_id: 'x',
      nonsense: 1,
    })) {
      const message = await f.refused(rule({ ...base, [field]: value }), 400)
      assert.match(message, new RegExp(field))
    }
    await f.refused(
      rule({ direction: 'ingress', security_group_id: f.service.environment.runtime.uuid() }),
      404,
      'SecurityGroupNotFound',
    )
    for (const remote_group_id of [f.service.environment.runtime.uuid(), 'no-group'])
      await f.refused(rule({ ...base, remote_group_id }), 404, 'SecurityGroupNotFound')
  })

  test('an administrator who looks at a project finds its default group', async () => {
    const groupsOf = async (as: string) =>
      (await f.call('GET', `security-groups?tenant_id=${idOf('fresh')}`, undefined, as)).json.security_groups.length
    assert.equal(await groupsOf(other), 0)
    assert.equal(await groupsOf(admin), 1)
  })

  test('several come each in an envelope of its own, or in none', async () => {
    const security_groups = [{ security_group: { name: 'wrapped' } }, { name: 'bare' }]
    const made = await f.call('POST', 'security-groups', { security_groups })
    assert.deepEqual(
      made.json.security_groups.map((one: { name: string }) => one.name),
      ['wrapped', 'bare'],
    )
    const bad = { security_groups: [{ security_group: { name: 7 } }] }
    assert.match(await f.refused(f.call('POST', 'security-groups', bad), 400), /name/)
  })

  test('groups and rules of others are as if they were not there', async () => {
    const group = await f.make('security_group', { name: 'mine' })
    const [first] = group.security_group_rules
    await f.refused(f.call('GET', `security-groups/${group.id}`, undefined, other), 404, 'SecurityGroupNotFound')
    await f.refused(
      f.call('GET', `security-group-rules/${first.id}`, undefined, other),
      404,
      'SecurityGroupRuleNotFound',
    )
    await f.refused(f.call('DELETE', `security-group-rules/${first.id}`, undefined, other), 404)
    await f.refused(rule({ security_group_id: group.id, direction: 'ingress' }, other), 404, 'SecurityGroupNotFound')
    const theirs = (await f.call('GET', 'security-group-rules', undefined, other)).json.security_group_rules
    assert.ok(theirs.every((one: { security_group_id: string }) => one.security_group_id !== group.id))
    const made = await rule({ security_group_id: group.id, direction: 'ingress' }, admin)
    assert.equal(made.json.security_group_rule.project_id, group.project_id)
  })

  test('a group that others name in their rules takes those rules with it', async () => {
    const [a, b] = [await f.make('security_group', { name: 'a' }), await f.make('security_group', { name: 'b' })]
    await rule({ security_group_id: a.id, direction: 'ingress', remote_group_id: b.id })
    assert.equal((await f.call('DELETE', `security-groups/${b.id}`)).status, 204)
    assert.equal((await f.show('security_group', a.id)).security_group_rules.length, 2)
  })
})
