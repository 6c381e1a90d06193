/**
 * Looks at image data as it streams by and says what it really is, holding no more than a few MiB of it.
 *
 * Words: a format is *recognised* by its signature; data is *unsafe* when using it would reach for something outside of
 * itself (a backing file, an extent elsewhere) or for features that nobody here knows; a *lie* is safe data that is not of the
 * format that its `disk_format` says. `gpt` stands for any disk with a partition table, MBR included, as in Glance.
 */
import { createTape, type Tape } from './formats/bytes.ts'
import type { Finding } from './formats/finding.ts'
import { findIso, findLuks, findPartitions, findPloop, findQed } from './formats/plain.ts'
import { findQcow2 } from './formats/qcow2.ts'
import { findVhdx, planVhdx } from './formats/vhdx.ts'
import { findVdi, findVhd } from './formats/virtualbox.ts'
import { findVmdk } from './formats/vmdk.ts'

export interface Verdict {
  readonly virtualSize: number | null
  /** Why the data is refused, fit for the caller; unset when it is welcome. */
  readonly refused?: string
}

export interface Declared {
  readonly diskFormat: string
  readonly containerFormat: string
  /** False: only unsafe data is refused, lies are not. */
  readonly mustMatch: boolean
}

export interface Inspector {
  /** The next bytes of the data, in order; they are copied where they are needed. */
  feed(chunk: Uint8Array): void
  /** To be called once all data was fed. */
  verdict(declared: Declared): Verdict
}

export function createInspector(): Inspector {
  const tape = createTape(planVhdx)
  return { feed: tape.feed, verdict: declared => judge(findAll(tape), tape.size(), declared) }
}

const finders = [
  findQcow2,
  findQed,
  findVmdk,
  findVhd,
  findVhdx,
  findVdi,
  findLuks,
  findPloop,
  findIso,
  findPartitions,
] as const

function findAll(tape: Tape): readonly Finding[] {
  return finders.flatMap(find => find(tape) ?? [])
}

/** Formats whose data may be in a file of this `disk_format`. Of those that are not here nothing is known. */
const welcome: Readonly<Record<string, readonly string[]>> = {
  raw: ['gpt', 'luks'],
  ami: ['gpt'],
  ari: ['gpt'],
  aki: ['gpt'],
  gpt: ['gpt'],
  iso: ['iso', 'gpt'],
  qcow2: ['qcow2'],
  vmdk: ['vmdk'],
  vhd: ['vhd'],
  vhdx: ['vhdx'],
  vdi: ['vdi'],
  ploop: ['ploop'],
}
/** Formats that have no signature of their own, so that none needs to be found. */
const unsigned: readonly string[] = ['raw', 'ami', 'ari', 'aki']

/** What is to be done with data in which this was found. Pure. */
export function judge(findings: readonly Finding[], size: number, declared: Declared): Verdict {
  const virtualSize = virtualSizeOf(findings, size, declared)
  const unsafe = findings.find(finding => finding.unsafe !== undefined)
  if (unsafe) return { virtualSize, refused: `Image data is not safe to use: the ${unsafe.format} ${unsafe.unsafe}.` }
  const allowed = welcome[declared.diskFormat]
  // Other containers wrap the disk, so that its signature does not stand at the front.
  if (!declared.mustMatch || declared.containerFormat !== 'bare' || !allowed) return { virtualSize }
  const found = findings.map(finding => finding.format)
  const matches =
    found.every(format => allowed.includes(format)) &&
    (unsigned.includes(declared.diskFormat) || found.includes(declared.diskFormat))
  if (matches) return { virtualSize }
  const content = found.length === 0 ? 'of no known format' : found.join(' and ')
  return {
    virtualSize,
    refused: `Image data does not match disk_format: disk_format is ${declared.diskFormat}, the content is ${content}.`,
  }
}

function virtualSizeOf(findings: readonly Finding[], size: number, { diskFormat, containerFormat }: Declared) {
  if (containerFormat !== 'bare') return null
  const own = findings.find(finding => finding.format === diskFormat)
  if (own?.virtualSize !== undefined) return own.virtualSize
  return unsigned.includes(diskFormat) || diskFormat === 'gpt' || diskFormat === 'iso' ? size : null
}
