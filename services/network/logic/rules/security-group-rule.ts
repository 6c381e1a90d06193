/** What makes a rule of a security group right, and when two rules are the same. Pure; throws the API's own refusals. */
import { formatPrefix, parseAddress, parsePrefix } from '@strata/toolkit/ip'
import { invalidRule } from '../../contract/faults.ts'
import { PROTOCOLS } from '../../contract/security-group.ts'

export interface RuleWish {
  readonly direction: string
  readonly ethertype: string
  readonly protocol: string | number | null
  readonly port_range_min: number | null
  readonly port_range_max: number | null
  readonly remote_group_id: string | null
  readonly remote_ip_prefix: string | null
}

const withPorts = ['dccp', 'sctp', 'tcp', 'udp', 'udplite']
const icmpNames = ['icmp', 'icmpv6', 'ipv6-icmp']
const ipv6Only = ['icmpv6', 'ipv6-encap', 'ipv6-frag', 'ipv6-icmp', 'ipv6-nonxt', 'ipv6-opts', 'ipv6-route']

/** The protocol under its name in lower case, or as a number's text; `any` and -1 are null. */
export function canonicalProtocol(protocol: string | number | null): string | null {
  if (protocol === null) return null
  const text = String(protocol).toLowerCase()
  if (text === 'any' || text === '' || text === '-1') return null
  if (text in PROTOCOLS) return text
  if (/^\d{1,3}$/.test(text) && Number(text) <= 255) return String(Number(text))
  throw invalidRule(
    'SecurityGroupRuleInvalidProtocol',
    `Security group rule protocol ${protocol} not supported. Only protocol values [${Object.keys(PROTOCOLS).join(', ')}] and integer representations [0 to 255] are supported.`,
  )
}

/** The prefix with its host bits cleared; an address alone is a prefix of full length. */
export function canonicalRemotePrefix(text: string, ethertype: string): string {
  const address = parseAddress(text)
  const prefix = parsePrefix(address ? `${text}/${address.version === 4 ? 32 : 128}` : text)
  if (!prefix) throw invalidRule('InvalidCIDR', `Invalid CIDR ${text} given as IP prefix.`)
  if (prefix.version !== (ethertype === 'IPv4' ? 4 : 6))
    throw invalidRule('SecurityGroupRuleParameterConflict', `Conflicting value ethertype ${ethertype} for CIDR ${text}`)
  return formatPrefix(prefix)
}

/** What is shown beside the prefix as it was sent. */
export const normalizedCidr = (prefix: string | null, ethertype: string): string | null =>
  prefix === null ? null : canonicalRemotePrefix(prefix, ethertype)

/** The rule with protocol and ports in order; throws what is wrong with it. */
export function checkRule(wish: RuleWish): { protocol: string | null } {
  const protocol = canonicalProtocol(wish.protocol)
  if (wish.remote_group_id !== null && wish.remote_ip_prefix !== null)
    throw invalidRule(
      'SecurityGroupMultipleRemoteEntites',
      'Only one of remote_ip_prefix or remote_group_id or remote_address_group_id may be provided.',
    )
  if (wish.remote_ip_prefix !== null) canonicalRemotePrefix(wish.remote_ip_prefix, wish.ethertype)
  if (protocol !== null && wish.ethertype === 'IPv4' && isOneOf(protocol, ipv6Only))
    throw invalidRule(
      'SecurityGroupEthertypeConflictWithProtocol',
      `Invalid ethertype ${wish.ethertype} for protocol ${protocol}.`,
    )
  checkPorts(wish, protocol)
  return { protocol }
}

function checkPorts({ port_range_min: min, port_range_max: max }: RuleWish, protocol: string | null): void {
  if (min === null && max === null) return
  if (protocol === null)
    throw invalidRule('SecurityGroupProtocolRequiredWithPorts', 'Must also specify protocol if port range is given.')
  const is = (names: readonly string[]) => isOneOf(protocol, names)
  if (is(withPorts)) {
    for (const port of [min, max])
      if (port === null || port < 1)
        throw invalidRule('SecurityGroupInvalidPortValue', `Invalid value for port ${port ?? 'None'}`)
    if (min! > max!)
      throw invalidRule(
        'SecurityGroupInvalidPortRange',
        'For TCP/UDP protocols, port_range_min must be <= port_range_max',
      )
  } else if (is(icmpNames)) {
    for (const [attribute, field, value] of [
      ['port_range_min', 'type', min],
      ['port_range_max', 'code', max],
    ] as const)
      if (value !== null && value > 255)
        throw invalidRule(
          'SecurityGroupInvalidIcmpValue',
          `Invalid value for ICMP ${field} (${attribute}) ${value}. It must be 0 to 255.`,
        )
    if (min === null)
      throw invalidRule(
        'SecurityGroupMissingIcmpType',
        `ICMP code (port-range-max) ${max} is provided but ICMP type (port-range-min) is missing.`,
      )
  } else
    throw invalidRule(
      'SecurityGroupInvalidProtocolForPort',
      `Ports cannot be specified for protocol ${protocol}. Ports are only supported for ${withPorts.join(', ')}.`,
    )
}

/** By its number: a protocol has several names. */
const isOneOf = (protocol: string, names: readonly string[]): boolean =>
  names.some(name => PROTOCOLS[name] === protocolNumber(protocol))

export const protocolNumber = (protocol: string): number => PROTOCOLS[protocol] ?? Number(protocol)

/** Two rules with the same key match the same traffic: `tcp` is 6, and an address is its /32. */
export function ruleKey(rule: RuleWish): string {
  const protocol = canonicalProtocol(rule.protocol)
  const everywhere = rule.remote_ip_prefix === '0.0.0.0/0' || rule.remote_ip_prefix === '::/0'
  return JSON.stringify([
    rule.direction,
    rule.ethertype,
    protocol === null ? null : protocolNumber(protocol),
    rule.port_range_min,
    rule.port_range_max,
    rule.remote_group_id,
    rule.remote_ip_prefix === null || everywhere ? null : canonicalRemotePrefix(rule.remote_ip_prefix, rule.ethertype),
  ])
}
