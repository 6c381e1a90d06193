/** Servers of one group that are placed at the same moment: none of them is in the others' picture of the hosts. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findServer, insertServer, updateServer } from '../../store/servers.ts'
import type { ServerDeps } from './deps.ts'
import { NoValidHost, place } from './placing.ts'
import { hostname, sagaWorld } from './test-world.ts'

const group = '0f1e2d3c-0000-4000-8000-0000000000aa'
const other = '0f1e2d3c-0000-4000-8000-000000000002'
const limits = { forcedHost: null, excludedHosts: [] }

/** A server of the group to be placed, and one that went to `hostname` after the hosts had been looked at. */
async function overtaken(policy: string, hosts: readonly string[]) {
  const world = await sagaWorld('unbuilt')
  const { seq: _, ...mine } = (await world.server())!
  await updateServer(world.store.db, mine.id, mine.updated_at, { server_group_id: group })
  await insertServer(world.store.db, { ...mine, id: other, host: hostname, server_group_id: group })
  const [host] = await world.deps.hostStates()
  const deps: ServerDeps = {
    ...world.deps,
    group: async () => ({ policy }),
    hostStates: async () => hosts.map(name => ({ ...host!, id: `provider-${name}`, hostname: name })),
    placement: { ...world.deps.placement, candidates: async () => hosts.map(name => `provider-${name}`) },
  }
  return { world, placed: place(deps, (await findServer(world.store.db, mine.id))!, limits) }
}

for (const [policy, expected] of [
  ['anti-affinity', 'host-2'],
  ['affinity', hostname],
] as const)
  test(`${policy} holds also then`, async () => {
    const { world, placed } = await overtaken(policy, ['host-2', hostname])
    assert.equal((await placed).hostname, expected)
    assert.equal((await world.server())!.host, expected)
    assert.deepEqual([...world.held.values()], [`provider-${expected}`])
    await world.close()
  })

test('when no host is left it says so, and claims nothing', async () => {
  const { world, placed } = await overtaken('anti-affinity', [hostname])
  await assert.rejects(placed, (thrown: unknown) => {
    assert.ok(thrown instanceof NoValidHost)
    assert.match(
      thrown.message,
      /^No valid host was found\. Of 1 host, its server group, built meanwhile, turned 1 away\.$/,
    )
    return true
  })
  assert.deepEqual([(await world.server())!.host, [...world.held]], [null, []])
  await world.close()
})
