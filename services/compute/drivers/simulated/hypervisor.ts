/**
 * A hypervisor without machines: guests are rows of a table that go through the states of real ones, taking the time that
 * is asked for and failing where a fault says so. With `file` they outlive the process, as guests should.
 */
import { type Runtime, systemRuntime } from '@strata/toolkit/runtime'
import { GuestBuildError, type GuestSpec, type HostCapacity, type Hypervisor } from '../../logic/ports/hosts.ts'
import { consoleText, lastLines } from './console.ts'
import { createFaults, failureOf, type Operation, type SimulatedFault } from './faults.ts'
import { createSimulatedTable, type SimulatedGuest, type SimulatedTable } from './guest-table.ts'

export interface SimulatedOptions {
  readonly runtime?: Runtime
  readonly capacity?: Partial<HostCapacity>
  /** How long each operation takes; at once when not said. */
  readonly latencyMs?: Partial<Readonly<Record<Operation, number>>>
  readonly faults?: readonly SimulatedFault[]
  /** Keeps the guests here; without it they end with the process. */
  readonly file?: string
  /** The virtual size of an image that this host has, in bytes; an image that it does not know fits any disk. */
  readonly imageSize?: (imageId: string) => number | undefined
}

export interface SimulatedHypervisor extends Hypervisor {
  /** The guest's process dies. */
  crash(serverId: string): void
  /** The guest powers itself off. */
  powerOff(serverId: string): void
}

/** An operation takes its time and meets its faults; `deaf` tells that the guest will not heed its power button. */
type Perform = (on: Operation, spec: GuestSpec) => Promise<{ readonly deaf: boolean }>

export function createSimulatedHypervisor(options: SimulatedOptions = {}): SimulatedHypervisor {
  const { runtime = systemRuntime } = options
  const startedAt = runtime.now()
  const table = createSimulatedTable(runtime, options.file)
  const perform = performer(options, runtime, table)
  return {
    name: 'simulated',
    open: async () => table.load(),
    close: async () => void (await table.idle()),
    capacity: async () => ({
      ...defaultCapacity,
      uptimeSeconds: Math.floor((runtime.now() - startedAt) / 1000),
      loadAverage: [0, 0, 0],
      ...options.capacity,
    }),
    list: async () => [...table.guests].map(([serverId, { state }]) => ({ serverId, state })),
    watch: table.watch,
    crash: serverId => table.befall(serverId, 'crashed'),
    powerOff: serverId => table.befall(serverId, 'shutdown'),
    async consoleOutput(serverId, length) {
      const guest = table.guests.get(serverId)
      return guest ? lastLines(consoleText(guest.spec, guest.boots, runtime.now()), length) : ''
    },
    ...powerVerbs(table, perform, runtime, options.imageSize ?? (() => undefined)),
    ...plugs(table, perform),
  }
}

function performer(options: SimulatedOptions, runtime: Runtime, table: SimulatedTable): Perform {
  const faults = createFaults(options.faults ?? [])
  return async (on, spec) => {
    const struck = faults.strike(on, spec)
    const delays = struck.filter(fault => fault.effect === 'delay').map(fault => fault.delayMs ?? 0)
    const time = delays.reduce((sum, delay) => sum + delay, options.latencyMs?.[on] ?? 0)
    if (time > 0) await runtime.sleep(time)
    const failure = failureOf(struck, on)
    if (failure) throw failure
    for (const fault of struck.filter(each => each.effect === 'crash')) {
      runtime.timer(fault.delayMs ?? 0, () => table.befall(spec.serverId, 'crashed'))
    }
    return { deaf: struck.some(fault => fault.effect === 'deaf') }
  }
}

type PowerVerbs = Pick<Hypervisor, 'spawn' | 'start' | 'stop' | 'reboot' | 'pause' | 'unpause' | 'destroy'>

