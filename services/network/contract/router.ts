/** A router: joins subnets, and, by its gateway, an external network. */
import { resource } from '@strata/toolkit/resource'
import { boolean, json, oneOf, uuid } from '@strata/toolkit/schema'
import type { FixedIp, FixedIpRequest } from './port.ts'
import { aliases, fieldRule, nameField, projectField, standardFields, tagsField } from './standard.ts'
import { type HostRoute, routesSchema } from './subnet.ts'

export interface GatewayRequest {
  readonly network_id: string
  readonly enable_snat?: boolean
  readonly external_fixed_ips?: readonly FixedIpRequest[]
}

export interface Gateway {
  readonly network_id: string
  readonly enable_snat: boolean
  readonly external_fixed_ips: readonly FixedIp[]
}

/** Most routes of one router beside those that follow from its interfaces. */
export const MAX_ROUTES = 30

export const router = resource({
  name: 'router',
  plural: 'routers',
  path: '/v2.0/routers',
  table: 'routers',
  fields: {
    id: uuid().readOnly().filterable().sortable(),
    name: nameField(),
    project_id: projectField,
    admin_state_up: boolean().defaultTo(true).filterable(),
    status: oneOf('ACTIVE', 'DOWN', 'ERROR').defaultTo('ACTIVE').readOnly().filterable(),
    external_gateway_info: json<GatewayRequest>({
      type: ['object', 'null'],
      additionalProperties: false,
      properties: {
        network_id: { type: 'string', format: 'uuid' },
        enable_snat: { type: 'boolean' },
        external_fixed_ips: {
          type: 'array',
          items: {
            type: 'object',
            additionalProperties: false,
            properties: {
              subnet_id: { type: 'string', format: 'uuid' },
              ip_address: { type: 'string', format: 'ip' },
            },
          },
        },
      },
    })
      .nullable()
      .computed(),
    routes: json<readonly HostRoute[]>({ ...routesSchema(MAX_ROUTES), type: ['array', 'null'] }).defaultTo([]),
    availability_zone_hints: json<readonly string[]>({ type: 'array', items: { type: 'string', maxLength: 255 } })
      .defaultTo([])
      .immutable(),
    availability_zones: json<readonly string[]>({ type: 'array' }).readOnly().computed(),
    ...tagsField,
    ...standardFields,
  },
  policy: {
    list: 'get_router',
    show: 'get_router',
    create: 'create_router',
    update: 'update_router',
    delete: 'delete_router',
  },
  fieldRule: fieldRule('router'),
  aliases,
})
