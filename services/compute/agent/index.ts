/**
 * The part of compute that runs on a host: it turns the control plane's calls into calls of the host's drivers, in the order
 * that they need. It keeps no state of its own; the drivers know what is on the host.
 */
import type { Log } from '@strata/toolkit/log'
import type {
  GuestNic,
  GuestPlan,
  GuestSpec,
  HostAgent,
  Hypervisor,
  ImageCache,
  VifDriver,
} from '../logic/ports/hosts.ts'

export interface HostAgentOptions {
  readonly id: string
  readonly hostname: string
  readonly hypervisor: Hypervisor
  readonly vifs: VifDriver
  readonly images: ImageCache
  /** The content of an image, as the image service has it. */
  readonly openImage: (imageId: string, signal?: AbortSignal) => Promise<AsyncIterable<Uint8Array>>
  readonly log: Log
}

export function createHostAgent(options: HostAgentOptions): HostAgent {
  const { hypervisor, vifs, log } = options

  const plug = (serverId: string, nic: GuestNic) =>
    vifs.plug({ portId: nic.portId, vifName: nic.vifName, macAddress: nic.macAddress, mtu: nic.mtu, serverId })

  const build = async (plan: GuestPlan, signal: AbortSignal): Promise<void> => {
    const disks = await Promise.all(plan.disks.map(disk => fetchSource(options, disk, signal)))
    signal.throwIfAborted()
    await Promise.all(plan.nics.map(nic => plug(plan.serverId, nic)))
    signal.throwIfAborted()
    await hypervisor.spawn({ ...plan, disks })
  }

  /** Connects the cards of a guest whose disks exist; the driver finds these by their names, not by their source. */
  const prepare = async (plan: GuestPlan): Promise<GuestSpec> => {
    await Promise.all(plan.nics.map(nic => plug(plan.serverId, nic)))
    return { ...plan, disks: plan.disks.map(disk => withSource(disk, { path: '', format: 'qcow2' })) }
  }

  const unplugAll = async (serverId: string): Promise<void> => {
    const left = (await vifs.list()).filter(vif => vif.serverId === serverId)
    await Promise.all(left.map(vif => vifs.unplug(vif)))
  }

  const destroy = async (serverId: string): Promise<void> => {
    await hypervisor.destroy(serverId)
    await unplugAll(serverId)
  }

  return {
    id: options.id,
    hostname: options.hostname,
    open: () => hypervisor.open(),
    close: () => hypervisor.close(),
    capacity: () => hypervisor.capacity(),
    guests: () => hypervisor.list(),
    watch: listener => hypervisor.watch(listener),
    build,
    destroy,
    start: async plan => hypervisor.start(await prepare(plan)),
    stop: (serverId, graceSeconds) => hypervisor.stop(serverId, graceSeconds),
    reboot: async (plan, type, graceSeconds) => hypervisor.reboot(await prepare(plan), type, graceSeconds),
    pause: serverId => hypervisor.pause(serverId),
    unpause: serverId => hypervisor.unpause(serverId),
    consoleOutput: (serverId, length) => hypervisor.consoleOutput(serverId, length),
    async attachNic(serverId, nic) {
      await plug(serverId, nic)
      await hypervisor.nics?.attachNic(serverId, nic)
    },
    async detachNic(serverId, nic) {
      await hypervisor.nics?.detachNic(serverId, nic.portId)
      await vifs.unplug(nic)
    },
    async removeStrays(known) {
      const guests = await hypervisor.list()
      const cards = await vifs.list()
      const { servers, images } = await known()
      const removed: string[] = []
      for (const { serverId } of guests) {
        if (servers.has(serverId)) continue
        await destroy(serverId)
        removed.push(`guest ${serverId}`)
      }
      for (const vif of cards) {
        if (servers.has(vif.serverId)) continue
        await vifs.unplug(vif)
        removed.push(`interface ${vif.vifName} of server ${vif.serverId}`)
      }
      for (const image of await options.images.prune(images)) removed.push(`cached image ${image}`)
      if (removed.length > 0) log.info({ removed, host: options.hostname }, 'removed what belonged to no server')
      return removed
    },
  }
}

type PlannedDisk = GuestPlan['disks'][number]
type Disk = GuestSpec['disks'][number]

async function fetchSource(options: HostAgentOptions, disk: PlannedDisk, signal: AbortSignal): Promise<Disk> {
  const { source } = disk
  if (source.kind !== 'image') return { ...disk, source }
  return withSource(disk, await options.images.ensure(source.image, () => options.openImage(source.image.id, signal)))
}

function withSource(disk: PlannedDisk, file: { readonly path: string; readonly format: 'qcow2' | 'raw' }): Disk {
  const { source } = disk
  if (source.kind !== 'image') return { ...disk, source }
  return { ...disk, source: { kind: 'image', imageId: source.image.id, path: file.path, format: file.format } }
}
