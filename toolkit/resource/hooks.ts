/** What a service adds to the derived verbs of a resource: hooks, and what all its resources share. */
import type { Transaction } from 'kysely'
import type { RequestContext } from '../context/index.ts'
import type { Dialect } from '../dialect/index.ts'
import type { Fault } from '../fault/index.ts'
import type { Runtime } from '../runtime/index.ts'
import type { Create, Fields, Row, Update } from '../schema/index.ts'
import type { ApiRequest } from '../service/index.ts'
import type { AfterCommit, Store } from '../store/index.ts'
import type { Condition } from './repository.ts'
import type { Resource, Verb } from './resource.ts'

// biome-ignore lint/suspicious/noExplicitAny: a derived verb works on whatever tables the service has
export type AnyStore = Store<any>
// biome-ignore lint/suspicious/noExplicitAny: as above
type AnyTransaction = Transaction<any>

/** What a hook of a changing verb is given. All queries go through `tx`. */
export interface ChangeScene {
  readonly tx: AnyTransaction
  readonly request: ApiRequest
  readonly context: RequestContext
  readonly afterCommit: AfterCommit
  /** What the caller sent of this resource, without defaults: tells a null from a silence. Empty on delete. */
  readonly given: Readonly<Record<string, unknown>>
}

export interface Hooks<F extends Fields> {
  /** Verbs that tell anyone that a row is missing. Of others only those whom the rule lets pass learn it. */
  readonly tellsMissing?: readonly Verb[]
  /** Conditions that limit lists and look-ups to what the caller may know of. Without it: see `defaultRestriction`. */
  restrict?(context: RequestContext, verb: Verb): readonly Condition[] | undefined
  /** Filters that are not plain fields: name of the parameter → conditions for its values. */
  readonly filters?: Readonly<Record<string, (values: readonly string[], context: RequestContext) => Condition>>
  /** Adds computed fields, for all rows of an answer at once (one query a page, not one a row). */
  decorate?(
    rows: readonly Row<F>[],
    request: ApiRequest,
    db: AnyStore['db'],
  ): Promise<readonly object[]> | readonly object[]
  /** Target of the policy rules; the row (or the body, on create) unless given. It may look up related rows in `db`. */
  target?(
    values: Readonly<Record<string, unknown>>,
    context: RequestContext,
    db: AnyStore['db'],
  ): Promise<Readonly<Record<string, unknown>>> | Readonly<Record<string, unknown>>
  /** The 404 for an id, where the dialect's own words don't fit. */
  missing?(id: string): Fault
  /** Checks the body and completes the row. What it returns wins over the body. */
  beforeCreate?(body: Create<F>, scene: ChangeScene): Promise<Partial<Row<F>>> | Partial<Row<F>>
  afterCreate?(row: Row<F>, scene: ChangeScene): Promise<void> | void
  /** What it returns wins over the body. */
  beforeUpdate?(row: Row<F>, body: Update<F>, scene: ChangeScene): Promise<Partial<Row<F>>> | Partial<Row<F>>
  afterUpdate?(row: Row<F>, before: Row<F>, scene: ChangeScene): Promise<void> | void
  beforeDelete?(row: Row<F>, scene: ChangeScene): Promise<void> | void
  afterDelete?(row: Row<F>, scene: ChangeScene): Promise<void> | void
}

/** A row that was made, changed or removed, in the transaction in which it was. */
export interface RowChange {
  readonly verb: 'create' | 'update' | 'delete'
  readonly resource: Resource
  /** As it is now; as it was, when it was removed. */
  readonly row: Readonly<Record<string, unknown>>
  /** As it was, of an update. */
  readonly before?: Readonly<Record<string, unknown>>
  readonly scene: ChangeScene
}

export interface DeriveOptions<F extends Fields> {
  readonly store: AnyStore
  readonly dialect: Dialect
  readonly runtime: Runtime
  readonly hooks?: Hooks<F>
  /** Hears of each change, after the hooks and in their transaction: for what is the same for all resources. */
  readonly changed?: (change: RowChange) => Promise<void>
  /** All that have a policy rule, unless given. */
  readonly verbs?: readonly Verb[]
  /** A new id for a row; a hyphenated UUID unless given (Keystone's have no hyphens). */
  readonly newId?: (uuid: string) => string
  /** Rows of a page when the caller asks for none, or for more. */
  readonly maxLimit?: number
}
