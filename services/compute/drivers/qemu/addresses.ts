/**
 * Where each device of a guest sits on its PCI bus. Pure.
 *
 * A *slot* is a device number (0 to 31) on the guest's bus. Each kind of device has slots of its own, and a disk or card
 * keeps its slot from the day it is attached until it is detached, so that a guest finds `ens6` as `ens6` again after
 * cards were added, removed, or the machine was started anew. The map is drawn in the README.
 */
import { GuestBuildError, type GuestDisk, type GuestSpec } from '../../logic/ports/hosts.ts'

export const fixedSlots = { vga: 0x02, rng: 0x03, balloon: 0x04, scsi: 0x05 } as const
const nicSlots = range(0x06, 0x0d)
const diskSlots = range(0x0e, 0x1f)
/** Disks on the SCSI controller have targets there and IDE disks units of their buses. */
const scsiTargets = range(0, 63)

/**
 * Slots by `nic:<port id>` and `<bus>:<name of the disk>`: a disk that changes its bus gets a new one. On `scsi` the number
 * is the disk's target, on `ide` its unit.
 */
export type Slots = Readonly<Record<string, number>>

export const nicKey = (portId: string) => `nic:${portId}`
export const diskKey = (disk: Pick<GuestDisk, 'name' | 'bus'>) => `${disk.bus}:${disk.name}`

/**
 * The slots of all disks and cards of `spec`: those in `previous` stay, new ones get the lowest free slot of their kind,
 * in the order of the spec. Throws `GuestBuildError` when a kind has no slot left.
 */
export function assignSlots(spec: Pick<GuestSpec, 'disks' | 'nics'>, previous: Slots, ideUnits: number): Slots {
  const byBus = { virtio: diskSlots, scsi: scsiTargets, ide: range(0, ideUnits - 1) }
  const slots: Record<string, number> = {}
  const place = (kind: string, wanted: readonly string[], pool: readonly number[]) => {
    const used = new Set<number>()
    for (const key of wanted) {
      const kept = previous[key]
      if (kept === undefined || !pool.includes(kept) || used.has(kept)) continue
      slots[key] = kept
      used.add(kept)
    }
    for (const key of wanted) {
      if (slots[key] !== undefined) continue
      const free = pool.find(slot => !used.has(slot))
      if (free === undefined)
        throw new GuestBuildError(`A guest has room for ${pool.length} ${kind}; ${wanted.length} were asked for.`)
      slots[key] = free
      used.add(free)
    }
  }
  place(
    'network cards',
    spec.nics.map(nic => nicKey(nic.portId)),
    nicSlots,
  )
  for (const bus of ['virtio', 'scsi', 'ide'] as const) {
    place(`${bus} disks`, spec.disks.filter(disk => disk.bus === bus).map(diskKey), byBus[bus])
  }
  return slots
}

/** All slots that a disk or a card can be plugged into, for machines that need a port made for each beforehand. */
export const pluggableSlots: readonly number[] = [...nicSlots, ...diskSlots]

function range(first: number, last: number): number[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i)
}
