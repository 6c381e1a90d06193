/** For the tests of this folder: the whole compute service on a simulated host, with networks, images and Placement as maps. */
import { silentLog } from '@strata/toolkit/log'
import { uuidFromName } from '@strata/toolkit/runtime'
import { idOf, persona, startService, type TestAnswer, until } from '@strata/toolkit/testing'
import { createHostAgent } from '../agent/index.ts'
import type { Nic } from '../contract/nic.ts'
import {
  createSimulatedHypervisor,
  createSimulatedImageCache,
  createSimulatedVifDriver,
} from '../drivers/simulated/index.ts'
import type {
  CallerImage,
  CallerNetwork,
  CallerPort,
  CallerSecurityGroup,
  CallerServices,
} from '../logic/ports/caller.ts'
import type { Networks, Placement } from '../logic/ports/neighbours.ts'
import { compute } from '../service.ts'

export const images = {
  cirros: uuidFromName('cirros'),
  large: uuidFromName('large'),
  queued: uuidFromName('queued'),
}
export const networks = {
  private: uuidFromName('private'),
  other: uuidFromName('other'),
  public: uuidFromName('public'),
}
export const admin = persona({ roles: ['admin'], project: 'admin' })
export const member = persona()
export const reader = persona({ roles: ['reader'] })
export const stranger = persona({ project: 'beta' })

const image = (id: string, change: Partial<CallerImage> = {}): CallerImage => ({
  id,
  name: 'image',
  status: 'active',
  size: 1024,
  virtualSize: null,
  minDisk: 0,
  minRam: 0,
  properties: { hw_rng_model: 'virtio' },
  ...change,
})

interface Port extends CallerPort {
  readonly owned: boolean
}

function world() {
  const known = new Map<string, CallerImage>([
    [images.cirros, image(images.cirros)],
    [images.large, image(images.large, { size: 50 * 1024 ** 3 })],
    [images.queued, image(images.queued, { status: 'queued' })],
  ])
  const network = (id: string, name: string, external = false): CallerNetwork => ({
    id,
    name,
    external,
    shared: false,
    subnets: [uuidFromName(`subnet ${name}`)],
  })
  const ports = new Map<string, Port>()
  const groups: CallerSecurityGroup[] = ['default', 'web'].map(name => ({
    id: uuidFromName(name),
    name,
    description: '',
    projectId: idOf('alpha'),
    rules: [],
  }))
  return {
    images: known,
    nets: [network(networks.private, 'private'), network(networks.public, 'public', true)],
    ports,
    groups,
    network,
    /** Placement has no room. */
    full: false,
    floating: { id: uuidFromName('fip'), address: '203.0.113.7', portId: null as string | null },
    addPort(name: string, deviceId = '') {
      const id = uuidFromName(name)
      ports.set(id, portOf({ id, networkId: networks.private, deviceId, owned: false }))
      return id
    },
  }
}
type World = ReturnType<typeof world>

let addresses = 1
const portOf = (about: Pick<Port, 'id' | 'networkId' | 'deviceId' | 'owned'>): Port => ({
  ...about,
  macAddress: 'fa:16:3e:00:00:01',
  status: 'ACTIVE',
  fixedIps: [{ subnet_id: uuidFromName('subnet private'), ip_address: `10.0.0.${++addresses % 250}` }],
  securityGroups: [uuidFromName('default')],
})

function nicOf(w: World, port: Port, tag: string | null): Nic {
  return {
    port_id: port.id,
    network_id: port.networkId,
    label: w.nets.find(net => net.id === port.networkId)?.name ?? 'net',
    mac_address: port.macAddress,
    mtu: 1442,
    vif_name: `tap${port.id.slice(0, 11)}`,
    fixed_ips: port.fixedIps,
    floating_ips: [],
    ours: port.owned,
    tag,
  }
}

function fakeNetworks(w: World): Networks {
  const of = (id: string) => [...w.ports.values()].filter(port => port.deviceId === id)
  const set = (id: string, change: Partial<Port>) => {
    const port = w.ports.get(id)
    if (port) w.ports.set(id, { ...port, ...change })
  }
  return {
    async createPort({ key, owner, nic }) {
      const id = uuidFromName(key)
      if (!w.ports.has(id))
        w.ports.set(id, portOf({ id, networkId: nic.networkId!, deviceId: owner.serverId, owned: true }))
      return nicOf(w, w.ports.get(id)!, nic.tag)
    },
    async claimPort({ owner, nic }) {
      set(nic.portId!, { deviceId: owner.serverId })
      return nicOf(w, w.ports.get(nic.portId!)!, nic.tag)
    },
    bindPorts: async () => {},
    async releasePorts(id, given) {
      for (const port of of(id)) given.includes(port.id) ? set(port.id, { deviceId: '' }) : w.ports.delete(port.id)
    },
    async releaseStrangers(id, known) {
      for (const port of of(id)) if (!known.includes(port.id)) w.ports.delete(port.id)
    },
    removePort: async id => void w.ports.delete(id),
    unbindPort: async id => set(id, { deviceId: '' }),
    portsUp: async ids => new Set(ids),
    describe: async nics =>
      nics.map(
        (nic): Nic => ({
          ...nic,
          floating_ips:
            w.floating.portId === nic.port_id
              ? [
                  {
                    id: w.floating.address,
                    fixed_ip_address: nic.fixed_ips[0]!.ip_address,
                    floating_ip_address: w.floating.address,
                  },
                ]
              : [],
        }),
      ),
    portsOfFloatingIps: async () => [],
    serverAt: async () => undefined,
  }
}

