/** `strata db`: which migrations the databases have, bringing them up to this version, moving them to another engine. */
import { existsSync } from 'node:fs'
import { type CloudModule, loadCloud } from '../cloud.ts'
import { takeLock } from '../lock.ts'
import { Refusal, say, table } from '../print.ts'
import type { State } from '../state.ts'

export interface DbOptions {
  readonly state: State
  /** `status` unless given. */
  readonly verb?: string | undefined
  readonly configFile?: string | undefined
  /** URLs of clouds, for `copy`; `from` is the cloud of the state folder unless given. */
  readonly from?: string | undefined
  readonly to?: string | undefined
  readonly json: boolean
  readonly load?: () => Promise<CloudModule>
}

/** Resolves to the exit status: 1 when `status` found a database that this version cannot work with as it is. */
export async function db(options: DbOptions): Promise<number> {
  const { state, verb = 'status', from, to, configFile, json } = options
  if (!['status', 'migrate', 'copy'].includes(verb))
    throw new Refusal(`db takes status, migrate or copy, not "${verb}"; see "./strata help db"`, 2)
  if (verb !== 'copy' && (from ?? to) !== undefined) throw new Refusal(`db ${verb} takes no --from and no --to`, 2)
  if (from === undefined && configFile === undefined && !existsSync(state.run))
    throw new Refusal(`${state.folder} has no databases: no cloud was started there`)
  const clouds = await (options.load ?? loadCloud)()
  const place = { state: state.folder, url: from, configFile }
  if (verb === 'copy') {
    if (to === undefined) throw new Refusal('db copy needs --to URL; see "./strata help db"', 2)
    await copy(clouds, { state, place, to })
    return 0
  }
  if (verb === 'migrate') await clouds.migrateDatabases(place)
  const reports = await clouds.databasesOf(place)
  say(json ? JSON.stringify(reports, null, 2) : formatDatabases(reports))
  return reports.every(isCurrent) ? 0 : 1
}

type Report = Awaited<ReturnType<CloudModule['databasesOf']>>[number]

const isCurrent = ({ migrations }: Report): boolean =>
  migrations !== undefined && migrations.pending.length + migrations.unknown.length === 0

export function formatDatabases(reports: readonly Report[]): string {
  const words = ({ migrations, problem }: Report): string => {
    if (problem !== undefined) return problem
    if (!migrations) return 'nothing was made yet'
    const { done, pending, unknown } = migrations
    if (unknown.length > 0) return `of a newer version: it has ${unknown.join(', ')}`
    return pending.length > 0
      ? `to be migrated: ${pending.join(', ')}`
      : `up to date (${done.at(-1) ?? 'no migrations'})`
  }
  return table([['SERVICE', 'STATE', 'DATABASE'], ...reports.map(one => [one.service, words(one), one.url])])
}

async function copy(
  clouds: CloudModule,
  { state, place, to }: { state: State; place: Parameters<CloudModule['databasesOf']>[0]; to: string },
): Promise<void> {
  const lock = place.url === undefined ? takeLock(state.serverLock, 0) : undefined
  if (place.url === undefined && !lock) throw new Refusal('the cloud is up; "./strata down" stops it, guests run on')
  try {
    const rows: string[][] = [['SERVICE', 'TABLES', 'ROWS', 'SHA-256 OF BOTH']]
    await clouds.copyDatabases({
      from: place,
      to,
      tell(service, tables) {
        const count = tables.reduce((sum, one) => sum + one.rows, 0)
        for (const { table: name, rows: counted, hash } of tables)
          rows.push([service, name, `${counted}`, hash.slice(0, 16)])
        say(`${service}: ${count} rows in ${tables.length} tables, equal on both sides`)
      },
    })
    say(`\n${table(rows)}\n`)
    say('Name the new database in strata.yaml and start the cloud with it: "./strata up --config strata.yaml"')
  } finally {
    lock?.release()
  }
}
