/**
 * Control groups: what a guest's process may take from the host in memory, processes and processor time.
 *
 * Both versions are spoken, and what is found is used. In version 1 each controller has a tree of its own, and guests go
 * below the group that Strata itself runs in, so that limits put on Strata hold for its guests too. Version 2 forbids
 * processes in inner groups, so guests go to `strata` at the top of the tree. A machine that grants neither still runs
 * guests: what is missing is said once in the log.
 */
import { mkdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import type { Log } from '@strata/toolkit/log'

export interface Limits {
  readonly memoryMiB: number
  readonly processes: number
  /** Processor time is shared out by weight when there is not enough for all. */
  readonly vcpus: number
}

export interface Cgroups {
  /** The folders of the group `name`. Remember them before `place`: our own group may be another one after a restart. */
  folders(name: string): readonly string[]
  /** Makes the group with its limits and moves the process there. Never throws; what fails is logged once. */
  place(name: string, pid: number, limits: Limits): Promise<void>
  /** Removes groups whose processes have ended. */
  remove(folders: readonly string[]): Promise<void>
}

export interface Hierarchy {
  readonly version: 1 | 2
  /** Version 1: the one controller that this entry is for. */
  readonly controller?: string
  /** The folder below which our groups are made. */
  readonly base: string
}

const controllers = ['memory', 'pids', 'cpu'] as const
const groupFolder = 'strata'

/** The trees that there are, from the text of `/proc/self/mountinfo` and `/proc/self/cgroup`. Pure. */
export function findHierarchies(mountinfo: string, own: string): readonly Hierarchy[] {
  const mounts = mountinfo.split('\n').flatMap(line => {
    const [left, right] = line.split(' - ')
    const [, , , root, point] = left?.split(' ') ?? []
    const [type, , options] = right?.split(' ') ?? []
    return root && point && type && options ? [{ root, point, type, options: options.split(',') }] : []
  })
  const found: Hierarchy[] = []
  for (const controller of controllers) {
    const mount = mounts.find(each => each.type === 'cgroup' && each.options.includes(controller))
    if (!mount) continue
    const path = own.split('\n').find(line => line.split(':')[1]?.split(',').includes(controller))
    // In a container the mount shows only a part of the tree, and our own path may be told from its root.
    const inside = relative(mount.root, path?.split(':').slice(2).join(':') || mount.root)
    found.push({ version: 1, controller, base: join(mount.point, inside.startsWith('..') ? '' : inside) })
  }
  const unified = mounts.find(each => each.type === 'cgroup2')
  if (found.length === 0 && unified) found.push({ version: 2, base: unified.point })
  return found
}

/** The files that hold the limits of a group, by name. Pure. */
export function limitFiles(hierarchy: Hierarchy, limits: Limits): Readonly<Record<string, string>> {
  const bytes = String(limits.memoryMiB * 1024 * 1024)
  const processes = String(limits.processes)
  if (hierarchy.version === 2) {
    return { 'memory.max': bytes, 'pids.max': processes, 'cpu.weight': String(Math.min(10_000, 100 * limits.vcpus)) }
  }
  if (hierarchy.controller === 'memory') return { 'memory.limit_in_bytes': bytes }
  if (hierarchy.controller === 'pids') return { 'pids.max': processes }
  return { 'cpu.shares': String(Math.min(262_144, 1024 * limits.vcpus)) }
}

export async function openCgroups(log: Log): Promise<Cgroups> {
  const read = (path: string) => readFile(path, 'utf8').catch(() => '')
  const hierarchies = findHierarchies(await read('/proc/self/mountinfo'), await read('/proc/self/cgroup'))
  const complaints = new Set<string>()
  const attempt = async (what: string, action: () => Promise<unknown>) => {
    try {
      await action()
    } catch (error) {
      if (complaints.has(what)) return
      complaints.add(what)
      log.warn({ what, reason: (error as Error).message }, 'guests run without this limit')
    }
  }
  const folderOf = (hierarchy: Hierarchy, name: string) => join(hierarchy.base, groupFolder, name)
  if (hierarchies.length === 0) log.warn('no control groups on this machine: guests run without limits')

  return {
    folders: name => hierarchies.map(hierarchy => folderOf(hierarchy, name)),
    async place(name, pid, limits) {
      for (const hierarchy of hierarchies) {
        const folder = folderOf(hierarchy, name)
        await attempt(dirname(folder), () => mkdir(folder, { recursive: true }))
        if (hierarchy.version === 2) {
          for (const inner of [hierarchy.base, dirname(folder)]) {
            for (const controller of controllers) {
              await attempt(`${controller} in ${inner}`, () =>
                writeFile(join(inner, 'cgroup.subtree_control'), `+${controller}`),
              )
            }
          }
        }
        for (const [file, value] of Object.entries(limitFiles(hierarchy, limits))) {
          await attempt(file, () => writeFile(join(folder, file), value))
        }
        await attempt(`cgroup.procs of ${hierarchy.controller ?? 'version 2'}`, () =>
          writeFile(join(folder, 'cgroup.procs'), String(pid)),
        )
      }
    },
    async remove(folders) {
      for (const folder of folders) {
        await removeGroup(folder, log)
        // The shared parent goes with the last guest; until then it is not empty.
        await rmdir(dirname(folder)).catch(() => {})
      }
    },
  }
}

async function removeGroup(folder: string, log: Log): Promise<void> {
  for (let attempts = 0; attempts < 50; attempts++) {
    try {
      return await rmdir(folder)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'ENOENT') return
      if (code !== 'EBUSY') return void log.warn({ folder, error }, 'a control group cannot be removed')
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  }
  log.warn({ folder }, 'a control group is still in use')
}
