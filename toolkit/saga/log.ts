/** The table of unfinished sagas, in the service's own database: `sagasMigration` makes it, a `SagaLog` reads and writes it. */
import type { Kysely, Transaction } from 'kysely'
import type { Migration, Store } from '../store/index.ts'
import type { Failure } from './saga.ts'

export interface SagaRow {
  readonly id: string
  readonly name: string
  readonly subject: string
  /** Order of sagas about one subject. */
  readonly seq: number
  readonly input: unknown
  readonly outputs: Readonly<Record<string, unknown>>
  readonly state: 'running' | 'undoing'
  readonly failure: Failure | null
  readonly cancelled: boolean
  readonly owner: string
  readonly epoch: number
  readonly leaseUntil: number
}

interface SagasTable {
  id: string
  name: string
  subject: string
  seq: number
  input: string
  outputs: string
  state: string
  failure: string | null
  cancelled: number
  owner: string
  epoch: number
  lease_until: number
}

export interface SagaTables {
  sagas: SagasTable
}

export const sagasMigration: Migration = {
  name: '0000-sagas',
  async up(db) {
    await db.schema
      .createTable('sagas')
      .addColumn('id', 'varchar(36)', c => c.primaryKey())
      .addColumn('name', 'varchar(64)', c => c.notNull())
      .addColumn('subject', 'varchar(64)', c => c.notNull())
      .addColumn('seq', 'bigint', c => c.notNull())
      .addColumn('input', 'text', c => c.notNull())
      .addColumn('outputs', 'text', c => c.notNull())
      .addColumn('state', 'varchar(16)', c => c.notNull())
      .addColumn('failure', 'text')
      .addColumn('cancelled', 'integer', c => c.notNull())
      .addColumn('owner', 'varchar(64)', c => c.notNull())
      .addColumn('epoch', 'integer', c => c.notNull())
      .addColumn('lease_until', 'bigint', c => c.notNull())
      .execute()
    await db.schema.createIndex('sagas_subject').on('sagas').columns(['subject', 'seq']).execute()
    await db.schema.createIndex('sagas_lease').on('sagas').column('lease_until').execute()
  },
}

// biome-ignore lint/suspicious/noExplicitAny: a service's store has more tables than this module knows
export type SagaStore = Store<any>
// biome-ignore lint/suspicious/noExplicitAny: as above
type SagaTransaction = Transaction<any>

export interface SagaLog {
  insert(tx: SagaTransaction, row: Pick<SagaRow, 'id' | 'name' | 'subject' | 'input'>): Promise<void>
  /** Marks the unfinished sagas about a subject as cancelled. Returns their ids. */
  cancel(tx: SagaTransaction, subject: string, except: string): Promise<readonly string[]>
  /** Ids of sagas that nobody holds (their lease is over) and that are first of their subject. */
  due(now: number, limit: number): Promise<readonly string[]>
  /** Takes the lease, with a new epoch; undefined when the saga is gone, held, or not first of its subject. */
  claim(id: string, owner: string, now: number, leaseUntil: number): Promise<SagaRow | undefined>
  /** Frees what a dead predecessor of this name still holds. */
  release(owner: string): Promise<void>
  /** Each returns false when the lease was lost: whoever has it now goes on. */
  renew(row: SagaRow, leaseUntil: number): Promise<boolean>
  write(row: SagaRow, change: Partial<Pick<SagaRow, 'outputs' | 'state' | 'failure' | 'leaseUntil'>>): Promise<boolean>
  finish(row: SagaRow): Promise<boolean>
  isCancelled(id: string): Promise<boolean>
  /** The next one about the subject, once the first is finished. */
  nextOf(subject: string): Promise<string | undefined>
  all(): Promise<readonly SagaRow[]>
}

