/** A small world for tests of sagas: one simulated host, networks and Placement as maps, one server in a real store. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog } from '@strata/toolkit/log'
import { createLocalBus } from '@strata/toolkit/messaging'
import { isoTime, systemRuntime, uuidFromName } from '@strata/toolkit/runtime'
import { openStore } from '@strata/toolkit/store'
import { testDatabases } from '@strata/toolkit/testing'
import { createHostAgent } from '../../agent/index.ts'
import type { Nic } from '../../contract/nic.ts'
import { powerStates } from '../../contract/states.ts'
import {
  createSimulatedHypervisor,
  createSimulatedImageCache,
  createSimulatedVifDriver,
} from '../../drivers/simulated/index.ts'
import { beginAction } from '../../store/actions.ts'
import type { ComputeTables } from '../../store/database.ts'
import { migrations } from '../../store/migrations/index.ts'
import { findServer, insertServer, type Server, updateServer } from '../../store/servers.ts'
import type { Networks, Placement } from '../ports/neighbours.ts'
import type { HostState } from '../scheduler/types.ts'
import type { ServerDeps } from './deps.ts'
import { guestNic } from './interfaces.ts'
import { place } from './placing.ts'
import { existingGuestPlan } from './plan.ts'

export const hostname = 'host-1'
const serverId = '0f1e2d3c-0000-4000-8000-000000000001'

interface FakePort {
  readonly id: string
  serverId: string
  readonly given: boolean
}

/** Networks whose ports are rows of a map; a key makes the same port again, as the API does. */
function fakeNetworks(ports: Map<string, FakePort>): Networks {
  const nicOf = (port: FakePort, tag: string | null): Nic => ({
    port_id: port.id,
    network_id: uuidFromName('network'),
    label: 'private',
    mac_address: 'fa:16:3e:00:00:01',
    mtu: 1442,
    vif_name: `tap${port.id.slice(0, 11)}`,
    fixed_ips: [{ subnet_id: uuidFromName('subnet'), ip_address: '10.0.0.5' }],
    floating_ips: [],
    ours: !port.given,
    tag,
  })
  const unbind = (port: FakePort) => {
    port.serverId = ''
  }
  const portsOf = (id: string) => [...ports.values()].filter(port => port.serverId === id)
  return {
    async createPort({ key, owner, nic }) {
      const port = ports.get(uuidFromName(key)) ?? { id: uuidFromName(key), serverId: owner.serverId, given: false }
      ports.set(port.id, port)
      return nicOf(port, nic.tag)
    },
    async claimPort({ owner, nic }) {
      const port = ports.get(nic.portId!)!
      port.serverId = owner.serverId
      return nicOf(port, nic.tag)
    },
    bindPorts: async () => {},
    async releasePorts(id, given) {
      for (const port of portsOf(id)) given.includes(port.id) ? unbind(port) : ports.delete(port.id)
    },
    async releaseStrangers(id, known) {
      for (const port of portsOf(id)) if (!known.includes(port.id)) ports.delete(port.id)
    },
    removePort: async id => void ports.delete(id),
    unbindPort: async id => unbind(ports.get(id)!),
    portsUp: async ids => new Set(ids.filter(id => ports.has(id))),
    describe: async nics => nics,
    portsOfFloatingIps: async () => [],
    serverAt: async () => serverId,
  }
}

function fakePlacement(held: Map<string, string>): Placement {
  return {
    candidates: async () => ['provider-1'],
    claim: async ({ serverId: id, providerId }) => {
      held.set(id, providerId)
      return true
    },
    release: async id => void held.delete(id),
    room: async () => [],
    setProvider: async () => {},
    consumersOf: async () => [...held.keys()],
  }
}

export type SagaWorld = Awaited<ReturnType<typeof sagaWorld>>

