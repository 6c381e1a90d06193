/** Section `compute` of `strata.yaml`. */
import { configSection } from '@strata/toolkit/config'

export interface ComputeConfig {
  readonly default_availability_zone: string
  readonly default_schedule_zone?: string
  readonly cross_az_attach: boolean
  readonly max_limit: number
  readonly enable_instance_password: boolean
  readonly password_length: number
  readonly shutdown_timeout: number
  readonly vif_plugging_timeout: number
  readonly max_attempts: number
  readonly report_interval: number
  readonly service_down_time: number
  readonly sync_power_state_interval: number
  readonly strays_interval: number
  readonly cpu_allocation_ratio: number
  readonly ram_allocation_ratio: number
  readonly disk_allocation_ratio: number
  readonly reserved_host_memory_mb: number
  readonly reserved_host_disk_gb: number
  readonly force_config_drive: boolean
  readonly dhcp_domain: string
  readonly quota_instances: number
  readonly quota_cores: number
  readonly quota_ram: number
  readonly quota_metadata_items: number
  readonly quota_key_pairs: number
  readonly quota_server_groups: number
  readonly quota_server_group_members: number
}

const whole = (value: number, minimum: number, description: string) => ({
  type: 'integer',
  minimum,
  default: value,
  description,
})
const real = (value: number, description: string) => ({
  type: 'number',
  exclusiveMinimum: 0,
  default: value,
  description,
})
const flag = (value: boolean, description: string) => ({ type: 'boolean', default: value, description })
const name = (value: string | undefined, description: string) => ({
  type: 'string',
  minLength: 1,
  maxLength: 255,
  description,
  ...(value === undefined ? {} : { default: value }),
})
const quota = (value: number, what: string) => whole(value, -1, `${what} that a project may have; -1 for any number.`)

export const computeConfig = configSection<ComputeConfig>('compute', {
  default_availability_zone: name('nova', 'Availability zone of hosts that are in no aggregate with one.'),
  default_schedule_zone: name(undefined, 'Availability zone of servers whose request names none; by default any.'),
  cross_az_attach: flag(true, 'Let servers use volumes of another availability zone.'),
  max_limit: whole(1000, 1, 'Resources on a page of a list at most.'),
  enable_instance_password: flag(true, 'Answer requests for servers with an administrator password.'),
  password_length: whole(12, 4, 'Length of generated administrator passwords.'),
  shutdown_timeout: whole(60, 0, 'Seconds that a guest has to power off before it is cut off.'),
  vif_plugging_timeout: whole(300, 0, 'Seconds that the ports of a new server have to come up.'),
  max_attempts: whole(3, 1, 'Hosts that are tried before a build is given up.'),
  report_interval: whole(10, 1, 'Seconds between two reports of a host.'),
  service_down_time: whole(60, 1, 'Seconds without a report after which a host counts as down.'),
  sync_power_state_interval: whole(60, 1, 'Seconds between two looks at what state the guests of a host are in.'),
  strays_interval: whole(600, 1, 'Seconds between two searches for what belongs to no server.'),
  cpu_allocation_ratio: real(4, 'Virtual CPUs of servers for each CPU of a host.'),
  ram_allocation_ratio: real(1, 'Memory of servers for each MiB of a host.'),
  disk_allocation_ratio: real(1, 'Disk of servers for each GiB of a host.'),
  reserved_host_memory_mb: whole(512, 0, 'MiB of each host that are not for servers.'),
  reserved_host_disk_gb: whole(0, 0, 'GiB of each host that are not for servers.'),
  force_config_drive: flag(false, 'Give every server a config drive.'),
  dhcp_domain: {
    type: 'string',
    maxLength: 253,
    default: 'novalocal',
    description: "Domain that follows a server's hostname in its metadata; empty for none.",
  },
  quota_instances: quota(10, 'Servers'),
  quota_cores: quota(20, 'Virtual CPUs'),
  quota_ram: quota(51_200, 'MiB of memory'),
  quota_metadata_items: whole(128, -1, 'Metadata items that one server may have; -1 for any number.'),
  quota_key_pairs: whole(100, -1, 'Key pairs that a user may have; -1 for any number.'),
  quota_server_groups: quota(10, 'Server groups'),
  quota_server_group_members: whole(10, -1, 'Servers that one server group may have; -1 for any number.'),
})