export function sagaLog(store: SagaStore): SagaLog {
  const db = store.db as Kysely<SagaTables>
  const held = (row: SagaRow) => db.updateTable('sagas').where('id', '=', row.id).where('epoch', '=', row.epoch)
  const first = (subject: string) =>
    db.selectFrom('sagas').select('id').where('subject', '=', subject).orderBy('seq').limit(1).executeTakeFirst()
  return {
    async insert(tx, { id, name, subject, input }) {
      const last = await tx
        .selectFrom('sagas')
        .select('seq')
        .where('subject', '=', subject)
        .orderBy('seq', 'desc')
        .limit(1)
        .executeTakeFirst()
      await tx
        .insertInto('sagas')
        .values({
          id,
          name,
          subject,
          seq: Number(last?.seq ?? 0) + 1,
          input: JSON.stringify(input),
          outputs: '{}',
          state: 'running',
          failure: null,
          cancelled: 0,
          owner: '',
          epoch: 0,
          lease_until: 0,
        })
        .execute()
    },
    async cancel(tx, subject, except) {
      const rows = await tx
        .selectFrom('sagas')
        .select('id')
        .where('subject', '=', subject)
        .where('id', '!=', except)
        .execute()
      if (rows.length > 0)
        await tx
          .updateTable('sagas')
          .set({ cancelled: 1 })
          .where('subject', '=', subject)
          .where('id', '!=', except)
          .execute()
      return rows.map(row => row.id)
    },
    async due(now, limit) {
      const rows = await db
        .selectFrom('sagas as s')
        .select('s.id')
        .where('s.lease_until', '<=', now)
        .where(eb =>
          eb.not(
            eb.exists(
              eb
                .selectFrom('sagas as o')
                .select('o.id')
                .whereRef('o.subject', '=', 's.subject')
                .whereRef('o.seq', '<', 's.seq'),
            ),
          ),
        )
        .orderBy('s.lease_until')
        .limit(limit)
        .execute()
      return rows.map(row => row.id)
    },
    claim: (id, owner, now, leaseUntil) =>
      store.transaction(async open => {
        const tx = open as Transaction<SagaTables>
        const row = await tx.selectFrom('sagas').selectAll().where('id', '=', id).executeTakeFirst()
        if (!row || Number(row.lease_until) > now) return undefined
        const before = await tx
          .selectFrom('sagas')
          .select('id')
          .where('subject', '=', row.subject)
          .where('seq', '<', row.seq)
          .limit(1)
          .executeTakeFirst()
        if (before) return undefined
        const epoch = row.epoch + 1
        await tx.updateTable('sagas').set({ owner, epoch, lease_until: leaseUntil }).where('id', '=', id).execute()
        return decode({ ...row, owner, epoch, lease_until: leaseUntil })
      }),
    async release(owner) {
      await db.updateTable('sagas').set({ lease_until: 0 }).where('owner', '=', owner).execute()
    },
    async renew(row, leaseUntil) {
      return (await held(row).set({ lease_until: leaseUntil }).executeTakeFirst()).numUpdatedRows > 0n
    },
    async write(row, change) {
      const { outputs, state, failure, leaseUntil } = change
      const values = {
        ...(outputs === undefined ? {} : { outputs: JSON.stringify(outputs) }),
        ...(state === undefined ? {} : { state }),
        ...(failure === undefined ? {} : { failure: JSON.stringify(failure) }),
        ...(leaseUntil === undefined ? {} : { lease_until: leaseUntil }),
      }
      return (await held(row).set(values).executeTakeFirst()).numUpdatedRows > 0n
    },
    async finish(row) {
      return (
        (await db.deleteFrom('sagas').where('id', '=', row.id).where('epoch', '=', row.epoch).executeTakeFirst())
          .numDeletedRows > 0n
      )
    },
    async isCancelled(id) {
      return (await db.selectFrom('sagas').select('cancelled').where('id', '=', id).executeTakeFirst())?.cancelled === 1
    },
    nextOf: async subject => (await first(subject))?.id,
    all: async () => (await db.selectFrom('sagas').selectAll().orderBy('seq').execute()).map(decode),
  }
}

function decode(row: SagasTable): SagaRow {
  return {
    id: row.id,
    name: row.name,
    subject: row.subject,
    seq: Number(row.seq),
    input: JSON.parse(row.input),
    outputs: JSON.parse(row.outputs),
    state: row.state as SagaRow['state'],
    failure: row.failure === null ? null : JSON.parse(row.failure),
    cancelled: row.cancelled === 1,
    owner: row.owner,
    epoch: row.epoch,
    leaseUntil: Number(row.lease_until),
  }
}
