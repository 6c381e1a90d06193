/** A port: where a device is plugged into a network, with its MAC, its addresses and the rules of its traffic. */
import { resource } from '@strata/toolkit/resource'
import { boolean, json, oneOf, text, uuid } from '@strata/toolkit/schema'
import { aliases, fieldRule, nameField, projectField, standardFields, tagsField } from './standard.ts'

/** Values of `device_owner` that mean something to the service itself. */
export const DEVICE_OWNERS = {
  routerInterface: 'network:router_interface',
  routerGateway: 'network:router_gateway',
  floatingIp: 'network:floatingip',
  /** The port through which a network's guests reach the metadata service. */
  metadata: 'network:distributed',
  dhcp: 'network:dhcp',
  /** Followed by the availability zone: `compute:nova`. */
  computePrefix: 'compute:',
} as const

/** `device_id` of a network's metadata port. */
export const metadataDevice = (networkId: string): string => `ovnmeta-${networkId}`

export const VNIC_TYPES = ['normal', 'direct', 'macvtap', 'direct-physical', 'baremetal', 'virtio-forwarder'] as const

export interface FixedIp {
  readonly subnet_id: string
  readonly ip_address: string
}

/** An address as asked for: one of them, or both. */
export interface FixedIpRequest {
  readonly subnet_id?: string
  readonly ip_address?: string
}

export interface AddressPair {
  /** An address or a prefix. */
  readonly ip_address: string
  readonly mac_address?: string
}

export interface DhcpOption {
  readonly opt_name: string
  readonly opt_value: string
  readonly ip_version?: 4 | 6
}

const object = (properties: object, required: readonly string[] = []) => ({
  type: 'object',
  additionalProperties: false,
  properties,
  required,
})
const mac = { type: 'string', format: 'mac-address' }

export const port = resource({
  name: 'port',
  plural: 'ports',
  path: '/v2.0/ports',
  table: 'ports',
  fields: {
    id: uuid().readOnly().filterable().sortable(),
    name: nameField(),
    project_id: projectField,
    network_id: uuid().immutable().filterable().sortable(),
    mac_address: text({ format: 'mac-address' }).nullable().filterable().sortable(),
    admin_state_up: boolean().defaultTo(true).filterable(),
    status: oneOf('ACTIVE', 'DOWN', 'BUILD', 'ERROR', 'N/A').defaultTo('DOWN').readOnly().filterable(),
    device_id: text({ maxLength: 255 }).defaultTo('').filterable().sortable(),
    device_owner: text({ maxLength: 255 }).defaultTo('').filterable().sortable(),
    fixed_ips: json<readonly FixedIpRequest[]>({
      type: ['array', 'null'],
      items: object({ subnet_id: { type: 'string', format: 'uuid' }, ip_address: { type: 'string', format: 'ip' } }),
    })
      .optional()
      .computed()
      .describe('A subnet, an address, or both, for each address; absent: one address of each IP version.'),
    security_groups: json<readonly string[]>({
      type: ['array', 'null'],
      uniqueItems: true,
      items: { type: 'string', format: 'uuid' },
    })
      .optional()
      .computed(),
    port_security_enabled: boolean().optional(),
    allowed_address_pairs: json<readonly AddressPair[]>({
      type: ['array', 'null'],
      maxItems: 10,
      items: object(
        {
          ip_address: {
            anyOf: [
              { type: 'string', format: 'ip' },
              { type: 'string', format: 'cidr' },
            ],
          },
          mac_address: mac,
        },
        ['ip_address'],
      ),
    }).defaultTo([]),
    extra_dhcp_opts: json<readonly DhcpOption[]>({
      type: ['array', 'null'],
      maxItems: 64,
      items: object(
        {
          opt_name: { type: 'string', minLength: 1, maxLength: 64, pattern: '^[A-Za-z0-9_:-]+$' },
          opt_value: { type: ['string', 'null'], maxLength: 255 },
          ip_version: { enum: [4, 6] },
        },
        ['opt_name'],
      ),
    }).defaultTo([]),
    'binding:host_id': text({ maxLength: 255 }).defaultTo('').nullable().filterable(),
    'binding:vnic_type': oneOf(...VNIC_TYPES).defaultTo('normal'),
    'binding:profile': json<Readonly<Record<string, unknown>>>({ type: ['object', 'null'] }).defaultTo({}),
    'binding:vif_type': oneOf('unbound', 'ovs', 'binding_failed').readOnly().computed(),
    'binding:vif_details': json<Readonly<Record<string, unknown>>>({ type: 'object' }).readOnly().computed(),
    ...tagsField,
    ...standardFields,
  },
  policy: { list: 'get_port', show: 'get_port', create: 'create_port', update: 'update_port', delete: 'delete_port' },
  fieldRule: fieldRule('port'),
  aliases,
})
