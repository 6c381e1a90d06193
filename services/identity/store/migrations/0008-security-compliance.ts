/** Several passwords of a user, when they end, logins that failed, and passcodes that were used. */
import { type Migration, sql } from '@strata/toolkit/store'

export const securityCompliance: Migration = {
  name: '0008-security-compliance',
  async up(db) {
    const { schema } = db
    const key = 'varchar(64)'
    await schema
      .createTable('user_passwords')
      .addColumn('user_id', key, c => c.notNull().references('users.id').onDelete('cascade'))
      .addColumn('number', 'integer', c => c.notNull())
      .addColumn('hash', 'varchar(255)', c => c.notNull())
      .addColumn('created_at', 'bigint')
      .addColumn('self_service', 'integer', c => c.notNull())
      .addPrimaryKeyConstraint('user_passwords_key', ['user_id', 'number'])
      .execute()
    await sql`insert into user_passwords (user_id, number, hash, self_service) select user_id, 1, hash, 0 from passwords`.execute(
      db,
    )
    await schema.dropTable('passwords').execute()
    await schema.createIndex('users_password_expires').on('users').column('password_expires_at').execute()
    await schema
      .createTable('user_logins')
      .addColumn('user_id', key, c => c.primaryKey().references('users.id').onDelete('cascade'))
      .addColumn('active_on', 'varchar(10)')
      .addColumn('failed_count', 'integer', c => c.notNull())
      .addColumn('failed_at', 'bigint')
      .execute()
    await schema
      .createTable('used_passcodes')
      .addColumn('credential_id', key, c => c.primaryKey().references('credentials.id').onDelete('cascade'))
      .addColumn('time_step', 'bigint', c => c.notNull())
      .execute()
  },
}
