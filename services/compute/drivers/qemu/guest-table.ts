/** The guests of a host by the id of their server, and the turn that each call waits for. */
import { rm } from 'node:fs/promises'
import { adopt, exclusive, type Guest, type Host, newGuest } from './guest.ts'
import { findProcesses, type ProcessRef } from './process.ts'
import { checkServerId, guestIds, loadRecord } from './records.ts'

export interface GuestTable {
  /** Every guest that has something on this host. */
  all(): readonly Guest[]
  /** The guest, a new one that has nothing yet if there is none. Throws when the id is not one. */
  of(serverId: string): Guest
  /** Runs `action` when it is its turn. A guest that has nothing then, and no further call waiting, is forgotten. */
  inTurn<T>(serverId: string, action: (guest: Guest) => Promise<T>): Promise<T>
  /** Takes up the guests that an earlier process of ours has left. */
  takeUp(host: Host): Promise<void>
  /** Resolves when no call is under way. */
  idle(): Promise<unknown>
  clear(): void
}

export function createGuestTable(instances: string): GuestTable {
  const guests = new Map<string, Guest>()
  const of = (serverId: string): Guest => {
    checkServerId(serverId)
    const guest = guests.get(serverId) ?? newGuest(instances, serverId)
    guests.set(serverId, guest)
    return guest
  }
  return {
    all: () => [...guests.values()].filter(hasTrace),
    of,
    async inTurn(serverId, action) {
      const guest = of(serverId)
      const result = exclusive(guest, () => action(guest))
      const { turn } = guest
      return result.finally(() => {
        if (!hasTrace(guest) && guest.turn === turn) guests.delete(serverId)
      })
    },
    async takeUp(host) {
      const processes = await findProcesses(host.user.uid)
      const ids = await guestIds(instances)
      const found = await Promise.all(
        ids.map(serverId => takeUpGuest(host, newGuest(instances, serverId), processes.get(serverId))),
      )
      for (const guest of found.filter(hasTrace)) guests.set(guest.serverId, guest)
    },
    idle: () => Promise.all([...guests.values()].map(guest => guest.turn)),
    clear: () => guests.clear(),
  }
}

function hasTrace(guest: Guest): boolean {
  return guest.record !== undefined || guest.running !== undefined || guest.unreadable
}

async function takeUpGuest(host: Host, guest: Guest, process: ProcessRef | undefined): Promise<Guest> {
  const complain = (words: string) => (error: unknown) => host.log.error({ error, server: guest.serverId }, words)
  try {
    guest.record = await loadRecord(guest.folder)
  } catch (error) {
    guest.unreadable = true
    complain('the record of a guest cannot be read')(error)
  }
  if (process) await adopt(host, guest, process).catch(complain('a running guest could not be taken up'))
  // Without either, a spawn was cut short before it wrote down what for: all that there is is a folder.
  if (!hasTrace(guest)) await rm(guest.folder, { recursive: true, force: true })
  return guest
}
