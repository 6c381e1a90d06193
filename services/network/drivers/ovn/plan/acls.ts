/**
 * Security groups: each is a port group with one ACL per rule; one more port group, with every secured port, drops what
 * no rule let through. Members of a group as a rule's remote end are the address set that OVN keeps for a port group.
 */

import { isIP } from 'node:net'
import { named } from '@strata/toolkit/ovsdb'
import type { SecurityGroupRuleRecord } from '../../../logic/ports.ts'
import { type PlannedRow, planned, type View } from './rows.ts'
import { isSecured, switchPortKey } from './switches.ts'

const DROP_GROUP = 'strata_pg_drop'
const DROP_PRIORITY = 1001
const ALLOW_PRIORITY = 1002

/** IANA's protocol numbers of the names the API takes, beside those that OVN has words for. */
const PROTOCOL_NUMBERS: Readonly<Record<string, number>> = {
  ah: 51,
  dccp: 33,
  egp: 8,
  esp: 50,
  gre: 47,
  igmp: 2,
  ipip: 4,
  'ipv6-encap': 41,
  'ipv6-frag': 44,
  'ipv6-nonxt': 59,
  'ipv6-opts': 60,
  'ipv6-route': 43,
  ospf: 89,
  pgm: 113,
  rsvp: 46,
  udplite: 136,
  vrrp: 112,
}
const TRANSPORTS: Readonly<Record<string, string>> = {
  tcp: 'tcp',
  '6': 'tcp',
  udp: 'udp',
  '17': 'udp',
  sctp: 'sctp',
  '132': 'sctp',
}
const ICMP_WORDS = new Set(['icmp', '1', 'icmpv6', 'ipv6-icmp', '58'])

/** Names in OVN's match language are made of letters, digits and underscores. */
export const portGroupName = (groupId: string): string => `pg_${groupId.replaceAll('-', '_')}`

/** Undefined when the rule's protocol is not known. */
function protocolMatch(rule: SecurityGroupRuleRecord): string[] | undefined {
  const { port_range_min: min, port_range_max: max } = rule
  const protocol = rule.protocol?.toLowerCase() ?? 'any'
  if (protocol === 'any' || protocol === '0') return []
  if (ICMP_WORDS.has(protocol)) {
    const word = rule.ethertype === 'IPv4' ? 'icmp4' : 'icmp6'
    const code = max === null ? [] : [`${word}.code == ${max}`]
    return min === null ? [word] : [word, `${word}.type == ${min}`, ...code]
  }
  const transport = TRANSPORTS[protocol]
  if (transport !== undefined) {
    if (min === null || max === null) return [transport]
    if (min === max) return [transport, `${transport}.dst == ${min}`]
    return [transport, `${transport}.dst >= ${min}`, `${transport}.dst <= ${max}`]
  }
  const number = PROTOCOL_NUMBERS[protocol] ?? (/^\d{1,3}$/.test(protocol) ? Number(protocol) : undefined)
  return number === undefined ? undefined : [`ip.proto == ${number}`]
}

/** Undefined when the remote end does not exist or is no address: then the rule lets nothing through. */
function remoteMatch(rule: SecurityGroupRuleRecord, groups: ReadonlySet<string>): string[] | undefined {
  const ip = rule.ethertype === 'IPv4' ? 'ip4' : 'ip6'
  const field = rule.direction === 'ingress' ? `${ip}.src` : `${ip}.dst`
  if (rule.remote_group_id !== null) {
    if (!groups.has(rule.remote_group_id)) return undefined
    return [`${field} == $${portGroupName(rule.remote_group_id)}_${ip}`]
  }
  if (rule.remote_ip_prefix === null) return []
  const [address = '', length = ''] = rule.remote_ip_prefix.split('/')
  if (isIP(address) !== (ip === 'ip4' ? 4 : 6) || !/^\d{0,3}$/.test(length)) return undefined
  return length === '0' ? [] : [`${field} == ${rule.remote_ip_prefix}`]
}

/** The match of a rule in OVN's language (ovn-sb(5), Logical_Flow), or undefined when it can match nothing. */
export function ruleMatch(rule: SecurityGroupRuleRecord, groups: ReadonlySet<string>): string | undefined {
  const [protocol, remote] = [protocolMatch(rule), remoteMatch(rule, groups)]
  if (protocol === undefined || remote === undefined) return undefined
  const port = rule.direction === 'ingress' ? 'outport' : 'inport'
  const ip = rule.ethertype === 'IPv4' ? 'ip4' : 'ip6'
  return [`${port} == @${portGroupName(rule.security_group_id)}`, ip, ...remote, ...protocol].join(' && ')
}

function acl(
  key: string,
  direction: 'ingress' | 'egress',
  priority: number,
  match: string,
  action: string,
): PlannedRow {
  const columns = { direction: direction === 'ingress' ? 'to-lport' : 'from-lport', priority, match, action }
  return planned('ACL', key, columns)
}

function planDropGroup(view: View): PlannedRow[] {
  const ports = view.snapshot.ports.filter(port => isSecured(port) && view.networks.has(port.network_id))
  const drop = (['ingress', 'egress'] as const).map(direction => {
    const match = `${direction === 'ingress' ? 'outport' : 'inport'} == @${DROP_GROUP} && ip`
    return acl(`acl:drop:${direction}`, direction, DROP_PRIORITY, match, 'drop')
  })
  const members = ports.map(({ id }) => named(switchPortKey(id)))
  const group = { name: DROP_GROUP, ports: members, acls: drop.map(({ key }) => named(key)) }
  return [...drop, planned('Port_Group', 'pg:drop', group)]
}

export function planSecurityGroups(view: View): PlannedRow[] {
  const { security_groups, security_group_rules, ports } = view.snapshot
  const groups = new Set(security_groups.map(({ id }) => id))
  const rulesOf = Map.groupBy(security_group_rules, ({ security_group_id }) => security_group_id)
  const members = new Map<string, string[]>(security_groups.map(({ id }) => [id, []]))
  for (const port of ports) {
    if (!isSecured(port) || !view.networks.has(port.network_id)) continue
    for (const group of port.security_groups) members.get(group)?.push(switchPortKey(port.id))
  }
  const rows = security_groups.flatMap(group => {
    const action = group.stateful === false ? 'allow-stateless' : 'allow-related'
    const acls = (rulesOf.get(group.id) ?? []).flatMap(rule => {
      const match = ruleMatch(rule, groups)
      return match === undefined ? [] : [acl(`acl:${rule.id}`, rule.direction, ALLOW_PRIORITY, match, action)]
    })
    const columns = {
      name: portGroupName(group.id),
      ports: members.get(group.id)!.map(named),
      acls: acls.map(({ key }) => named(key)),
    }
    return [...acls, planned('Port_Group', `pg:${group.id}`, columns, { 'neutron:security_group_id': group.id })]
  })
  return [...rows, ...planDropGroup(view)]
}