/** `state`: what the server is before the saga begins. Its ports, claim and guest exist unless it is still to be built. */
export async function sagaWorld(state: 'unbuilt' | 'active' | 'stopped' | 'paused') {
  const folder = mkdtempSync(join(tmpdir(), 'strata-compute-'))
  const databases = testDatabases(folder)
  const store = await openStore<ComputeTables>({ url: databases.url('compute'), migrations })
  const ports = new Map<string, FakePort>([
    [uuidFromName('given'), { id: uuidFromName('given'), serverId: '', given: true }],
  ])
  const held = new Map<string, string>()
  const hypervisor = createSimulatedHypervisor()
  const vifs = createSimulatedVifDriver()
  const agent = createHostAgent({
    id: 'provider-1',
    hostname,
    hypervisor,
    vifs,
    images: createSimulatedImageCache(),
    openImage: async () => (async function* () {})(),
    log: silentLog,
  })
  await agent.open()
  const capacity = await agent.capacity()
  const hosts: HostState[] = [
    {
      id: 'provider-1',
      hostname,
      availabilityZone: 'nova',
      enabled: true,
      up: true,
      capacity,
      aggregates: [],
      used: { vcpus: 0, memoryMiB: 0, diskGiB: 0 },
      servers: [],
    },
  ]
  const deps: ServerDeps = {
    store,
    runtime: systemRuntime,
    log: silentLog,
    bus: createLocalBus(silentLog),
    networks: fakeNetworks(ports),
    placement: fakePlacement(held),
    agent: name => (name === hostname ? agent : undefined),
    hostStates: async () => hosts,
    group: async () => undefined,
    image: async id => ({ id, diskFormat: 'raw', sizeBytes: 0 }),
    options: { shutdownTimeout: 1, vifPluggingTimeout: 1, maxAttempts: 3, dhcpDomain: '' },
  }
  await insertServer(store.db, serverRow())
  const actionId = await beginAction(store.db, systemRuntime, {
    serverId,
    action: 'test',
    requestId: 'req',
    userId: 'u',
    projectId: 'p',
  })
  if (state !== 'unbuilt') await build(deps, state)
  const server = () => findServer(store.db, serverId)

  return {
    deps,
    store,
    subject: serverId,
    actionId,
    ports,
    held,
    server,
    hypervisor,
    /** All that the host, the network and Placement hold, in words. */
    async holdings(): Promise<string[]> {
      const guests = await hypervisor.list()
      return [
        ...guests.map(guest => `guest ${guest.state}`),
        ...(await vifs.list()).map(vif => `interface ${vif.vifName}`),
        ...[...ports.values()].filter(port => !port.given).map(() => 'port'),
        ...[...ports.values()].filter(port => port.given && port.serverId !== '').map(() => 'claimed port'),
        ...[...held.keys()].map(() => 'allocation'),
      ]
    },
    async close() {
      await agent.close()
      await store.close()
      await databases.drop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function build(deps: ServerDeps, state: 'active' | 'stopped' | 'paused'): Promise<void> {
  const blank = (await findServer(deps.store.db, serverId))!
  await place(deps, blank, { forcedHost: null, excludedHosts: [] })
  const owner = { serverId, projectId: 'p', host: hostname, availabilityZone: 'nova' }
  const nic = await deps.networks.createPort({
    key: 'first',
    owner,
    nic: { networkId: 'n', tag: null },
    securityGroups: [],
  })
  const built: Server = { ...blank, host: hostname, nics: [nic] }
  const agent = deps.agent(hostname)!
  await agent.build({ ...existingGuestPlan(deps, built), nics: [guestNic(nic)] }, new AbortController().signal)
  if (state === 'stopped') await agent.stop(serverId, 0)
  if (state === 'paused') await agent.pause(serverId)
  const power = { active: powerStates.running, stopped: powerStates.shutdown, paused: powerStates.paused }[state]
  await updateServer(deps.store.db, serverId, blank.updated_at, {
    host: hostname,
    nics: [nic],
    vm_state: state,
    task_state: null,
    power_state: power,
  })
}

function serverRow(): Omit<Server, 'seq' | 'revision'> {
  const now = isoTime(systemRuntime.now())
  return {
    id: serverId,
    project_id: 'p',
    user_id: 'u',
    name: 'vm',
    hostname: 'vm',
    description: null,
    image_id: null,
    flavor: { id: '1', name: 'f', vcpus: 1, ram: 64, disk: 1, ephemeral: 0, swap: 0, extra_specs: {} },
    flavor_id: '1',
    key_name: null,
    public_key: null,
    metadata: {},
    tags: [],
    user_data: null,
    config_drive: false,
    requested_zone: null,
    availability_zone: '',
    host: null,
    vm_state: 'building',
    task_state: 'scheduling',
    power_state: powerStates.pending,
    progress: 0,
    access_ip_v4: null,
    access_ip_v6: null,
    locked: false,
    locked_reason: null,
    fault: null,
    reservation_id: 'r-1',
    launch_index: 0,
    security_groups: [],
    nics: [],
    image_properties: {},
    scheduler_hints: {},
    disk_config: 'MANUAL',
    root_device_name: '/dev/vda',
    server_group_id: null,
    launched_at: null,
    created_at: now,
    updated_at: now,
  }
}
