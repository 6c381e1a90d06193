/**
 * Tempest's settings for a cloud: `[section] option = value`. Pure. What an option means stands in Tempest's own configuration
 * reference, https://docs.openstack.org/tempest/latest/sampleconf.html.
 */
import type { Login } from './api.ts'
import { type CloudFacts, type ComputeFacts, type NetworkFacts, SERVICES, type VolumeFacts } from './look.ts'

type Value = string | number | boolean | readonly string[] | undefined
export type Settings = Readonly<Record<string, Readonly<Record<string, Value>>>>

/** Rules for accounts (PCI-DSS) of the clouds that are started here: short, so that tests can wait for the end of a lock. */
export const COMPLIANCE = { lockout_failure_attempts: 3, lockout_duration: 5, unique_last_password_count: 2 } as const

export interface SettingsOptions {
  readonly login: Login
  readonly domainId: string
  readonly facts: CloudFacts
  /** A service of which scope is to be enforced: the tests of who may do what. */
  readonly scope: string | undefined
  /** Folder for logs and locks. */
  readonly folder: string
  /** Where an image can be imported from. */
  readonly imageUrl: string
  readonly buildTimeoutSeconds: number
  /** The cloud has the rules of `COMPLIANCE`; of another cloud's rules nobody tells. */
  readonly compliant: boolean
}

/** Options that Tempest calls otherwise than the service. */
const AVAILABLE: Readonly<Record<string, string>> = { octavia: 'load_balancer' }
/** Services whose tests read their catalog type from a section of their own. */
const SECTIONS: Readonly<Record<string, string>> = {
  glance: 'image',
  nova: 'compute',
  placement: 'placement',
  neutron: 'network',
  cinder: 'volume',
  swift: 'object-storage',
  designate: 'dns',
  heat: 'heat_plugin',
  octavia: 'load_balancer',
  manila: 'share',
  ironic: 'baremetal',
}

export function settingsFor(options: SettingsOptions): Settings {
  const { facts, folder, scope, buildTimeoutSeconds } = options
  const build = { build_timeout: buildTimeoutSeconds, build_interval: 1 }
  const available = Object.keys(SERVICES).filter(name => name !== 'keystone' && name !== 'placement')
  const base: Settings = {
    DEFAULT: { log_dir: folder, log_file: 'tempest.log', debug: true },
    oslo_concurrency: { lock_path: folder },
    ...identitySettings(options),
    enforce_scope: Object.fromEntries(
      ['nova', 'neutron', 'glance', 'cinder', 'keystone'].map(one => [one, one === scope]),
    ),
    barbican_rbac_scope_verification: { enforce_scope: scope === 'barbican' },
    service_available: {
      ...Object.fromEntries(available.map(name => [AVAILABLE[name] ?? name, name in facts.services])),
      ...{ horizon: false, glare: false },
    },
    // Guests of conformance runs are not logged into: that a guest works is shown by the project's own scenarios.
    validation: { run_validation: false, ping_timeout: 10 },
  }
  return merge(
    base,
    ...Object.entries(SECTIONS).flatMap(([name, section]) => {
      const service = facts.services[name]
      return service ? [{ [section]: { catalog_type: service.type, region: facts.region } }] : []
    }),
    imageSettings(options, build),
    facts.compute && computeSettings(facts, facts.compute, build),
    facts.placement && { placement: microversions(facts.placement) },
    facts.network && networkSettings(facts.network, build),
    { auth: { create_isolated_networks: facts.network?.extensions.includes('router') ?? false } },
    facts.volume && volumeSettings(facts.volume, build),
    facts.objectStore && objectSettings(facts.objectStore.apis),
  )
}

function merge(...parts: readonly (Settings | undefined)[]): Settings {
  const all: Record<string, Record<string, Value>> = {}
  for (const part of parts)
    for (const [section, values] of Object.entries(part ?? {})) all[section] = { ...all[section], ...values }
  return all
}

const microversions = (versions: { min: string; max: string } | undefined) =>
  versions ? { min_microversion: versions.min, max_microversion: versions.max } : {}

