/** The guests of a simulated host: how each is, what changes it, and whose turn it is. */
import type { Runtime } from '@strata/toolkit/runtime'
import type { GuestReport, GuestSpec, GuestState } from '../../logic/ports/hosts.ts'
import { openJournal } from './journal.ts'

export interface SimulatedGuest {
  /** Of the config drive only its presence is kept. */
  readonly spec: GuestSpec
  readonly state: GuestState
  /** When it was powered on, in milliseconds: the last few times. */
  readonly boots: readonly number[]
}

export interface SimulatedTable {
  readonly guests: ReadonlyMap<string, SimulatedGuest>
  load(): void
  isOn(serverId: string): boolean
  powerOn(spec: GuestSpec): void
  become(serverId: string, state: GuestState): void
  changeSpec(serverId: string, edit: (spec: GuestSpec) => GuestSpec): void
  remove(serverId: string): void
  /** A change of a guest that is on, which nobody asked for: those who watch are told. */
  befall(serverId: string, state: GuestState): void
  watch(listener: (report: GuestReport) => void): () => void
  /** Runs `action` after all earlier ones about this guest. The signal is aborted when a `hurry` wants its turn. */
  inTurn<T>(serverId: string, action: (hurried: AbortSignal) => Promise<T>): Promise<T>
  hurry(serverId: string): void
  idle(): Promise<unknown>
}

interface Turn {
  last: Promise<unknown>
  hurry: AbortController
}

const rememberedBoots = 5

export function createSimulatedTable(runtime: Runtime, file: string | undefined): SimulatedTable {
  const journal = file === undefined ? undefined : openJournal<SimulatedGuest>(file)
  const guests = new Map<string, SimulatedGuest>()
  const listeners = new Set<(report: GuestReport) => void>()
  const { inTurn, hurry, idle } = createTurns()

  const keep = (serverId: string, guest: SimulatedGuest) => {
    // Whether there is a config drive shows on the console; its files may hold secrets.
    const { configDrive, ...spec } = guest.spec
    const kept = { ...guest, spec: configDrive ? { ...spec, configDrive: {} } : spec }
    guests.set(serverId, kept)
    journal?.write(serverId, kept)
  }
  const isOn = (serverId: string) => ['running', 'paused'].includes(guests.get(serverId)?.state ?? '')
  const become = (serverId: string, state: GuestState) => {
    const guest = guests.get(serverId)
    if (guest) keep(serverId, { ...guest, state })
  }

  return {
    guests,
    isOn,
    become,
    inTurn,
    hurry,
    idle,
    load() {
      for (const [serverId, guest] of journal?.load() ?? []) guests.set(serverId, guest)
    },
    powerOn(spec) {
      const boots = [...(guests.get(spec.serverId)?.boots ?? []), runtime.now()].slice(-rememberedBoots)
      keep(spec.serverId, { spec, state: 'running', boots })
    },
    changeSpec(serverId, edit) {
      const guest = guests.get(serverId)
      if (guest) keep(serverId, { ...guest, spec: edit(guest.spec) })
    },
    remove(serverId) {
      guests.delete(serverId)
      journal?.write(serverId, undefined)
    },
    befall(serverId, state) {
      if (!isOn(serverId)) return
      become(serverId, state)
      for (const listener of [...listeners]) listener({ serverId, state })
    },
    watch(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}

function createTurns(): Pick<SimulatedTable, 'inTurn' | 'hurry' | 'idle'> {
  const turns = new Map<string, Turn>()
  /** Makes `work` what the next one waits for; a guest that nobody waits for is forgotten. */
  const follow = (serverId: string, turn: Turn, work: Promise<unknown>) => {
    const last = work
      .catch(() => {})
      .then(() => {
        if (turn.last === last) turns.delete(serverId)
      })
    turn.last = last
  }
  return {
    inTurn(serverId, action) {
      const turn = turns.get(serverId) ?? { last: Promise.resolve(), hurry: new AbortController() }
      turns.set(serverId, turn)
      const result = turn.last.then(() => action(turn.hurry.signal))
      follow(serverId, turn, result)
      return result
    },
    hurry(serverId) {
      const turn = turns.get(serverId)
      if (!turn) return
      turn.hurry.abort()
      // Those who come after the hurried ones take their time.
      const calm = turn.last.then(() => {
        turn.hurry = new AbortController()
      })
      follow(serverId, turn, calm)
    },
    idle: () => Promise.all([...turns.values()].map(turn => turn.last)),
  }
}
