/**
 * The whole crash-safety test of a saga, made mechanically from its list of steps. For every step: it fails before and after
 * its effect; it runs twice; the process dies after its effect and after its record, on the way forward and on the way back,
 * and another takes over. Afterwards the world must be clean (when it failed) or finished (when it went through).
 */
import { silentLog } from '../log/index.ts'
import { systemRuntime } from '../runtime/index.ts'
import {
  type AnySaga,
  Crash,
  createExecutor,
  type InputOf,
  type Probe,
  type Saga,
  type SagaStore,
} from '../saga/index.ts'

export interface World<S extends AnySaga> {
  readonly store: SagaStore
  readonly deps: S extends Saga<infer _I, infer _O, infer Deps> ? Deps : never
  readonly subject: string
  readonly input: InputOf<S>
  /** What is left over after an undone saga that should not be; empty when all is clean. */
  residue(): Promise<readonly string[]> | readonly string[]
  /** What is missing after a saga that went through; empty when all is there. */
  missing(): Promise<readonly string[]> | readonly string[]
  close?(): Promise<void> | void
}

type Phase = 'run' | 'undo'
type Point = 'before' | 'after' | 'recorded'

/** Throws an error that tells which rehearsal went wrong and what was left or missing. Returns the number of rehearsals. */
export async function rehearse<S extends AnySaga>(saga: S, fresh: () => Promise<World<S>> | World<S>): Promise<number> {
  let count = 0
  const play = async (title: string, probe: () => Probe, outcome: 'done' | 'undone'): Promise<void> => {
    count++
    const world = await fresh()
    try {
      await drive(saga, world, probe())
      const wrong = outcome === 'done' ? await world.missing() : await world.residue()
      if (wrong.length > 0)
        throw new Error(`${saga.name}: ${title}: ${outcome === 'done' ? 'missing' : 'left over'}: ${wrong.join('; ')}`)
    } finally {
      await world.close?.()
    }
  }
  await play('plain', () => ({}), 'done')
  for (const { name } of saga.steps) {
    for (const point of ['after', 'recorded'] as const)
      await play(`the process dies at ${name} (${point})`, () => once(name, 'run', point, 'crash'), 'done')
    if (saga.direction === 'forward') {
      for (const point of ['before', 'after'] as const)
        await play(`${name} fails once (${point})`, () => once(name, 'run', point, 'fail'), 'done')
      continue
    }
    for (const point of ['before', 'after'] as const)
      await play(`${name} fails (${point})`, () => once(name, 'run', point, 'fail'), 'undone')
    for (const { name: victim } of saga.steps.slice(0, saga.steps.findIndex(step => step.name === name) + 1))
      for (const point of ['before', 'after', 'recorded'] as const) {
        await play(
          `${name} fails, then the process dies at the undo of ${victim} (${point})`,
          () => both(once(name, 'run', 'after', 'fail'), once(victim, 'undo', point, 'crash')),
          'undone',
        )
        if (point !== 'recorded')
          await play(
            `${name} fails, then the undo of ${victim} fails once (${point})`,
            () => both(once(name, 'run', 'after', 'fail'), once(victim, 'undo', point, 'fail')),
            'undone',
          )
      }
  }
  return count
}

/** Runs the saga to its end, with a new executor after each crash. */
async function drive<S extends AnySaga>(saga: S, world: World<S>, probe: Probe): Promise<void> {
  const make = () =>
    createExecutor({
      store: world.store,
      sagas: [saga],
      deps: world.deps,
      runtime: hasty,
      log: silentLog,
      owner: 'rehearsal',
      lease: 60_000,
      probe,
    })
  let executor = make()
  await world.store.transaction((tx, afterCommit) =>
    executor.enqueue(saga, { tx, afterCommit }, { subject: world.subject, input: world.input }),
  )
  for (let lives = 0; lives < 20; lives++) {
    await executor.idle()
    if ((await executor.unfinished()).length === 0) return
    executor = make()
    await executor.start()
  }
  throw new Error(`${saga.name}: was not finished after 20 lives`)
}

/** Pauses between repetitions take no time in a rehearsal. */
const hasty = { ...systemRuntime, sleep: (_ms: number, signal?: AbortSignal) => systemRuntime.sleep(0, signal) }

function once(step: string, phase: Phase, point: Point, what: 'crash' | 'fail'): Probe {
  let armed = true
  const strike = (at: Point) => (_saga: string, name: string, when: Phase) => {
    if (!armed || at !== point || name !== step || when !== phase) return
    armed = false
    throw what === 'crash' ? new Crash('rehearsed') : new Error(`rehearsed failure of ${step}`)
  }
  return { before: strike('before'), after: strike('after'), recorded: strike('recorded') }
}

function both(a: Probe, b: Probe): Probe {
  const join =
    (point: Point) =>
    async (...args: [string, string, Phase]) => {
      await a[point]?.(...args)
      await b[point]?.(...args)
    }
  return { before: join('before'), after: join('after'), recorded: join('recorded') }
}
