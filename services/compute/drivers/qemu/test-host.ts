/** For tests: a host in a folder of its own, with specs of guests that boot in a moment. */
import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { type Log, silentLog } from '@strata/toolkit/log'
import { systemRuntime } from '@strata/toolkit/runtime'
import type { GuestDisk, GuestSpec } from '../../logic/ports/hosts.ts'
import { openCgroups } from './cgroups.ts'
import { createQemuHypervisor, type QemuHypervisor } from './hypervisor.ts'
import { createImageCache } from './image-cache.ts'
import { findProcesses } from './process.ts'
import { connectUnix } from './qmp.ts'
import { run } from './run.ts'
import { testGuestDisk } from './test-guest.ts'

/** Why QEMU cannot be tested here; false when it can. */
export const noQemu: string | false = await run('qemu-system-x86_64', ['--version']).then(
  () => false,
  () => 'there is no qemu-system-x86_64 on this machine',
)

export interface TestHost {
  readonly folder: string
  hypervisor: QemuHypervisor
  readonly image: { readonly id: string; readonly path: string }
  guestFolder(serverId: string): string
  spec(change?: Partial<GuestSpec>): GuestSpec
  rootDisk(change?: Partial<GuestDisk>): GuestDisk
  reopen(): Promise<QemuHypervisor>
  pidOf(serverId: string): number
  /** Types on the guest's serial console. */
  type(serverId: string, text: string): Promise<void>
  assertNoTrace(serverId: string): Promise<void>
  end(): Promise<void>
}

export async function makeTestHost(options: { consoleLimitBytes?: number; log?: Log } = {}): Promise<TestHost> {
  // The guests' user has no way into this folder by its path, as it has none into /root: it must not need one.
  const folder = join(mkdtempSync(join(tmpdir(), 'strata-qemu-')), 'compute')
  const create = () => createQemuHypervisor({ folder, log: silentLog, acceleration: 'tcg', ...options })
  const hypervisor = create()
  await hypervisor.open()
  const images = createImageCache({
    folder: join(folder, 'images'),
    runtime: systemRuntime,
    user: () => hypervisor.user,
    inUse: async () => new Set(),
  })
  const content = testGuestDisk()
  const id = randomUUID()
  const hashValue = createHash('sha512').update(content).digest('hex')
  const { path } = await images.ensure(
    { id, diskFormat: 'raw', sizeBytes: content.length, hashAlgorithm: 'sha512', hashValue },
    async () => {
      return (async function* () {
        yield content
      })()
    },
  )
  const cgroups = await openCgroups(silentLog)

  const host: TestHost = {
    folder,
    hypervisor,
    image: { id, path },
    guestFolder: serverId => join(folder, 'instances', serverId),
    rootDisk: (change = {}) => ({
      name: 'root',
      source: { kind: 'image', imageId: id, path, format: 'raw' },
      sizeGiB: 0,
      bus: 'virtio',
      bootIndex: 0,
      ...change,
    }),
    spec: (change = {}) => ({
      serverId: randomUUID(),
      instanceName: 'instance-00000001',
      hostname: 'vm1',
      projectId: randomUUID(),
      userId: randomUUID(),
      vcpus: 1,
      memoryMiB: 32,
      disks: [host.rootDisk()],
      nics: [],
      properties: {},
      ...change,
    }),
    async reopen() {
      await host.hypervisor.close()
      host.hypervisor = create()
      await host.hypervisor.open()
      return host.hypervisor
    },
    pidOf: serverId => Number(readFileSync(join(host.guestFolder(serverId), 'qemu.pid'), 'utf8').split(' ')[0]),
    async type(serverId, text) {
      const path = join(host.guestFolder(serverId), 'run/console.sock')
      // QEMU serves one client at a time and keeps a queue of one: while it is busy, the kernel answers EAGAIN.
      for (let attempts = 0; ; attempts++) {
        const failure = await typeOnce(path, text)
        if (!failure) return
        if (failure.code !== 'EAGAIN' || attempts === 100) throw failure
        await setTimeout(50)
      }
    },
    async assertNoTrace(serverId) {
      assert.ok(!(await findProcesses(host.hypervisor.user.uid)).has(serverId), 'no process')
      assert.ok(!existsSync(host.guestFolder(serverId)), 'no files')
      for (const group of cgroups.folders(serverId)) assert.ok(!existsSync(group), 'no control group')
    },
    async end() {
      for (const { serverId } of await host.hypervisor.list()) await host.hypervisor.destroy(serverId)
      await host.hypervisor.close()
      rmSync(join(folder, '..'), { recursive: true })
    },
  }
  return host
}

const typeOnce = (path: string, text: string): Promise<NodeJS.ErrnoException | undefined> =>
  new Promise(resolve => {
    const socket = connectUnix(path)
    socket.once('error', resolve).once('connect', () => socket.end(text, () => resolve(undefined)))
    socket.resume()
  })
