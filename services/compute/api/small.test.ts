/** For the tests of this folder: a service of a few operations, on a store of its own that the test may look into. */
import { nova } from '@strata/toolkit/dialect'
import { compilePolicy } from '@strata/toolkit/policy'
import { isoTime, systemRuntime, uuidFromName } from '@strata/toolkit/runtime'
import { defineService, type Operation } from '@strata/toolkit/service'
import { openStore, type Store } from '@strata/toolkit/store'
import { startService, type TestAnswer, type TestService } from '@strata/toolkit/testing'
import { type ComputeConfig, computeConfig } from '../contract/config.ts'
import { microversions } from '../contract/microversions.ts'
import { policies } from '../contract/policies.ts'
import type { Compute } from '../logic/compute.ts'
import type { HostCapacity } from '../logic/ports/hosts.ts'
import type { ComputeTables, HostsTable, ServersTable } from '../store/database.ts'
import { migrations } from '../store/migrations/index.ts'

type Parts = Pick<Compute, 'store' | 'runtime' | 'config'>

export interface Small extends Omit<TestService, 'request'> {
  readonly store: Store<ComputeTables>
  /** `at` is the minor of the microversion. */
  call(
    method: string,
    path: string,
    options?: { as?: string; body?: unknown; at?: number; headers?: Record<string, string> },
  ): Promise<TestAnswer>
}

export async function startSmall(
  operations: (parts: Parts) => readonly Operation[],
  config: Partial<ComputeConfig> = {},
): Promise<Small> {
  let opened: Store<ComputeTables> | undefined
  const definition = defineService({
    type: 'compute',
    config: [computeConfig],
    async build(environment) {
      const store = await openStore<ComputeTables>({ url: environment.databaseUrl('compute'), migrations })
      opened = store
      return {
        type: 'compute',
        dialect: nova,
        policy: compilePolicy(policies),
        microversions,
        operations: operations({
          store,
          runtime: environment.runtime,
          config: { ...environment.config.section(computeConfig), ...config },
        }),
        stop: () => store.close(),
      }
    },
  })
  const { request, ...service } = await startService(definition, undefined)
  return {
    ...service,
    store: opened!,
    call: (method, path, { at = 1, headers, ...options } = {}) =>
      request(method, path, { ...options, headers: { 'openstack-api-version': `compute 2.${at}`, ...headers } }),
  }
}

let seq = 0

/** A row of a server that runs, with what a test wants of it. */
export function serverRow(change: Partial<ServersTable> & { readonly id: string }): ServersTable {
  seq += 1
  const flavor = { id: '1', name: 'm1', vcpus: 1, ram: 512, disk: 1, ephemeral: 0, swap: 0, extra_specs: {} }
  return {
    seq,
    project_id: 'p',
    user_id: 'u',
    name: 'vm',
    hostname: 'vm',
    description: null,
    image_id: null,
    flavor: JSON.stringify(flavor),
    flavor_id: '1',
    key_name: null,
    public_key: null,
    metadata: '{}',
    tags: '[]',
    user_data: null,
    config_drive: 0,
    requested_zone: null,
    availability_zone: 'nova',
    host: null,
    vm_state: 'active',
    task_state: null,
    power_state: 1,
    progress: 0,
    access_ip_v4: null,
    access_ip_v6: null,
    locked: 0,
    locked_reason: null,
    fault: null,
    reservation_id: 'r-1',
    launch_index: 0,
    security_groups: '[]',
    nics: '[]',
    image_properties: '{}',
    scheduler_hints: '{}',
    disk_config: 'MANUAL',
    root_device_name: '/dev/vda',
    server_group_id: null,
    launched_at: '2026-01-01T00:00:00.000Z',
    created_at: '2026-01-01T00:00:00.000Z',
    updated_at: '2026-01-01T00:00:00.000Z',
    revision: 0,
    ...change,
  }
}

/** A host with a hypervisor that was seen just now. */
export function hostRow(number: number, change: Partial<HostsTable> = {}): HostsTable {
  const now = isoTime(systemRuntime.now())
  const capacity: HostCapacity = {
    hypervisorType: 'QEMU',
    hypervisorVersion: 7_002_000,
    vcpus: 8,
    memoryMiB: 16_384,
    diskGiB: 100,
    diskFreeGiB: 80,
    cpu: {
      arch: 'x86_64',
      model: 'host',
      vendor: 'Intel',
      features: ['vmx'],
      topology: { sockets: 1, cores: 8, threads: 1 },
    },
    acceleration: 'kvm',
    traits: [],
  }
  return {
    id: uuidFromName(`host-${number}`),
    number,
    hostname: `host-${number}`,
    capacity: JSON.stringify(capacity),
    disabled: 0,
    disabled_reason: null,
    forced_down: 0,
    last_seen: now,
    created_at: now,
    updated_at: now,
    ...change,
  }
}
