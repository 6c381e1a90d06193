/** Migrations: written by hand, named `0001-what-it-does`, run in the order of their names, once, each in a transaction. */
import type { Kysely } from 'kysely'

export interface Migration {
  readonly name: string
  up(db: Kysely<unknown>): Promise<void>
}

interface Bookkeeping {
  strata_migrations: { name: string }
}

/** Runs those that have not run yet. Throws when the database knows one that the code does not: it is newer than the code. */
export async function migrate(db: Kysely<unknown>, migrations: readonly Migration[]): Promise<readonly string[]> {
  const books = db as Kysely<Bookkeeping>
  await books.schema
    .createTable('strata_migrations')
    .ifNotExists()
    .addColumn('name', 'varchar(255)', column => column.primaryKey())
    .execute()
  const done = new Set((await books.selectFrom('strata_migrations').select('name').execute()).map(row => row.name))
  const known = new Set(migrations.map(migration => migration.name))
  const foreign = [...done].filter(name => !known.has(name))
  if (foreign.length > 0) throw new Error(`the database was made by a newer version: it has ${foreign.join(', ')}`)
  const ran: string[] = []
  for (const migration of [...migrations].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (done.has(migration.name)) continue
    await db.transaction().execute(async tx => {
      await migration.up(tx)
      await (tx as Kysely<Bookkeeping>).insertInto('strata_migrations').values({ name: migration.name }).execute()
    })
    ran.push(migration.name)
  }
  return ran
}
