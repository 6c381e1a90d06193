import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { hoursIn, type UsedServer, usageByProject } from './usage.ts'

const hour = 3_600_000

test('hours count inside of the period only', () => {
  const period = { start: 10 * hour, end: 20 * hour }
  assert.equal(hoursIn(0, period), 10)
  assert.equal(hoursIn(15 * hour, period), 5)
  assert.equal(hoursIn(25 * hour, period), 0)
})

const server: fc.Arbitrary<UsedServer> = fc.record({
  id: fc.uuid(),
  name: fc.string(),
  projectId: fc.constantFrom('a', 'b', 'c'),
  state: fc.constant('active'),
  flavor: fc.record({ name: fc.string(), vcpus: fc.nat(64), ram: fc.nat(4096), disk: fc.nat(100) }),
  launchedAt: fc.nat(100 * hour),
})

test('two periods that meet add up to one', () => {
  fc.assert(
    fc.property(fc.array(server), fc.nat(100 * hour), fc.nat(100 * hour), (servers, one, other) => {
      const [middle, end] = one < other ? [one, other] : [other, one]
      const vcpus = (start: number, stop: number) =>
        usageByProject(servers, { start, end: stop }).reduce((sum, project) => sum + project.vcpus, 0)
      assert.ok(Math.abs(vcpus(0, middle) + vcpus(middle, end) - vcpus(0, end)) < 1e-6)
    }),
  )
})

test('every server is counted once, under its project', () => {
  fc.assert(
    fc.property(fc.array(server), servers => {
      const usages = usageByProject(servers, { start: 0, end: hour })
      assert.equal(usages.flatMap(project => project.servers).length, servers.length)
      for (const { projectId, servers: own } of usages)
        assert.ok(own.every(({ server: one }) => one.projectId === projectId))
    }),
  )
})
