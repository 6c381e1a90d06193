/** Every saga of servers, rehearsed: failing, repeated and cut off at each step, it leaves nothing over and nothing undone. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rehearse } from '@strata/toolkit/rehearsal'
import { uuidFromName } from '@strata/toolkit/runtime'
import { statusOf } from '../../contract/states.ts'
import { createServer } from './create.ts'
import { deleteServer } from './delete.ts'
import { serverSagas } from './index.ts'
import { attachInterface, detachInterface } from './interfaces.ts'
import { hardRebootServer, pauseServer, softRebootServer, startServer, stopServer, unpauseServer } from './power.ts'
import { rebuildServer } from './rebuild.ts'
import { sagaWorld } from './test-world.ts'

const rehearsed = new Set<string>()

type Start = Parameters<typeof sagaWorld>[0]
type World = Awaited<ReturnType<typeof sagaWorld>>

type Outcome = readonly [status: string, holdings: readonly string[]]

interface Case {
  readonly from: Start
  readonly input?: (world: World) => object
  /** Status and holdings when it went through. */
  readonly done: Outcome
  /**
   * What it may be when it was undone: a step that failed may or may not have reached the guest, which the power
   * reconciler then takes over. Forward sagas are never undone.
   */
  readonly undone?: readonly Outcome[]
}

/** What the world is, to be compared with an outcome. */
async function outcomeOf(world: World): Promise<Outcome> {
  const server = await world.server()
  const status = server
    ? `${statusOf(server.vm_state, server.task_state)}${server.task_state ? ` (${server.task_state})` : ''}`
    : 'gone'
  return [status, (await world.holdings()).map(text => text.replace(/^interface .*/, 'interface')).sort()]
}

const same = (a: Outcome, b: Outcome): boolean =>
  a[0] === b[0] && JSON.stringify(a[1]) === JSON.stringify([...b[1]].sort())

async function play(saga: (typeof serverSagas)[number], { from, input, done, undone = [] }: Case): Promise<void> {
  rehearsed.add(saga.name)
  const count = await rehearse(saga, async () => {
    const world = await sagaWorld(from)
    const judge = async (allowed: readonly Outcome[]): Promise<string[]> => {
      const outcome = await outcomeOf(world)
      const complaints = allowed.some(one => same(outcome, one))
        ? []
        : [`it is ${JSON.stringify(outcome)}, not ${JSON.stringify(allowed)}`]
      const action = await world.store.db.selectFrom('instance_actions').select('events').executeTakeFirstOrThrow()
      return action.events === '[]' ? [...complaints, 'the action was not finished'] : complaints
    }
    return {
      store: world.store,
      deps: world.deps,
      subject: world.subject,
      input: { serverId: world.subject, actionId: world.actionId, ...input?.(world) } as never,
      missing: () => judge([done]),
      residue: () => judge(undone),
      close: world.close,
    }
  })
  assert.ok(count > 3)
}

const running = ['guest running', 'interface', 'port', 'allocation']
const stopped = ['guest shutdown', 'interface', 'port', 'allocation']
const paused = ['guest paused', 'interface', 'port', 'allocation']
const given = uuidFromName('given')
const build = { forcedHost: null }
const ownNic = { networkId: 'n', tag: null }
const givenNic = { portId: given, tag: null }

/** A verb that changes the guest's power: undone, the server is as before and its guest either way. */
const power = (saga: (typeof serverSagas)[number], from: Start, done: Outcome, before: Outcome) =>
  play(saga, { from, done, undone: [before, [before[0], done[1]], done] })

test('create, with a port of its own', () =>
  play(createServer, {
    from: 'unbuilt',
    input: () => ({ ...build, nics: [ownNic] }),
    done: ['ACTIVE', running],
    undone: [['ERROR', []]],
  }))
test('create, with a port that was given', () =>
  play(createServer, {
    from: 'unbuilt',
    input: () => ({ ...build, nics: [givenNic] }),
    done: ['ACTIVE', ['guest running', 'interface', 'claimed port', 'allocation']],
    undone: [['ERROR', []]],
  }))
test('delete', () => play(deleteServer, { from: 'active', done: ['gone', []] }))
test('delete of a server that was never built', () => play(deleteServer, { from: 'unbuilt', done: ['gone', []] }))
test('stop', () => power(stopServer, 'active', ['SHUTOFF', stopped], ['ACTIVE', running]))
test('start', () => power(startServer, 'stopped', ['ACTIVE', running], ['SHUTOFF', stopped]))
test('reboot, soft', () => power(softRebootServer, 'active', ['ACTIVE', running], ['ACTIVE', running]))
test('reboot, hard', () => power(hardRebootServer, 'active', ['ACTIVE', running], ['ACTIVE', running]))
test('pause', () => power(pauseServer, 'active', ['PAUSED', paused], ['ACTIVE', running]))
test('unpause', () => power(unpauseServer, 'paused', ['ACTIVE', running], ['PAUSED', paused]))
test('rebuild', () =>
  play(rebuildServer, {
    from: 'active',
    input: () => ({ stopAfterwards: false }),
    done: ['ACTIVE', running],
    undone: [
      ['ERROR', ['port', 'allocation']],
      ['ERROR', running],
    ],
  }))
test('attaching an interface', () =>
  play(attachInterface, {
    from: 'active',
    input: () => ({ nic: ownNic }),
    done: ['ACTIVE', [...running, 'interface', 'port']],
    undone: [['ACTIVE', running]],
  }))
test('attaching a port that was given', () =>
  play(attachInterface, {
    from: 'active',
    input: () => ({ nic: givenNic }),
    done: ['ACTIVE', [...running, 'interface', 'claimed port']],
    undone: [['ACTIVE', running]],
  }))
test('detaching an interface', () =>
  play(detachInterface, {
    from: 'active',
    input: ({ ports }) => ({ portId: [...ports.values()].find(port => !port.given)?.id }),
    done: ['ACTIVE', ['guest running', 'allocation']],
  }))

test('every saga of servers is rehearsed', () => {
  assert.deepEqual(
    serverSagas.map(saga => saga.name).filter(name => !rehearsed.has(name)),
    [],
  )
})
