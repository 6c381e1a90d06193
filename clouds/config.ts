/** Options of the composition itself; each service and part brings its own section. */
import { type ConfigSection, configSection } from '@strata/toolkit/config'

export interface CloudConfig {
  host: string
  port: number
  public_url?: string
  region: string
  log_level: 'debug' | 'info' | 'warn' | 'error'
  hostname?: string
  policy_file?: string
}

export const cloudConfig = configSection<CloudConfig>('cloud', {
  host: { type: 'string', default: '127.0.0.1', description: 'Address that the API listens on.' },
  port: {
    type: 'integer',
    minimum: 0,
    maximum: 65535,
    default: 5000,
    description: 'Port of the API; 0 takes a free one.',
  },
  public_url: {
    type: 'string',
    pattern: '^https?://',
    description:
      'Address under which clients reach the API, as the catalog tells it; by default made of host and port.',
  },
  region: { type: 'string', default: 'RegionOne', description: 'Name of the region in the catalog.' },
  log_level: {
    type: 'string',
    enum: ['debug', 'info', 'warn', 'error'],
    default: 'info',
    description: 'What is logged.',
  },
  hostname: {
    type: 'string',
    description: "Name of this machine as a compute host and chassis; by default the machine's own.",
  },
  policy_file: {
    type: 'string',
    description: 'YAML file with check strings that replace the default policy: service type, rule, check string.',
  },
})

export interface DatabaseConfig {
  url?: string
  services: Readonly<Record<string, string>>
}

export const databaseConfig = configSection<DatabaseConfig>('database', {
  url: {
    type: 'string',
    pattern: '^(sqlite|postgres|postgresql|mariadb|mysql):',
    description:
      'Where the services keep their state: `postgres://user:password@host/database` (a schema for each service), `mariadb://user:password@host/` (a database for each), `sqlite:/folder` (a file for each); by default files in the state folder.',
  },
  services: {
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(
      ['identity', 'image', 'placement', 'network', 'compute'].map(service => [
        service,
        {
          type: 'string',
          pattern: '^(sqlite|postgres|postgresql|mariadb|mysql):',
          description: `URL of the one database of ${service}, where it is elsewhere.`,
        },
      ]),
    ),
    default: {},
    description:
      'URLs of single services, by service type: `identity: postgres://user:password@host/database?schema=identity`.',
  },
})

export interface OvnConfig {
  northbound?: string
  southbound?: string
  open_vswitch?: string
  integration_bridge?: string
  datapath_type?: 'system' | 'netdev'
  encap_ip: string
  external_cidr: string
  masquerade: boolean
  dns_servers: readonly string[]
}

export const ovnConfig = configSection<OvnConfig>('ovn', {
  northbound: {
    type: 'string',
    description: 'OVSDB remote of the northbound database (`tcp:host:6641`); by default Strata runs its own.',
  },
  southbound: {
    type: 'string',
    description: 'OVSDB remote of the southbound database; given together with northbound.',
  },
  open_vswitch: {
    type: 'string',
    description:
      "OVSDB remote of this machine's switch (`unix:/run/openvswitch/db.sock`); given together with northbound.",
  },
  integration_bridge: {
    type: 'string',
    maxLength: 15,
    description: 'Name of the integration bridge; by default one of its own.',
  },
  datapath_type: {
    type: 'string',
    enum: ['system', 'netdev'],
    description: 'Datapath of the bridges; by default system where the kernel has it, else netdev.',
  },
  encap_ip: {
    type: 'string',
    format: 'ip',
    default: '127.0.0.1',
    description: 'Address of this machine at which other hosts reach it for overlays.',
  },
  external_cidr: {
    type: 'string',
    default: '172.24.4.1/24',
    description: 'Address of this machine on the network `public`, with its prefix.',
  },
  masquerade: {
    type: 'boolean',
    default: true,
    description: 'Whether guests reach beyond this machine, behind its address.',
  },
  dns_servers: {
    type: 'array',
    items: { type: 'string', format: 'ip' },
    default: [],
    description: 'Resolvers for subnets that name none.',
  },
})

export interface QemuConfig {
  binary: string
  user: string
  acceleration?: 'kvm' | 'tcg'
}

export const qemuConfig = configSection<QemuConfig>('qemu', {
  binary: { type: 'string', default: 'qemu-system-x86_64', description: 'The QEMU program.' },
  user: {
    type: 'string',
    default: 'strata-qemu',
    description: 'Unprivileged user that guests run as; made when absent.',
  },
  acceleration: {
    type: 'string',
    enum: ['kvm', 'tcg'],
    description: 'What guests run on; by default kvm where a guest was seen running on it, else tcg.',
  },
})

export interface SimulatedConfig {
  hosts: number
  vcpus: number
  memory_mib: number
  disk_gib: number
  boot_ms: number
}

export const simulatedConfig = configSection<SimulatedConfig>('simulated', {
  hosts: { type: 'integer', minimum: 1, maximum: 10000, default: 3, description: 'Number of simulated hosts.' },
  vcpus: { type: 'integer', minimum: 1, default: 64, description: 'vCPUs of each.' },
  memory_mib: { type: 'integer', minimum: 64, default: 262144, description: 'Memory of each, in MiB.' },
  disk_gib: { type: 'integer', minimum: 1, default: 10000, description: 'Disk of each, in GiB.' },
  boot_ms: { type: 'integer', minimum: 0, default: 0, description: 'Milliseconds that starting a guest takes.' },
})

export const compositionSections: readonly ConfigSection<unknown>[] = [
  cloudConfig,
  databaseConfig,
  ovnConfig,
  qemuConfig,
  simulatedConfig,
]
