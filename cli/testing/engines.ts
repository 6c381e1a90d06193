/**
 * Database servers for tests: PostgreSQL and MariaDB as Debian packages them, in a temporary folder, reached by a Unix
 * socket, without syncing to the disk (so they survive a kill, not a power cut), as an unprivileged account. They are ended by their process ids.
 */
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, closeSync, existsSync, globSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { awaitDatabase, serviceUrl } from '@strata/toolkit/store'

export type ServerEngine = 'postgres' | 'mariadb'

/** Debian's packages of both. */
export const ENGINE_PACKAGES = ['postgresql', 'mariadb-server'] as const

export interface TestServer {
  /** As `serviceUrl` takes it. */
  readonly url: string
  /** Ends it at once, as a crash does; what was written stays. */
  kill(): Promise<void>
  /** Starts it again; resolves when it answers. */
  restart(): Promise<void>
  /** Ends it and removes all that it has. */
  stop(): Promise<void>
}

interface Recipe {
  /** Account that the package makes. */
  readonly account: string
  readonly program: () => string | undefined
  init(program: string, folder: string): readonly [command: string, words: readonly string[]]
  serve(folder: string): readonly string[]
  url(folder: string): string
}

const recipes: Readonly<Record<ServerEngine, Recipe>> = {
  postgres: {
    account: 'postgres',
    program: () => globSync('/usr/lib/postgresql/*/bin/postgres').sort().at(-1),
    init: (program, folder) => [
      program.replace(/postgres$/, 'initdb'),
      ['-D', join(folder, 'data'), '-A', 'trust', '-U', 'strata', '-N', '-E', 'UTF8', '--locale=C'],
    ],
    serve: folder => [
      ...['-D', join(folder, 'data'), '-k', folder],
      ...['listen_addresses=', 'fsync=off', 'full_page_writes=off'].flatMap(one => ['-c', one]),
      ...['max_connections=400', 'shared_buffers=64MB', 'autovacuum=off'].flatMap(one => ['-c', one]),
    ],
    url: folder => `postgres://strata@localhost/postgres?host=${encodeURIComponent(folder)}`,
  },
  mariadb: {
    account: 'mysql',
    program: () => ['/usr/sbin/mariadbd', '/usr/sbin/mysqld'].find(existsSync),
    init: (_program, folder) => [
      'mariadb-install-db',
      [
        ...['--no-defaults', `--datadir=${join(folder, 'data')}`, '--skip-test-db'],
        '--auth-root-authentication-method=normal',
      ],
    ],
    serve: folder => [
      ...[
        '--no-defaults',
        `--datadir=${join(folder, 'data')}`,
        `--socket=${join(folder, 'sock')}`,
        '--skip-networking',
      ],
      ...['--innodb-flush-log-at-trx-commit=2', '--innodb-doublewrite=0', '--innodb-buffer-pool-size=128M'],
      ...['--max-connections=400', '--skip-log-bin', '--innodb-file-per-table=0', '--table-open-cache=4000'],
      `--pid-file=${join(folder, 'pid')}`,
    ],
    url: folder => `mariadb://root@localhost/?socket=${encodeURIComponent(join(folder, 'sock'))}`,
  },
}

/** Whether the engine's program is on this machine. */
export const isInstalled = (engine: ServerEngine): boolean => recipes[engine].program() !== undefined

/** Starts a server of its own; resolves when it answers. Throws what it said when it does not start. */
export async function startServer(engine: ServerEngine): Promise<TestServer> {
  const recipe = recipes[engine]
  const program = recipe.program()
  if (!program) throw new Error(`${engine} is not installed`)
  const account = accountOf(recipe.account)
  const folder = mkdtempSync(join(tmpdir(), `strata-${engine}-`))
  if (account) chownSync(folder, account.uid, account.gid)
  const [command, words] = recipe.init(program, folder)
  const options = { cwd: folder, ...account }
  await promisify(execFile)(command, words, options)
  const url = recipe.url(folder)
  const serve = async (): Promise<ChildProcess> => {
    const log = openSync(join(folder, 'log'), 'a')
    const child = spawn(program, recipe.serve(folder), { ...options, stdio: ['ignore', log, log] })
    closeSync(log)
    const ended = once(child, 'exit').then(([code]) => {
      throw new Error(
        `${engine} did not start: exit ${code}\n${readFileSync(join(folder, 'log'), 'utf8').slice(-2000)}`,
      )
    })
    ended.catch(() => {})
    await Promise.race([awaitDatabase(serviceUrl(url, 'probe'), () => {}), ended])
    return child
  }
  let child = await serve()
  return {
    url,
    kill: () => end(child, 'SIGKILL'),
    async restart() {
      child = await serve()
    },
    async stop() {
      // What PostgreSQL calls a fast shutdown is SIGINT; MariaDB knows SIGTERM.
      await end(child, engine === 'postgres' ? 'SIGINT' : 'SIGTERM')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill(signal)
  await once(child, 'exit')
}

/** Neither server runs as root. */
function accountOf(name: string): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const id = (flag: string) => Number(execFileSync('id', [flag, name], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}
