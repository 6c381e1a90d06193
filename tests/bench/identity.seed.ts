/** A directory of a large company, written into identity's database while the cloud is down. */
import { scryptSync } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'

export interface Directory {
  readonly domain: string
  /** A user with some assignments, of its own and by a group. */
  readonly user: string
  readonly group: string
  /** A project with others below it. */
  readonly project: string
  readonly role: string
  /** Users of the domain `company` who never logged in; the password of each is `hashed`. */
  readonly hashed: { readonly password: string; readonly names: readonly string[] }
  readonly counts: { readonly users: number; readonly projects: number; readonly assignments: number }
}

const counts = { users: 100_000, projects: 10_000, assignments: 100_000 }
const groups = 1000
/** Of each hundred users the first is disabled. */
const hashers = 2000
const id = (kind: string, n: number) => `${kind}${n.toString(16).padStart(32 - kind.length, '0')}`

export function seedDirectory(file: string): Directory {
  const database = new DatabaseSync(file)
  database.exec('PRAGMA foreign_keys = OFF; BEGIN')
  const insert = (table: string, columns: readonly string[]) => {
    const statement = database.prepare(
      `insert into ${table} (${columns.join(', ')}) values (${columns.map(() => '?').join(', ')})`,
    )
    return (...values: (string | number | null)[]) => void statement.run(...values)
  }
  const domain = id('d', 1)
  const project = insert('projects', [
    ...[
      'id',
      'name',
      'name_scope',
      'domain_id',
      'parent_id',
      'is_domain',
      'description',
      'enabled',
      'options',
      'extra',
    ],
  ])
  project(domain, 'company', 'domains', null, null, 1, '', 1, '{}', '{}')
  // Trees of ten: one at the top, nine below it.
  for (let n = 0; n < counts.projects; n++)
    project(
      ...[id('a', n), `project-${n}`, domain, domain, n % 10 === 0 ? domain : id('a', n - (n % 10))],
      ...[0, '', 1, '{}', '{}'],
    )
  const user = insert('users', ['id', 'name', 'domain_id', 'enabled', 'options', 'extra'])
  for (let n = 0; n < counts.users; n++) user(id('b', n), `user-${n}`, domain, n % 100 === 0 ? 0 : 1, '{}', '{}')
  const password = insert('user_passwords', ['user_id', 'number', 'hash', 'created_at', 'self_service'])
  const hash = hashOf('hashed')
  for (let n = 0; n < hashers; n++) password(id('b', n), 1, hash, 0, 0)
  const group = insert('user_groups', ['id', 'name', 'domain_id', 'description', 'extra'])
  for (let n = 0; n < groups; n++) group(id('c', n), `group-${n}`, domain, '', '{}')
  const membership = insert('memberships', ['user_id', 'group_id'])
  for (let n = 0; n < counts.users; n += 10) membership(id('b', n), id('c', (n / 10) % groups))
  const roles = database.prepare(`select id from roles where name in ('member', 'reader') order by name`).all() as {
    id: string
  }[]
  const [member, reader] = roles.map(row => row.id) as [string, string]
  const assignment = insert('assignments', [
    ...['actor_type', 'actor_id', 'target_type', 'target_id', 'role_id', 'inherited'],
  ])
  for (let n = 0; n < counts.assignments; n++) {
    // One in a hundred to a group, one in fifty inherited by what is below; a few on the domain.
    const actor = n % 100 === 7 ? (['group', id('c', (n / 100) | 0)] as const) : (['user', id('b', n)] as const)
    const tree = n % 50 === 7
    const target =
      n % 10_000 === 13 ? (['domain', domain] as const) : (['project', id('a', n % counts.projects)] as const)
    assignment(...actor, ...target, n % 3 === 0 ? reader : member, tree ? 1 : 0)
  }
  database.exec('COMMIT')
  database.close()
  const names = Array.from({ length: hashers }, (_, n) => n).filter(n => n % 100 !== 0)
  const hashed = { password: 'hashed', names: names.map(n => `user-${n}`) }
  return { hashed, domain, user: id('b', 70), group: id('c', 7), project: id('a', 70), role: member, counts }
}

/** As the service writes it, at the cost that it has unless told otherwise. */
function hashOf(password: string): string {
  const salt = Buffer.alloc(16, 7)
  const text = (bytes: Buffer) => bytes.toString('base64').replaceAll('=', '')
  const key = scryptSync(password, salt, 32, { N: 2 ** 15, r: 8, p: 1, maxmem: 2 ** 27 })
  return `$scrypt$ln=15,r=8,p=1$${text(salt)}$${text(key)}`
}
