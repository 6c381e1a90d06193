/** What `strata db` does with the databases of a cloud (the words are those of `databases.ts`). */
import { ConfigError, loadConfig } from '@strata/toolkit/config'
import { reason } from '@strata/toolkit/fault'
import {
  type CopiedTable,
  copyDatabase,
  type MigrationState,
  migrationState,
  openStore,
  serviceUrl,
  shownUrl,
} from '@strata/toolkit/store'
import { sections } from './cloud.ts'
import { databaseUrls, MIGRATIONS, SERVICES } from './databases.ts'
import { keptConfig } from './kept-config.ts'

export interface DatabasePlace {
  readonly state: string
  /** A cloud's URL; else the databases are those of the cloud in this state. */
  readonly url?: string | undefined
  /** Else the one that the cloud was last started with. */
  readonly configFile?: string | undefined
}

const urlsOf = ({ state, url, configFile }: DatabasePlace): ((service: string) => string) =>
  url === undefined
    ? databaseUrls(state, loadConfig({ path: configFile ?? keptConfig(state), known: sections }))
    : service => serviceUrl(url, service)

export interface DatabaseReport {
  readonly service: string
  readonly url: string
  /** Undefined where nothing was made yet. */
  readonly migrations?: MigrationState
  readonly problem?: string
}

/** What each database has, unchanged by looking. */
export async function databasesOf(place: DatabasePlace): Promise<DatabaseReport[]> {
  const urlOf = urlsOf(place)
  const reports: DatabaseReport[] = []
  for (const service of SERVICES) {
    const about = { service, url: shownUrl(urlOf(service)) }
    try {
      const migrations = await migrationState(urlOf(service), MIGRATIONS[service])
      reports.push({ ...about, ...(migrations && { migrations }) })
    } catch (thrown) {
      reports.push({ ...about, problem: reason(thrown) || 'it does not answer' })
    }
  }
  return reports
}

/** Brings all databases up to this version. */
export async function migrateDatabases(place: DatabasePlace): Promise<void> {
  const urlOf = urlsOf(place)
  for (const service of SERVICES)
    await (await openStore<object>({ url: urlOf(service), migrations: MIGRATIONS[service] })).close()
}

/**
 * Copies a cloud's databases to new ones, and proves that each table arrived as it was. Nothing may change them meanwhile. Throws
 * `ConfigError` when the source is not of this version, the target has tables of ours, or a table differs afterwards.
 */
export async function copyDatabases(options: {
  readonly from: DatabasePlace
  readonly to: string
  tell(service: string, tables: readonly CopiedTable[]): void
}): Promise<void> {
  const sourceOf = urlsOf(options.from)
  const targetOf = (service: string) => serviceUrl(options.to, service)
  try {
    for (const service of SERVICES) if (sourceOf(service) === targetOf(service)) throw new Error('both are the same')
    for (const service of SERVICES) {
      const between = { from: sourceOf(service), to: targetOf(service), migrations: MIGRATIONS[service] }
      options.tell(service, await copyDatabase(between))
    }
  } catch (thrown) {
    throw new ConfigError(`the databases were not copied: ${reason(thrown)}`, { cause: thrown })
  }
}
