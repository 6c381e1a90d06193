/** A security group as compute's own API showed it before there was a network service: rules of incoming traffic alone. */
import type { CallerSecurityGroup, CallerSecurityRule } from '../logic/ports/caller.ts'

type Known = readonly CallerSecurityGroup[]

/** `known`: groups that rules may point to, to tell their names. */
export const groupView = (group: CallerSecurityGroup, known: Known) => ({
  id: group.id,
  name: group.name,
  description: group.description,
  tenant_id: group.projectId,
  rules: group.rules.filter(rule => rule.direction === 'ingress').map(rule => ruleView(rule, group, known)),
})

export const ruleView = (rule: CallerSecurityRule, group: CallerSecurityGroup, known: Known) => ({
  id: rule.id,
  parent_group_id: group.id,
  ip_protocol: rule.protocol,
  ...portsOf(rule),
  ...(rule.remoteGroupId === null
    ? { group: {}, ip_range: { cidr: rule.remotePrefix ?? '0.0.0.0/0' } }
    : { group: remoteOf(rule.remoteGroupId, known), ip_range: {} }),
})

function remoteOf(id: string, known: Known): object {
  const remote = known.find(group => group.id === id)
  return remote ? { name: remote.name, tenant_id: remote.projectId } : {}
}

/** Any port, in the words of a time when all had to be named; -1 is any type and code of ICMP. */
function portsOf({ protocol, portMin, portMax }: CallerSecurityRule): object {
  if (portMin !== null || portMax !== null) return { from_port: portMin ?? -1, to_port: portMax ?? -1 }
  if (protocol === 'tcp' || protocol === 'udp') return { from_port: 1, to_port: 65_535 }
  return protocol === null ? { from_port: null, to_port: null } : { from_port: -1, to_port: -1 }
}
