/** A network: one layer 2 domain, an overlay (`geneve`) or a piece of a physical network (`flat`, `vlan`). */
import { resource } from '@strata/toolkit/resource'
import { boolean, integer, json, oneOf, text, uuid } from '@strata/toolkit/schema'
import { aliases, fieldRule, nameField, projectField, standardFields, tagsField } from './standard.ts'

export const NETWORK_TYPES = ['flat', 'vlan', 'geneve', 'local'] as const
export type NetworkType = (typeof NETWORK_TYPES)[number]

export const network = resource({
  name: 'network',
  plural: 'networks',
  path: '/v2.0/networks',
  table: 'networks',
  fields: {
    id: uuid().readOnly().filterable().sortable(),
    name: nameField(),
    project_id: projectField,
    admin_state_up: boolean().defaultTo(true).filterable(),
    status: oneOf('ACTIVE', 'DOWN', 'BUILD', 'ERROR').defaultTo('ACTIVE').readOnly().filterable(),
    shared: boolean().defaultTo(false).filterable().describe('Usable by every project.'),
    'router:external': boolean().defaultTo(false).filterable().describe('Routers may have their gateway here.'),
    is_default: boolean().defaultTo(false).filterable(),
    mtu: integer({ minimum: 68, maximum: 65_535 }).optional().filterable().describe('Bytes of an IP packet.'),
    port_security_enabled: boolean().defaultTo(true).filterable(),
    'provider:network_type': oneOf(...NETWORK_TYPES)
      .optional()
      .filterable(),
    'provider:physical_network': text({ maxLength: 64 }).nullable().filterable(),
    'provider:segmentation_id': integer({ minimum: 1, maximum: 16_777_215 }).nullable().filterable(),
    availability_zone_hints: json<readonly string[]>({ type: 'array', items: { type: 'string', maxLength: 255 } })
      .defaultTo([])
      .immutable(),
    availability_zones: json<readonly string[]>({ type: 'array' }).readOnly().computed(),
    ipv4_address_scope: text().nullable().readOnly().computed(),
    ipv6_address_scope: text().nullable().readOnly().computed(),
    subnets: json<readonly string[]>({ type: 'array' }).readOnly().computed(),
    ...tagsField,
    ...standardFields,
  },
  policy: {
    list: 'get_network',
    show: 'get_network',
    create: 'create_network',
    update: 'update_network',
    delete: 'delete_network',
  },
  fieldRule: fieldRule('network'),
  aliases,
})
