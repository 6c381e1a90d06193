/** A subnet: a prefix of addresses on a network, and what hosts are told about it. */
import { resource } from '@strata/toolkit/resource'
import { boolean, integer, json, oneOf, text, uuid } from '@strata/toolkit/schema'
import { aliases, fieldRule, nameField, projectField, standardFields, tagsField } from './standard.ts'

export const IPV6_MODES = ['slaac', 'dhcpv6-stateful', 'dhcpv6-stateless'] as const
export type Ipv6Mode = (typeof IPV6_MODES)[number]

export interface AllocationPool {
  readonly start: string
  readonly end: string
}

export interface HostRoute {
  readonly destination: string
  readonly nexthop: string
}

const address = { type: 'string', format: 'ip' }

export const routesSchema = (maxItems: number) => ({
  type: 'array',
  maxItems,
  items: {
    type: 'object',
    additionalProperties: false,
    required: ['destination', 'nexthop'],
    properties: { destination: { type: 'string', format: 'cidr' }, nexthop: address },
  },
})

export const subnet = resource({
  name: 'subnet',
  plural: 'subnets',
  path: '/v2.0/subnets',
  table: 'subnets',
  fields: {
    id: uuid().readOnly().filterable().sortable(),
    name: nameField(),
    project_id: projectField,
    network_id: uuid().immutable().filterable().sortable(),
    ip_version: integer({ minimum: 4, maximum: 6 }).optional().immutable().filterable().sortable(),
    cidr: text({ format: 'cidr' }).optional().immutable().filterable().sortable(),
    gateway_ip: text({ format: 'ip' }).nullable().filterable(),
    allocation_pools: json<readonly AllocationPool[]>({
      type: ['array', 'null'],
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['start', 'end'],
        properties: { start: address, end: address },
      },
    }).optional(),
    enable_dhcp: boolean().defaultTo(true).filterable(),
    dns_nameservers: json<readonly string[]>({ type: ['array', 'null'], maxItems: 5, items: address }).defaultTo([]),
    host_routes: json<readonly HostRoute[]>({ ...routesSchema(20), type: ['array', 'null'] }).defaultTo([]),
    ipv6_ra_mode: oneOf(...IPV6_MODES)
      .nullable()
      .immutable()
      .filterable(),
    ipv6_address_mode: oneOf(...IPV6_MODES)
      .nullable()
      .immutable()
      .filterable(),
    subnetpool_id: text().nullable().immutable().filterable(),
    use_default_subnetpool: boolean().defaultTo(false).immutable().computed(),
    prefixlen: integer({ minimum: 0, maximum: 128 }).optional().immutable().computed(),
    service_types: json<readonly string[]>({ type: 'array', items: { type: 'string', maxLength: 255 } }).defaultTo([]),
    'router:external': boolean().readOnly().computed(),
    ...tagsField,
    ...standardFields,
  },
  policy: {
    list: 'get_subnet',
    show: 'get_subnet',
    create: 'create_subnet',
    update: 'update_subnet',
    delete: 'delete_subnet',
  },
  fieldRule: fieldRule('subnet'),
  aliases,
})
