/**
 * What every hypervisor driver must do, as tests that run against each of them: `hypervisorContract` is called from the
 * test file of a driver with a way to make a host.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import {
  GuestBuildError,
  type GuestReport,
  type GuestSpec,
  type GuestState,
  type Hypervisor,
} from '../logic/ports/hosts.ts'

export interface ContractHost {
  /** Open, with no guests. */
  readonly hypervisor: Hypervisor
  /** A guest of this host that boots in a moment, prints `bootedText` on its console and heeds its power button. */
  spec(): GuestSpec
  readonly bootedText: string
  /** The hypervisor's process dies without notice and another takes over the host. The old one is not used again. */
  reopen(): Promise<Hypervisor>
  /** The guest powers itself off from within. */
  powerOffFromWithin(serverId: string): Promise<void>
  /** The guest's process dies. */
  crash(serverId: string): Promise<void>
  /** A spec whose guest cannot be built, and what must be said about it. */
  unbuildable(): { readonly spec: GuestSpec; readonly says: RegExp }
  /** Whether the guest has no trace on the host. */
  assertNoTrace(serverId: string): Promise<void>
  end(): Promise<void>
}

/** Waits until `probe` gives a value; fails with `what` after `limitMs`. */
export async function eventually<T>(
  what: string,
  probe: () => Promise<T | undefined | false> | T | undefined | false,
  limitMs = 30_000,
): Promise<T> {
  const deadline = performance.now() + limitMs
  for (;;) {
    const value = await probe()
    if (value !== undefined && value !== false) return value
    if (performance.now() > deadline) assert.fail(`${what}: not within ${limitMs} ms`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

/** Declares the tests. `skip` gives the reason why this machine cannot run them. */
export function hypervisorContract(
  name: string,
  make: () => Promise<ContractHost>,
  skip: string | false = false,
): void {
  describe(`the ${name} hypervisor`, { skip }, () => {
    let host: ContractHost
    let hypervisor: Hypervisor
    before(async () => {
      host = await make()
      hypervisor = host.hypervisor
    })
    after(() => host?.end())

    const stateOf = async (serverId: string): Promise<GuestState | undefined> =>
      (await hypervisor.list()).find(report => report.serverId === serverId)?.state
    const booted = (serverId: string, times = 1) =>
      eventually(
        'the guest boots',
        async () => (await hypervisor.consoleOutput(serverId)).split(host.bootedText).length > times,
      )
    const spawned = async (): Promise<GuestSpec> => {
      const spec = host.spec()
      await hypervisor.spawn(spec)
      await booted(spec.serverId)
      return spec
    }
    const watched = (serverId: string) => {
      const seen: GuestState[] = []
      const listener = (report: GuestReport) => void (report.serverId === serverId && seen.push(report.state))
      return { seen, stop: hypervisor.watch(listener) }
    }

    it('says what the host can do', async () => {
      const capacity = await hypervisor.capacity()
      assert.ok(capacity.vcpus >= 1 && capacity.memoryMiB > 0 && capacity.diskGiB >= capacity.diskFreeGiB)
      assert.ok(capacity.hypervisorVersion >= 1_000_000)
      assert.ok(capacity.traits.includes('COMPUTE_NODE'))
      assert.ok(capacity.traits.every(trait => /^[A-Z][A-Z0-9_]+$/.test(trait)))
    })

    it('takes a guest through its life, each call repeated', async () => {
      const spec = await spawned()
      const { serverId } = spec
      const twice = async (call: () => Promise<void>, state: GuestState) => {
        await call()
        assert.equal(await stateOf(serverId), state)
        await call()
        assert.equal(await stateOf(serverId), state)
      }
      const watch = watched(serverId)
      await twice(() => hypervisor.spawn(spec), 'running')
      await twice(() => hypervisor.pause(serverId), 'paused')
      await twice(() => hypervisor.unpause(serverId), 'running')
      await twice(() => hypervisor.stop(serverId, 30), 'shutdown')
      await twice(() => hypervisor.spawn(spec), 'shutdown')
      await twice(() => hypervisor.start(spec), 'running')
      await booted(serverId, 2)
      await twice(() => hypervisor.stop(serverId, 0), 'shutdown')
      assert.match(await hypervisor.consoleOutput(serverId), new RegExp(host.bootedText))
      await hypervisor.destroy(serverId)
      assert.equal(await stateOf(serverId), undefined)
      await host.assertNoTrace(serverId)
      await hypervisor.destroy(serverId)
      watch.stop()
      assert.deepEqual(watch.seen, [], 'nothing is told about changes that were asked for')
    })

    it('shows the last lines of the console, and nothing for a guest that is not there', async () => {
      const { serverId } = await spawned()
      const all = await hypervisor.consoleOutput(serverId)
      const last = await hypervisor.consoleOutput(serverId, 1)
      assert.ok(all.endsWith(last) && last.trimEnd().split('\n').length === 1)
      assert.equal(await hypervisor.consoleOutput(serverId, 0), '')
      assert.equal(await hypervisor.consoleOutput(randomUUID()), '')
      await hypervisor.destroy(serverId)
    })

    it('reboots softly and hard', async () => {
      const spec = await spawned()
      const watch = watched(spec.serverId)
      await hypervisor.reboot(spec, 'SOFT', 30)
      await booted(spec.serverId, 2)
      await hypervisor.reboot(spec, 'HARD', 30)
      await booted(spec.serverId, 3)
      assert.equal(await stateOf(spec.serverId), 'running')
      watch.stop()
      assert.deepEqual(watch.seen, [])
      await hypervisor.destroy(spec.serverId)
    })

    it('tells of a guest that powers itself off, and starts it again', async () => {
      const spec = await spawned()
      const watch = watched(spec.serverId)
      await host.powerOffFromWithin(spec.serverId)
      await eventually('the watcher is told', () => watch.seen.length > 0)
      watch.stop()
      assert.deepEqual(watch.seen, ['shutdown'])
      assert.equal(await stateOf(spec.serverId), 'shutdown')
      await hypervisor.start(spec)
      await booted(spec.serverId, 2)
      await hypervisor.destroy(spec.serverId)
    })

    it('tells of a guest that crashed, and starts it again', async () => {
      const spec = await spawned()
      const watch = watched(spec.serverId)
      await host.crash(spec.serverId)
      await eventually('the watcher is told', () => watch.seen.length > 0)
      watch.stop()
      assert.deepEqual(watch.seen, ['crashed'])
      assert.equal(await stateOf(spec.serverId), 'crashed')
      await hypervisor.start(spec)
      await booted(spec.serverId, 2)
      await hypervisor.destroy(spec.serverId)
    })

    it('says why a guest cannot be built, and leaves nothing once it is destroyed', async () => {
      const { spec, says } = host.unbuildable()
      await assert.rejects(
        hypervisor.spawn(spec),
        error => error instanceof GuestBuildError && says.test(error.message),
      )
      await hypervisor.destroy(spec.serverId)
      assert.equal(await stateOf(spec.serverId), undefined)
      await host.assertNoTrace(spec.serverId)
    })

    it('makes the calls about one guest follow each other', async () => {
      const spec = host.spec()
      await Promise.all([
        hypervisor.spawn(spec),
        hypervisor.spawn(spec),
        hypervisor.pause(spec.serverId),
        hypervisor.unpause(spec.serverId),
      ])
      assert.equal(await stateOf(spec.serverId), 'running')
      await Promise.all([hypervisor.stop(spec.serverId, 0), hypervisor.start(spec), hypervisor.destroy(spec.serverId)])
      assert.equal(await stateOf(spec.serverId), undefined)
      await host.assertNoTrace(spec.serverId)
    })

    it('does not pause, unpause or start what it does not have, and stops it by doing nothing', async () => {
      const absent = host.spec()
      await assert.rejects(hypervisor.pause(absent.serverId))
      await assert.rejects(hypervisor.unpause(absent.serverId))
      await assert.rejects(hypervisor.start(absent), GuestBuildError)
      await hypervisor.destroy(absent.serverId)
      await hypervisor.stop(absent.serverId, 1)
      assert.equal(await stateOf(absent.serverId), undefined)
      await host.assertNoTrace(absent.serverId)
    })

    it('finds its guests again after its process died', async () => {
      const [on, paused, off] = [await spawned(), await spawned(), await spawned()]
      await hypervisor.pause(paused.serverId)
      await hypervisor.stop(off.serverId, 0)
      hypervisor = await host.reopen()
      assert.equal(await stateOf(on.serverId), 'running')
      assert.equal(await stateOf(paused.serverId), 'paused')
      assert.equal(await stateOf(off.serverId), 'shutdown')
      const watch = watched(on.serverId)
      await hypervisor.unpause(paused.serverId)
      assert.equal(await stateOf(paused.serverId), 'running')
      await hypervisor.start(off)
      await booted(off.serverId, 2)
      await host.powerOffFromWithin(on.serverId)
      await eventually('the watcher is told', () => watch.seen.includes('shutdown'))
      watch.stop()
      for (const { serverId } of [on, paused, off]) {
        await hypervisor.destroy(serverId)
        await host.assertNoTrace(serverId)
      }
    })
  })
}
