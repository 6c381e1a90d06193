/** The section `network` of the configuration. */
import { configSection } from '@strata/toolkit/config'

export interface NetworkSettings {
  /** Bytes of an IP packet on a physical network. */
  readonly physical_mtu: number
  /** Bytes that the encapsulation of an overlay takes from it. */
  readonly overlay_overhead: number
  readonly project_network_type: 'geneve' | 'vlan' | 'local'
  readonly geneve_ids: readonly [number, number]
  /** Physical networks, each with the VLAN ids that project networks may take, or an empty list. */
  readonly physical_networks: Readonly<Record<string, readonly (readonly [number, number])[]>>
  readonly availability_zone: string
  readonly default_quotas: Readonly<Record<string, number>>
  /** Seconds between full comparisons with the data plane. */
  readonly sync_period: number
}

const pair = { type: 'array', minItems: 2, maxItems: 2, items: { type: 'integer', minimum: 1 } }

/** Limits of a project that has none of its own; -1 is none. */
export const DEFAULT_QUOTAS: Readonly<Record<string, number>> = {
  network: 100,
  subnet: 100,
  port: 500,
  router: 10,
  floatingip: 50,
  security_group: 10,
  security_group_rule: 100,
  rbac_policy: 10,
}

export const networkConfig = configSection<NetworkSettings>('network', {
  physical_mtu: { type: 'integer', minimum: 576, default: 1500, description: 'MTU of physical networks, in bytes.' },
  overlay_overhead: {
    type: 'integer',
    minimum: 0,
    default: 58,
    description: 'Bytes that Geneve takes from each packet of an overlay network.',
  },
  project_network_type: {
    type: 'string',
    enum: ['geneve', 'vlan', 'local'],
    default: 'geneve',
    description: 'What networks are made of when nobody says.',
  },
  geneve_ids: { ...pair, default: [1, 65_536], description: 'First and last tunnel id of overlay networks.' },
  physical_networks: {
    type: 'object',
    additionalProperties: { type: 'array', items: pair },
    default: { public: [] },
    description: 'Physical networks by name, each with the ranges of VLAN ids that project networks may take.',
  },
  availability_zone: {
    type: 'string',
    minLength: 1,
    default: 'nova',
    description: 'Name of the zone of networks and routers.',
  },
  default_quotas: {
    type: 'object',
    additionalProperties: { type: 'integer', minimum: -1 },
    default: DEFAULT_QUOTAS,
    description: 'Limits of projects that have none of their own; -1 is no limit.',
  },
  sync_period: {
    type: 'integer',
    minimum: 1,
    default: 60,
    description: 'Seconds between full comparisons of the database with the data plane.',
  },
})
