/**
 * The databases of a cloud: where they are, and waiting for them. Words: a *database* here is what one service has, a file,
 * schema or database; the *cloud's URL* is what all of them are named after (`serviceUrl`).
 */
import { migrations as compute } from '@strata/compute/service'
import { migrations as identity } from '@strata/identity/service'
import { migrations as image } from '@strata/image/service'
import { migrations as network } from '@strata/network/service'
import { migrations as placement } from '@strata/placement/service'
import { type Config, ConfigError } from '@strata/toolkit/config'
import { reason } from '@strata/toolkit/fault'
import type { Log } from '@strata/toolkit/log'
import { awaitDatabase, databaseProblem, engineNameOf, serviceUrl } from '@strata/toolkit/store'
import { databaseConfig } from './config.ts'

/** By service. */
export const MIGRATIONS = { identity, image, placement, network, compute } as const
type Service = keyof typeof MIGRATIONS
export const SERVICES = Object.keys(MIGRATIONS) as Service[]

/** The URL of each service's database: its own, else named after the cloud's, else a file in the state folder. */
export function databaseUrls(state: string, config: Config): (service: string) => string {
  const { url, services } = config.section(databaseConfig)
  return service => services[service] ?? serviceUrl(url ?? `sqlite:${state}`, service)
}

/** What the cloud's state is kept in, for people: `SQLite`. */
export function engineNames(urlOf: (service: string) => string): string {
  const names = { sqlite: 'SQLite', postgres: 'PostgreSQL', mariadb: 'MariaDB' }
  return [...new Set(SERVICES.map(service => names[engineNameOf(urlOf(service))]))].join(', ')
}

/** What is wrong with the databases, a sentence each. */
export async function databaseProblems(urlOf: (service: string) => string): Promise<string[]> {
  const found = await Promise.all(SERVICES.map(service => databaseProblem(urlOf(service))))
  return found.filter(problem => problem !== undefined)
}

/** Resolves when all databases answer. Throws `ConfigError` for what waiting does not mend, or when the process is told to end. */
export async function awaitDatabases(urlOf: (service: string) => string, log: Log): Promise<void> {
  const stopped = new AbortController()
  const stop = () => stopped.abort(new ConfigError('the cloud was stopped while it waited for its databases'))
  process.once('SIGTERM', stop).once('SIGINT', stop)
  try {
    for (const service of SERVICES)
      await awaitDatabase(urlOf(service), words => log.warn({ service }, words), stopped.signal)
  } catch (thrown) {
    throw thrown instanceof ConfigError ? thrown : new ConfigError(`database: ${reason(thrown)}`, { cause: thrown })
  } finally {
    process.off('SIGTERM', stop).off('SIGINT', stop)
  }
}
