/** The tables of compute. Structures are kept as JSON text; times as ISO 8601 in UTC with milliseconds; booleans as 0 and 1. */
import type { SagaTables } from '@strata/toolkit/saga'

export interface ServersTable {
  id: string
  /** Counts up over all servers; gives the instance's name, `instance-0000002a`. */
  seq: number
  project_id: string
  user_id: string
  name: string
  hostname: string
  description: string | null
  image_id: string | null
  /** JSON of a `FlavorCopy`: the flavor as it was at the build, which may since have been deleted. */
  flavor: string
  flavor_id: string
  key_name: string | null
  public_key: string | null
  /** JSON, string to string. */
  metadata: string
  /** JSON list of strings. */
  tags: string
  /** Base64, as sent. */
  user_data: string | null
  config_drive: number
  /** What the caller asked for, kept for later moves. */
  requested_zone: string | null
  availability_zone: string
  host: string | null
  vm_state: string
  task_state: string | null
  power_state: number
  progress: number
  access_ip_v4: string | null
  access_ip_v6: string | null
  locked: number
  locked_reason: string | null
  /** JSON of a `Fault`; null while nothing failed. */
  fault: string | null
  reservation_id: string
  launch_index: number
  /** JSON list of names or ids asked for. */
  security_groups: string
  /** JSON list of `Nic`. */
  nics: string
  /** JSON, string to string: what the image said of the machine at the build. */
  image_properties: string
  /** JSON, as sent: `group`, `same_host`, `different_host`, … */
  scheduler_hints: string
  disk_config: string
  root_device_name: string
  server_group_id: string | null
  launched_at: string | null
  created_at: string
  updated_at: string
  /** Counts the changes of the row. */
  revision: number
}

export interface FlavorCopy {
  readonly id: string
  readonly name: string
  readonly vcpus: number
  readonly ram: number
  readonly disk: number
  readonly ephemeral: number
  /** MiB. */
  readonly swap: number
  readonly extra_specs: Readonly<Record<string, string>>
}

export interface ServerFault {
  readonly code: number
  readonly message: string
  /** For administrators alone. */
  readonly details?: string
  readonly created: string
}

/** Which server has a port: what the JSON of its cards says, in a form that can be looked up. */
export interface ServerPortsTable {
  port_id: string
  server_id: string
}

/** What was asked of a server, each of which may have several events. Outlives its server. */
export interface InstanceActionsTable {
  id: string
  server_id: string
  /** `create`, `stop`, `reboot`, … */
  action: string
  request_id: string
  user_id: string
  project_id: string
  start_time: string
  updated_at: string
  /** `Error` when it failed. */
  message: string | null
  /** JSON list of events: name, start, finish, result, traceback, host. */
  events: string
}

/** A machine with a hypervisor; one row is the compute service and the hypervisor in one. */
export interface HostsTable {
  /** Also the id of its resource provider in Placement, of its service and of its hypervisor. */
  id: string
  /** The small number that ids were before microversion 2.53. */
  number: number
  hostname: string
  /** JSON of a `HostCapacity` (logic/ports/hosts.ts). */
  capacity: string
  disabled: number
  disabled_reason: string | null
  forced_down: number
  last_seen: string
  created_at: string
  updated_at: string
}

export interface FlavorsTable {
  id: string
  name: string
  description: string | null
  vcpus: number
  /** MiB. */
  ram: number
  /** GiB, as `ephemeral`. */
  disk: number
  ephemeral: number
  /** MiB. */
  swap: number
  rxtx_factor: number
  is_public: number
  disabled: number
  /** JSON, string to string. */
  extra_specs: string
  created_at: string
  updated_at: string | null
}

/** Projects that may use a flavor that is not public. */
export interface FlavorAccessTable {
  flavor_id: string
  project_id: string
}

export interface KeypairsTable {
  user_id: string
  name: string
  /** Counts up over all key pairs. */
  number: number
  /** `ssh` or `x509`. */
  type: string
  public_key: string
  fingerprint: string
  created_at: string
}

/** Limits that were set. */
export interface QuotasTable {
  /** A project's id, or `class:` and the name of a quota class. */
  owner: string
  /** Empty for the project's own limits. */
  user_id: string
  resource: string
  /** -1 is none. */
  hard_limit: number
}

/** A group of hosts; one with `availability_zone` in its metadata makes that zone. */
export interface AggregatesTable {
  id: number
  uuid: string
  name: string
  /** JSON, string to string. */
  metadata: string
  /** JSON list of host names. */
  hosts: string
  created_at: string
  updated_at: string | null
}

export interface ServerGroupsTable {
  id: string
  project_id: string
  user_id: string
  name: string
  policy: string
  /** JSON: `max_server_per_host` of anti-affinity. */
  rules: string
  created_at: string
}

export interface ComputeTables extends SagaTables {
  flavors: FlavorsTable
  flavor_access: FlavorAccessTable
  keypairs: KeypairsTable
  quotas: QuotasTable
  aggregates: AggregatesTable
  server_groups: ServerGroupsTable
  servers: ServersTable
  server_ports: ServerPortsTable
  instance_actions: InstanceActionsTable
  hosts: HostsTable
}
