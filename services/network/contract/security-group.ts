/** Security groups and their rules: what traffic reaches (`ingress`) or leaves (`egress`) a port; all else is dropped. */
import { resource } from '@strata/toolkit/resource'
import { boolean, integer, json, oneOf, text, uuid } from '@strata/toolkit/schema'
import { aliases, fieldRule, nameField, projectField, standardFields, tagsField } from './standard.ts'

/** Name of the group that each project has from its first use of networks. */
export const DEFAULT_SECURITY_GROUP = 'default'

/** Protocols that rules may name, and their numbers (IANA). */
export const PROTOCOLS: Readonly<Record<string, number>> = {
  ah: 51,
  dccp: 33,
  egp: 8,
  esp: 50,
  gre: 47,
  icmp: 1,
  icmpv6: 58,
  igmp: 2,
  ipip: 4,
  'ipv6-encap': 41,
  'ipv6-frag': 44,
  'ipv6-icmp': 58,
  'ipv6-nonxt': 59,
  'ipv6-opts': 60,
  'ipv6-route': 43,
  ospf: 89,
  pgm: 113,
  rsvp: 46,
  sctp: 132,
  tcp: 6,
  udp: 17,
  udplite: 136,
  vrrp: 112,
}

export const securityGroup = resource({
  name: 'security_group',
  plural: 'security_groups',
  path: '/v2.0/security-groups',
  table: 'security_groups',
  fields: {
    id: uuid().readOnly().filterable().sortable(),
    name: nameField(),
    project_id: projectField,
    stateful: boolean().defaultTo(true).filterable(),
    shared: boolean().defaultTo(false).readOnly().computed(),
    security_group_rules: json<readonly object[]>({ type: 'array' }).readOnly().computed(),
    ...tagsField,
    ...standardFields,
  },
  policy: {
    list: 'get_security_group',
    show: 'get_security_group',
    create: 'create_security_group',
    update: 'update_security_group',
    delete: 'delete_security_group',
  },
  fieldRule: fieldRule('security_group'),
  aliases,
})

export const securityGroupRule = resource({
  name: 'security_group_rule',
  plural: 'security_group_rules',
  path: '/v2.0/security-group-rules',
  table: 'security_group_rules',
  fields: {
    id: uuid().readOnly().filterable().sortable(),
    project_id: projectField,
    security_group_id: uuid().immutable().filterable().sortable(),
    direction: oneOf('ingress', 'egress').immutable().filterable().sortable(),
    ethertype: oneOf('IPv4', 'IPv6').defaultTo('IPv4').immutable().filterable().sortable(),
    protocol: json<string | number | null>({ type: ['string', 'integer', 'null'], maxLength: 40 })
      .nullable()
      .immutable(),
    port_range_min: integer({ minimum: 0, maximum: 65_535 }).nullable().immutable().filterable().sortable(),
    port_range_max: integer({ minimum: 0, maximum: 65_535 }).nullable().immutable().filterable().sortable(),
    // Any text will do for a group that is looked for, and is not found when it is no id.
    remote_group_id: text({ maxLength: 255 }).nullable().immutable().filterable().sortable(),
    remote_ip_prefix: text({ maxLength: 64 }).nullable().immutable().filterable().sortable(),
    normalized_cidr: text().nullable().readOnly().computed(),
    ...standardFields,
  },
  policy: {
    list: 'get_security_group_rule',
    show: 'get_security_group_rule',
    create: 'create_security_group_rule',
    delete: 'delete_security_group_rule',
  },
  fieldRule: fieldRule('security_group_rule'),
  aliases,
})