function fakePlacement(w: World): Placement {
  const held = new Map<string, string>()
  const providers: string[] = []
  return {
    candidates: async () => (w.full ? [] : providers),
    claim: async ({ serverId, providerId }) => {
      held.set(serverId, providerId)
      return true
    },
    release: async id => void held.delete(id),
    room: async () => [],
    setProvider: async ({ id }) => void (providers.includes(id) || providers.push(id)),
    consumersOf: async () => [...held.keys()],
  }
}

const asCaller = (w: World): CallerServices => ({
  image: async id => w.images.get(id),
  network: async id => w.nets.find(net => net.id === id),
  networks: async () => w.nets.filter(net => !net.external),
  port: async id => w.ports.get(id),
  portsOf: async id => [...w.ports.values()].filter(port => port.deviceId === id),
  securityGroups: async () => w.groups,
  async setSecurityGroups(id, securityGroups) {
    w.ports.set(id, { ...w.ports.get(id)!, securityGroups })
  },
  floatingIp: async address => (address === w.floating.address ? { ...w.floating } : undefined),
  async assignFloatingIp(_id, to) {
    w.floating.portId = to?.portId ?? null
  },
})

export interface CallOptions {
  readonly as?: string
  readonly body?: unknown
  /** Minor of the microversion; 96 unless said. */
  readonly at?: number
  readonly headers?: Record<string, string>
}

export type Cloud = Awaited<ReturnType<typeof startCloud>>

export async function startCloud() {
  const w = world()
  const hypervisor = createSimulatedHypervisor()
  const host = createHostAgent({
    id: uuidFromName('host-1'),
    hostname: 'host-1',
    hypervisor,
    vifs: createSimulatedVifDriver(),
    images: createSimulatedImageCache(),
    openImage: async () => (async function* () {})(),
    log: silentLog,
  })
  const service = await startService(compute, {
    hosts: [host],
    neighbours: {
      networks: fakeNetworks(w),
      placement: fakePlacement(w),
      image: async id => ({ id, diskFormat: 'raw', sizeBytes: 0 }),
      asCaller: () => asCaller(w),
      proxies: () => {
        throw new Error('nothing here asks the proxy APIs')
      },
    },
  })
  const call = (method: string, path: string, { at = 96, headers, ...rest }: CallOptions = {}): Promise<TestAnswer> =>
    service.request(method, `/v2.1${path}`, {
      ...rest,
      headers: { 'openstack-api-version': `compute 2.${at}`, ...headers },
    })
  const flavor = { name: 'nano', id: '1', ram: 64, vcpus: 1, disk: 1 }
  await call('POST', '/flavors', { as: admin, body: { flavor } })
  const create = (server: object = {}, options: CallOptions & { readonly hints?: object } = {}) => {
    const { hints, ...rest } = options
    const body = {
      server: {
        name: 'vm',
        imageRef: images.cirros,
        flavorRef: '1',
        ...((rest.at ?? 96) >= 37 ? { networks: 'auto' } : {}),
        ...server,
      },
      ...(hints ? { 'os:scheduler_hints': hints } : {}),
    }
    return call('POST', '/servers', { ...rest, body })
  }
  const show = async (id: string, options: CallOptions = {}) =>
    (await call('GET', `/servers/${id}`, options)).json?.server
  const becomes = (id: string, status: string) =>
    until(`server is ${status}`, async () => (await show(id, { as: admin }))?.status === status)
  return {
    ...service,
    world: w,
    hypervisor,
    call,
    create,
    show,
    becomes,
    action: (id: string, body: object, options: CallOptions = {}) =>
      call('POST', `/servers/${id}/action`, { ...options, body }),
    /** Its id, once it is ACTIVE. */
    async running(server: object = {}, options: CallOptions = {}): Promise<string> {
      const made = await create(server, options)
      if (made.status !== 202) throw new Error(made.text)
      await becomes(made.json.server.id, 'ACTIVE')
      return made.json.server.id
    },
    async gone(id: string) {
      await call('DELETE', `/servers/${id}`, { as: admin })
      await until('the server is gone', async () => (await call('GET', `/servers/${id}`, { as: admin })).status === 404)
    },
  }
}
