/** Declaring sagas: see README.md for the words and rules. */

/** What a step is given. `prior` has the outputs of the steps before it, by their names. */
export interface StepScene<Input, Prior, Deps> {
  readonly input: Input
  readonly prior: Prior
  readonly deps: Deps
  /** The same for every repetition of this step of this saga: `<saga id>:<step>`. */
  readonly key: string
  /** Aborted when the saga is cancelled or the executor stops. */
  readonly signal: AbortSignal
}

/** Why a saga turned to its undo. */
export interface Failure {
  readonly step: string
  readonly message: string
  readonly cancelled: boolean
  /** What else the error carried for the resource's owner or for operators, if it had `details`. */
  readonly details?: unknown
}

export interface UndoScene<Input, Prior, Deps> extends StepScene<Input, Partial<Prior>, Deps> {
  readonly failure: Failure
}

export interface StepBody<Input, Prior, Out, Deps> {
  run(scene: StepScene<Input, Prior, Deps>): Promise<Out> | Out
  /** Takes back what `run` did, or may have done: it is called for a step that failed half way, too. */
  undo?(scene: UndoScene<Input, Prior, Deps>): Promise<void> | void
}

// Inside the list the types of the outputs are forgotten; `step` made sure that they fit.
// biome-ignore lint/suspicious/noExplicitAny: see above
export type AnyStep<Deps> = StepBody<any, any, unknown, Deps> & { readonly name: string }

export interface Saga<Input, Outputs, Deps> {
  readonly name: string
  readonly direction: 'undo' | 'forward'
  readonly steps: readonly AnyStep<Deps>[]
  step<const Name extends string, Out>(
    name: Name,
    body: StepBody<Input, Outputs, Out, Deps>,
  ): Saga<Input, Outputs & { readonly [K in Name]: Out }, Deps>
  /** Carries the types; never present. */
  readonly _types?: { readonly input: Input; readonly outputs: Outputs }
}

// biome-ignore lint/suspicious/noExplicitAny: a saga of whatever types
export type AnySaga = Saga<any, any, any>
export type InputOf<S> = S extends Saga<infer Input, infer _O, infer _D> ? Input : never

/**
 * An empty saga, to which `.step` adds. `forward` ones never turn back: a failing step is repeated until it succeeds.
 * Outputs and input must survive JSON.
 */
export function saga<Input, Deps>(name: string, direction: 'undo' | 'forward' = 'undo'): Saga<Input, object, Deps> {
  return build<Input, object, Deps>(name, direction, [])
}

function build<Input, Outputs, Deps>(
  name: string,
  direction: 'undo' | 'forward',
  steps: readonly AnyStep<Deps>[],
): Saga<Input, Outputs, Deps> {
  return {
    name,
    direction,
    steps,
    step(stepName, body) {
      if (steps.some(step => step.name === stepName)) throw new Error(`saga ${name} has two steps named ${stepName}`)
      return build(name, direction, [...steps, { ...body, name: stepName }])
    },
  }
}

/** True for errors that pass by themselves: thrown by the sdk when a service does not answer, and by drivers likewise. */
export function isTransient(thrown: unknown): boolean {
  return thrown instanceof Error && (thrown as Error & { transient?: unknown }).transient === true
}
