/** A floating IP: an address of an external network that a router maps to a port's fixed IP. */
import { resource } from '@strata/toolkit/resource'
import { json, oneOf, text, uuid } from '@strata/toolkit/schema'
import { aliases, fieldRule, projectField, standardFields, tagsField } from './standard.ts'

export const floatingip = resource({
  name: 'floatingip',
  plural: 'floatingips',
  path: '/v2.0/floatingips',
  table: 'floatingips',
  fields: {
    id: uuid().readOnly().filterable().sortable(),
    project_id: projectField,
    floating_network_id: uuid().immutable().filterable().sortable(),
    floating_ip_address: text({ format: 'ipv4' }).nullable().immutable().filterable().sortable(),
    subnet_id: uuid().nullable().immutable().computed(),
    port_id: uuid().nullable().filterable().sortable(),
    fixed_ip_address: text({ format: 'ipv4' }).nullable().filterable().sortable(),
    router_id: uuid().nullable().readOnly().filterable().sortable(),
    status: oneOf('ACTIVE', 'DOWN', 'ERROR').defaultTo('DOWN').readOnly().filterable().sortable(),
    port_details: json<Readonly<Record<string, unknown>>>({ type: 'object' }).nullable().readOnly().computed(),
    ...tagsField,
    ...standardFields,
  },
  policy: {
    list: 'get_floatingip',
    show: 'get_floatingip',
    create: 'create_floatingip',
    update: 'update_floatingip',
    delete: 'delete_floatingip',
  },
  fieldRule: fieldRule('floatingip'),
  aliases,
})
