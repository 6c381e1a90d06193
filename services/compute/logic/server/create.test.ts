/** A build that fails on one host goes on at another; when there is none, its owner reads the cause. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '@strata/toolkit/log'
import { systemRuntime } from '@strata/toolkit/runtime'
import { createExecutor } from '@strata/toolkit/saga'
import { GuestBuildError, type HostAgent } from '../ports/hosts.ts'
import { createServer } from './create.ts'
import type { ServerDeps } from './deps.ts'
import { hostname, sagaWorld } from './test-world.ts'

/** Builds the world's server, with a second host `full` that is asked first and fails. */
async function buildWith(options: { readonly maxAttempts: number }) {
  const world = await sagaWorld('unbuilt')
  const good = world.deps.agent(hostname)!
  const [host] = await world.deps.hostStates()
  const asked: string[] = []
  const full: HostAgent = {
    ...good,
    hostname: 'full',
    async build() {
      asked.push('full')
      throw new GuestBuildError('There is no space left on the disk.')
    },
    destroy: async () => {},
  }
  const bound: string[] = []
  const deps: ServerDeps = {
    ...world.deps,
    agent: name => (name === 'full' ? full : world.deps.agent(name)),
    // The emptier host comes first.
    hostStates: async () => [
      { ...host!, id: 'provider-full', hostname: 'full' },
      { ...host!, used: { vcpus: 1, memoryMiB: 64, diskGiB: 1 } },
    ],
    placement: { ...world.deps.placement, candidates: async () => ['provider-full', 'provider-1'] },
    networks: { ...world.deps.networks, bindPorts: async (_, to) => void bound.push(to) },
    options: { ...world.deps.options, ...options },
  }
  const executor = createExecutor({
    store: world.store,
    sagas: [createServer],
    deps,
    runtime: systemRuntime,
    log: silentLog,
    owner: 'test',
  })
  const input = {
    serverId: world.subject,
    actionId: world.actionId,
    forcedHost: null,
    nics: [{ networkId: 'n', tag: null }],
  }
  await world.store.transaction((tx, afterCommit) =>
    executor.enqueue(createServer, { tx, afterCommit }, { subject: world.subject, input }),
  )
  await executor.idle()
  return { world, asked, bound }
}

test('the next host builds it, with the claim and the ports moved there', async () => {
  const { world, asked, bound } = await buildWith({ maxAttempts: 3 })
  const server = (await world.server())!
  assert.deepEqual([server.vm_state, server.host, asked, bound], ['active', hostname, ['full'], [hostname]])
  assert.deepEqual([...world.held.values()], ['provider-1'])
  await world.close()
})

test('when attempts are used up the server says why, and holds nothing', async () => {
  const { world } = await buildWith({ maxAttempts: 1 })
  const server = (await world.server())!
  assert.deepEqual([server.vm_state, server.fault?.message], ['error', 'There is no space left on the disk.'])
  assert.deepEqual(await world.holdings(), [])
  await world.close()
})
