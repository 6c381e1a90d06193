/**
 * What the driver remembers of a guest, in `guest.json` of the guest's folder: enough to say what it is and to manage its
 * process after any crash of ours. Written beside and renamed, so that it is always whole.
 */
import { open, readdir, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { GuestSpec } from '../../logic/ports/hosts.ts'
import type { Slots } from './addresses.ts'

/** The files of the config drive are left out: the drive itself is kept, and they may hold secrets. */
export type KeptSpec = Omit<GuestSpec, 'configDrive'>

export interface GuestRecord {
  readonly version: 1
  readonly spec: KeptSpec
  readonly slots: Slots
  readonly hasConfigDrive: boolean
  /** Whether the guest has ever run: a spawn that is repeated after that has nothing to do. */
  readonly spawned: boolean
  /** `on`: there should be a process, so that its absence is a crash. `off`: it was stopped or powered itself off. */
  readonly power: 'on' | 'off'
  /** Every control group that was made for it. */
  readonly cgroups: readonly string[]
}

const recordFile = 'guest.json'
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** Ids become names of folders: nothing but a UUID may. Throws for anything else. */
export function checkServerId(serverId: string): void {
  if (!uuid.test(serverId)) throw new Error(`"${serverId.slice(0, 64)}" is not the id of a server`)
}

/** The ids of all guests that have a folder here. */
export async function guestIds(instances: string): Promise<readonly string[]> {
  const entries = await readdir(instances, { withFileTypes: true })
  return entries.filter(entry => entry.isDirectory() && uuid.test(entry.name)).map(entry => entry.name)
}

/** The record in this folder; undefined when a crash came before the first one was written, or there is no folder. */
export async function loadRecord(folder: string): Promise<GuestRecord | undefined> {
  const text = await readFile(join(folder, recordFile), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  const record = JSON.parse(text) as GuestRecord
  if (record.version !== 1)
    throw new Error(`${join(folder, recordFile)} is of version ${record.version}, which is not known here`)
  return record
}

export async function saveRecord(folder: string, record: GuestRecord): Promise<void> {
  const unfinished = join(folder, `${recordFile}.new`)
  const file = await open(unfinished, 'w', 0o600)
  try {
    await file.writeFile(`${JSON.stringify(record, null, 1)}\n`)
    await file.datasync()
  } finally {
    await file.close()
  }
  await rename(unfinished, join(folder, recordFile))
}

export function keptSpec(spec: GuestSpec): KeptSpec {
  const { configDrive: _, ...kept } = spec
  return kept
}