function identitySettings({ login, domainId, facts, scope, compliant }: SettingsOptions): Settings {
  const scoped = scope === 'keystone'
  return {
    auth: {
      use_dynamic_credentials: true,
      admin_username: login.username,
      admin_password: login.password,
      admin_domain_name: login.userDomain,
      admin_user_domain_name: login.userDomain,
      default_credentials_domain_name: login.projectDomain,
      // With scope enforced, only an administrator of the whole system may make the users that the tests are.
      ...(scoped
        ? { admin_system: 'all', admin_project_name: '' }
        : { admin_project_name: login.project, admin_project_domain_name: login.projectDomain }),
    },
    identity: {
      uri_v3: login.authUrl,
      auth_version: 'v3',
      region: facts.region,
      v3_endpoint_type: 'public',
      default_domain_id: domainId,
      admin_role: 'admin',
      ...(compliant && {
        user_lockout_failure_attempts: COMPLIANCE.lockout_failure_attempts,
        user_lockout_duration: COMPLIANCE.lockout_duration,
        user_unique_last_password_count: COMPLIANCE.unique_last_password_count,
      }),
    },
    'identity-feature-enabled': {
      api_v2: false,
      api_v2_admin: false,
      api_v3: true,
      trust: true,
      project_tags: true,
      application_credentials: facts.applicationCredentials,
      access_rules: facts.accessRules,
      enforce_scope: scoped,
      security_compliance: compliant,
    },
  }
}

function imageSettings({ facts: { image }, imageUrl }: SettingsOptions, build: Settings[string]): Settings {
  if (!image) return {}
  return {
    image: {
      ...build,
      http_image: imageUrl,
      ...(image.diskFormats.length > 0 && { disk_formats: image.diskFormats }),
      ...(image.containerFormats.length > 0 && { container_formats: image.containerFormats }),
    },
    'image-feature-enabled': { import_image: image.canImport, os_glance_reserved: true },
  }
}

function computeSettings({ image }: CloudFacts, compute: ComputeFacts, build: Settings[string]): Settings {
  const several = compute.hosts > 1
  return {
    compute: {
      ...build,
      ...microversions(compute.versions),
      ...(image && { image_ref: image.ref, image_ref_alt: image.alt }),
      flavor_ref: compute.flavor,
      flavor_ref_alt: compute.flavorAlt,
      min_compute_nodes: compute.hosts,
      hypervisor_type: compute.hypervisor || undefined,
      shelved_offload_time: 0,
    },
    'compute-feature-enabled': {
      ...{ resize: several, cold_migration: several, live_migration: several, snapshot: true },
      ...{ vnc_console: false, serial_console: false, spice_console: false },
      ...{ attach_encrypted_volume: false, change_password: false, personality: false, metadata_service: false },
    },
  }
}

function networkSettings({ extensions, external }: NetworkFacts, build: Settings[string]): Settings {
  return {
    network: {
      ...build,
      public_network_id: external?.id ?? '',
      floating_network_name: external?.name,
      project_network_cidr: '10.100.0.0/16',
      project_networks_reachable: false,
    },
    'network-feature-enabled': {
      api_extensions: extensions.length > 0 ? extensions : ['none'],
      ipv6: true,
      ipv6_subnet_attributes: true,
      port_security: extensions.includes('port-security'),
      floating_ips: external !== undefined && extensions.includes('router'),
      port_admin_state_change: true,
    },
    neutron_plugin_options: { agent_availability_zone: 'nova' },
  }
}

function volumeSettings(volume: VolumeFacts, build: Settings[string]): Settings {
  return {
    volume: {
      ...build,
      ...microversions(volume.versions),
      storage_protocol: volume.protocol,
      vendor_name: volume.vendor,
      volume_size: 1,
      ...(volume.backends.length > 1 && { backend_names: volume.backends.slice(0, 2) }),
    },
    'volume-feature-enabled': {
      backup: volume.backup,
      multi_backend: volume.backends.length > 1,
      api_extensions: volume.extensions.length > 0 ? volume.extensions : ['none'],
    },
  }
}

function objectSettings(apis: readonly string[]): Settings {
  return {
    'object-storage': {
      operator_role: 'member',
      reseller_admin_role: 'ResellerAdmin',
      cluster_name: 'name1',
      realm_name: 'realm1',
    },
    'object-storage-feature-enabled': {
      discoverability: true,
      discoverable_apis: apis.length > 0 ? apis : ['none'],
      container_sync: apis.includes('container_sync'),
      object_versioning: apis.includes('versioned_writes'),
    },
  }
}

/** As the file has it: lists with commas, what is undefined left out. */
export function toIni(settings: Settings): string {
  const text = (value: Value) => (typeof value === 'object' ? value.join(',') : `${value}`)
  return Object.entries(settings)
    .map(([section, values]) =>
      [
        `[${section}]`,
        ...Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [`${name} = ${text(value)}`])),
        '',
      ].join('\n'),
    )
    .join('\n')
}
