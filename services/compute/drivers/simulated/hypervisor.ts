/**
 * A hypervisor without machines: guests are rows of a table that go through the states of real ones, taking the time that
 * is asked for and failing where a fault says so. With `file` they outlive the process, as guests should.
 */
import { type Runtime, systemRuntime } from '@strata/toolkit/runtime'
import {
  GuestBuildError,
  type GuestReport,
  type GuestSpec,
  type GuestState,
  type HostCapacity,
  type Hypervisor,
} from '../../logic/ports.ts'
import { consoleText } from './console.ts'
import { createFaults, failureOf, type Operation, type SimulatedFault } from './faults.ts'
import { openJournal } from './journal.ts'

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

interface SimulatedGuest {
  readonly spec: Omit<GuestSpec, 'configDrive'> & { readonly configDrive?: Record<string, Uint8Array> }
  readonly state: GuestState
  /** When it was powered on, in milliseconds: the last few times. */
  readonly boots: readonly number[]
}

interface Turn {
  last: Promise<unknown>
  hurry: AbortController
}

const remembered = 5

export function createSimulatedHypervisor(options: SimulatedOptions = {}): SimulatedHypervisor {
  const { runtime = systemRuntime, latencyMs = {} } = options
  const faults = createFaults(options.faults ?? [])
  const journal = options.file === undefined ? undefined : openJournal<SimulatedGuest>(options.file)
  const listeners = new Set<(report: GuestReport) => void>()
  const turns = new Map<string, Turn>()
  const guests = new Map<string, SimulatedGuest>()

  const keep = (serverId: string, guest: SimulatedGuest | undefined) => {
    if (guest) guests.set(serverId, guest)
    else guests.delete(serverId)
    // Whether there was a config drive matters for the console's text; its files may hold secrets and are not kept.
    const configDrive = guest?.spec.configDrive ? {} : undefined
    journal?.write(serverId, guest && { ...guest, spec: { ...guest.spec, configDrive } })
  }
  const become = (serverId: string, state: GuestState) => {
    const guest = guests.get(serverId)
    if (guest) keep(serverId, { ...guest, state })
  }
  const powerOn = (spec: GuestSpec) => {
    const boots = [...(guests.get(spec.serverId)?.boots ?? []), runtime.now()].slice(-remembered)
    keep(spec.serverId, { spec, state: 'running', boots })
  }
  /** A change that nobody asked for. */
  const befall = (serverId: string, state: GuestState) => {
    const before = guests.get(serverId)?.state
    if (before !== 'running' && before !== 'paused') return
    become(serverId, state)
    for (const listener of [...listeners]) listener({ serverId, state })
  }
  const turnOf = (serverId: string): Turn => {
    const turn = turns.get(serverId) ?? { last: Promise.resolve(), hurry: new AbortController() }
    turns.set(serverId, turn)
    return turn
  }

  const exclusive = <T>(serverId: string, action: (hurry: AbortSignal) => Promise<T>): Promise<T> => {
    const turn = turnOf(serverId)
    const result = turn.last.then(() => action(turn.hurry.signal))
    const last = result.catch(() => {})
    turn.last = last
    last.then(() => {
      if (turn.last === last) turns.delete(serverId)
    })
    return result
  }

  /** Takes the operation's time, and throws what a fault says; `deaf` tells whether the power button is out of order. */
  const perform = async (
    on: Operation,
    spec: Pick<GuestSpec, 'serverId' | 'hostname' | 'properties'>,
  ): Promise<{ deaf: boolean }> => {
    const struck = faults.strike(on, spec)
    const delays = struck
      .filter(fault => fault.effect === 'delay')
      .reduce((sum, fault) => sum + (fault.delayMs ?? 0), 0)
    const time = (latencyMs[on] ?? 0) + delays
    if (time > 0) await runtime.sleep(time)
    const failure = failureOf(struck, on)
    if (failure) throw failure
    for (const fault of struck.filter(each => each.effect === 'crash')) {
      runtime.timer(fault.delayMs ?? 0, () => befall(spec.serverId, 'crashed'))
    }
    return { deaf: struck.some(fault => fault.effect === 'deaf') }
  }

  const checkDisks = (spec: GuestSpec) => {
    for (const { source, sizeGiB, name } of spec.disks) {
      if (source.kind === 'blank' && sizeGiB === 0) throw new GuestBuildError(`The blank disk "${name}" has no size.`)
      const virtualSize = source.kind === 'image' ? (options.imageSize?.(source.imageId) ?? 0) : 0
      const wanted = sizeGiB * 1024 ** 3
      if (source.kind !== 'image' || sizeGiB === 0 || wanted >= virtualSize) continue
      throw new GuestBuildError(
        `The flavor's disk of ${sizeGiB} GiB (${wanted} bytes) is too small for image ${source.imageId}, whose virtual size is ${virtualSize} bytes.`,
      )
    }
  }
  const isOn = (serverId: string) => ['running', 'paused'].includes(guests.get(serverId)?.state ?? '')
  const runningGuest = (serverId: string): SimulatedGuest => {
    const guest = guests.get(serverId)
    if (guest && isOn(serverId)) return guest
    throw new Error(`the guest of server ${serverId} does not run`)
  }
  const change = (
    on: 'attach' | 'detach',
    serverId: string,
    edit: (spec: SimulatedGuest['spec']) => SimulatedGuest['spec'],
  ) =>
    exclusive(serverId, async () => {
      const guest = guests.get(serverId)
      if (!guest) throw new Error(`server ${serverId} has no guest on this host`)
      await perform(on, guest.spec)
      keep(serverId, { ...(guests.get(serverId) ?? guest), spec: edit(guest.spec) })
    })

  return {
    name: 'simulated',
    async open() {
      for (const [serverId, guest] of journal?.load() ?? []) guests.set(serverId, guest)
    },
    async close() {
      await Promise.all([...turns.values()].map(turn => turn.last))
      listeners.clear()
    },
    capacity: async () => ({ ...defaultCapacity, ...options.capacity }),
    list: async () => [...guests].map(([serverId, { state }]) => ({ serverId, state })),
    watch(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    crash: serverId => befall(serverId, 'crashed'),
    powerOff: serverId => befall(serverId, 'shutdown'),

    spawn: spec =>
      exclusive(spec.serverId, async () => {
        const state = guests.get(spec.serverId)?.state
        if (state !== undefined && state !== 'crashed') return
        checkDisks(spec)
        await perform('spawn', spec)
        powerOn(spec)
      }),
    start: spec =>
      exclusive(spec.serverId, async () => {
        if (isOn(spec.serverId)) return
        if (!guests.has(spec.serverId))
          throw new GuestBuildError(`The disk "${spec.disks[0]?.name}" is missing on this host.`)
        await perform('start', spec)
        powerOn(spec)
      }),
    stop: (serverId, graceSeconds) =>
      exclusive(serverId, async hurry => {
        const guest = guests.get(serverId)
        if (!guest || guest.state === 'shutdown') return
        if (isOn(serverId)) {
          const { deaf } = await perform('stop', guest.spec)
          if (deaf) await runtime.sleep(graceSeconds * 1000, hurry).catch(() => {})
        }
        become(serverId, 'shutdown')
      }),
    reboot: (spec, type, graceSeconds) =>
      exclusive(spec.serverId, async hurry => {
        if (!guests.has(spec.serverId))
          throw new GuestBuildError(`The disk "${spec.disks[0]?.name}" is missing on this host.`)
        const { deaf } = await perform('reboot', spec)
        if (deaf && type === 'SOFT') await runtime.sleep(graceSeconds * 1000, hurry).catch(() => {})
        powerOn(spec)
      }),
    pause: serverId =>
      exclusive(serverId, async () => {
        await perform('pause', runningGuest(serverId).spec)
        become(serverId, 'paused')
      }),
    unpause: serverId =>
      exclusive(serverId, async () => {
        await perform('unpause', runningGuest(serverId).spec)
        become(serverId, 'running')
      }),
    destroy(serverId) {
      turnOf(serverId).hurry.abort()
      return exclusive(serverId, async () => {
        const guest = guests.get(serverId)
        if (!guest) return
        await perform('destroy', guest.spec)
        keep(serverId, undefined)
      }).finally(() => {
        const turn = turns.get(serverId)
        if (turn) turn.hurry = new AbortController()
      })
    },
    async consoleOutput(serverId, length) {
      const guest = guests.get(serverId)
      const text = guest ? consoleText(guest.spec, guest.boots, runtime.now()) : ''
      if (length === undefined || length < 0) return text
      return length === 0
        ? ''
        : text
            .split('\n')
            .slice(-length - 1)
            .join('\n')
    },
    nics: {
      attachNic: (serverId, nic) =>
        change('attach', serverId, spec => ({
          ...spec,
          nics: [...spec.nics.filter(each => each.portId !== nic.portId), nic],
        })),
      detachNic: (serverId, portId) =>
        change('detach', serverId, spec => ({ ...spec, nics: spec.nics.filter(nic => nic.portId !== portId) })),
    },
    disks: {
      attachDisk: (serverId, disk) =>
        change('attach', serverId, spec => ({
          ...spec,
          disks: [...spec.disks.filter(each => each.name !== disk.name), disk],
        })),
      detachDisk: (serverId, name) =>
        change('detach', serverId, spec => ({ ...spec, disks: spec.disks.filter(disk => disk.name !== name) })),
    },
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