function powerVerbs(
  table: SimulatedTable,
  perform: Perform,
  runtime: Runtime,
  imageSize: NonNullable<SimulatedOptions['imageSize']>,
): PowerVerbs {
  const { inTurn } = table
  /** The guest does not react: the grace is waited for, unless somebody is in a hurry. */
  const waitInVain = (graceSeconds: number, hurried: AbortSignal) =>
    runtime.sleep(graceSeconds * 1000, hurried).catch(() => {})
  return {
    spawn: spec =>
      inTurn(spec.serverId, async () => {
        const state = table.guests.get(spec.serverId)?.state
        if (state !== undefined && state !== 'crashed') return
        checkDisks(spec, imageSize)
        await perform('spawn', spec)
        table.powerOn(spec)
      }),
    start: spec =>
      inTurn(spec.serverId, async () => {
        if (table.isOn(spec.serverId)) return
        needDisks(table, spec)
        await perform('start', spec)
        table.powerOn(spec)
      }),
    stop: (serverId, graceSeconds) =>
      inTurn(serverId, async hurried => {
        const guest = table.guests.get(serverId)
        if (!guest || guest.state === 'shutdown') return
        if (table.isOn(serverId)) {
          const { deaf } = await perform('stop', guest.spec)
          if (deaf) await waitInVain(graceSeconds, hurried)
        }
        table.become(serverId, 'shutdown')
      }),
    reboot: (spec, type, graceSeconds) =>
      inTurn(spec.serverId, async hurried => {
        needDisks(table, spec)
        const { deaf } = await perform('reboot', spec)
        if (deaf && type === 'SOFT') await waitInVain(graceSeconds, hurried)
        table.powerOn(spec)
      }),
    pause: serverId =>
      inTurn(serverId, async () => {
        await perform('pause', needRunning(table, serverId).spec)
        table.become(serverId, 'paused')
      }),
    unpause: serverId =>
      inTurn(serverId, async () => {
        await perform('unpause', needRunning(table, serverId).spec)
        table.become(serverId, 'running')
      }),
    destroy(serverId) {
      const done = inTurn(serverId, async () => {
        const guest = table.guests.get(serverId)
        if (!guest) return
        await perform('destroy', guest.spec)
        table.remove(serverId)
      })
      table.hurry(serverId)
      return done
    },
  }
}

function plugs(table: SimulatedTable, perform: Perform): Required<Pick<Hypervisor, 'nics' | 'disks'>> {
  const change = (on: 'attach' | 'detach', serverId: string, edit: (spec: GuestSpec) => GuestSpec) =>
    table.inTurn(serverId, async () => {
      const guest = table.guests.get(serverId)
      if (!guest) throw new Error(`server ${serverId} has no guest on this host`)
      await perform(on, guest.spec)
      table.changeSpec(serverId, edit)
    })
  const nicsWithout = (spec: GuestSpec, portId: string) => spec.nics.filter(nic => nic.portId !== portId)
  const disksWithout = (spec: GuestSpec, name: string) => spec.disks.filter(disk => disk.name !== name)
  return {
    nics: {
      attachNic: (serverId, nic) =>
        change('attach', serverId, spec => ({ ...spec, nics: [...nicsWithout(spec, nic.portId), nic] })),
      detachNic: (serverId, portId) =>
        change('detach', serverId, spec => ({ ...spec, nics: nicsWithout(spec, portId) })),
    },
    disks: {
      attachDisk: (serverId, disk) =>
        change('attach', serverId, spec => ({ ...spec, disks: [...disksWithout(spec, disk.name), disk] })),
      detachDisk: (serverId, name) =>
        change('detach', serverId, spec => ({ ...spec, disks: disksWithout(spec, name) })),
    },
  }
}

function needRunning(table: SimulatedTable, serverId: string): SimulatedGuest {
  const guest = table.guests.get(serverId)
  if (guest && table.isOn(serverId)) return guest
  throw new Error(`the guest of server ${serverId} does not run`)
}

function needDisks(table: SimulatedTable, spec: GuestSpec): void {
  if (table.guests.has(spec.serverId)) return
  throw new GuestBuildError(`The disk "${spec.disks[0]?.name}" is missing on this host.`)
}

function checkDisks(spec: GuestSpec, imageSize: (imageId: string) => number | undefined): void {
  for (const { source, sizeGiB, name } of spec.disks) {
    if (source.kind === 'blank' && sizeGiB === 0) throw new GuestBuildError(`The blank disk "${name}" has no size.`)
    if (source.kind !== 'image' || sizeGiB === 0) continue
    const virtualSize = imageSize(source.imageId) ?? 0
    const wanted = sizeGiB * 1024 ** 3
    if (wanted >= virtualSize) continue
    throw new GuestBuildError(
      `The flavor's disk of ${sizeGiB} GiB (${wanted} bytes) is too small for image ${source.imageId}, whose virtual size is ${virtualSize} bytes.`,
    )
  }
}

const defaultCapacity: HostCapacity = {
  hypervisorType: 'simulated',
  hypervisorVersion: 1_000_000,
  vcpus: 64,
  memoryMiB: 262_144,
  diskGiB: 4096,
  diskFreeGiB: 4096,
  cpu: {
    arch: 'x86_64',
    model: 'simulated',
    vendor: 'Strata',
    features: ['sse2'],
    topology: { sockets: 2, cores: 16, threads: 2 },
  },
  acceleration: 'simulated',
  traits: [
    'COMPUTE_NODE',
    'COMPUTE_NET_ATTACH_INTERFACE',
    'COMPUTE_IMAGE_TYPE_QCOW2',
    'COMPUTE_IMAGE_TYPE_RAW',
    'HW_ARCH_X86_64',
    'HW_CPU_X86_SSE2',
  ],
}
