/** URLs of databases: which engine they mean, how a service's own is named, waiting until it answers. */
import { join } from 'node:path'
import { reason } from '../fault/index.ts'
import { systemRuntime } from '../runtime/index.ts'
import type { Engine } from './engine.ts'
import { mariadbEngine } from './mariadb.ts'
import { postgresEngine } from './postgres.ts'
import { sqliteEngine } from './sqlite.ts'

const KNOWN = 'sqlite:/path/to/file, postgres://…, mariadb://…'

/** `rehearsed`: tests ask by `?rehearsed` that every transaction is run and rolled back once before it is run. */
export function engineOf(url: string): { readonly engine: Engine; readonly rehearsed: boolean } {
  const [, scheme, rest] = /^([a-z]+):(.*)$/.exec(url) ?? []
  if (scheme === 'sqlite' && rest) {
    const path = rest.replace(/\?rehearsed$/, '')
    return { engine: sqliteEngine(path), rehearsed: path !== rest }
  }
  if (!URL.canParse(url) && rest)
    throw new Error('the database URL cannot be read: are special characters in it %-encoded?')
  if (scheme === 'postgres' || scheme === 'postgresql') return { engine: postgresEngine(url), rehearsed: false }
  if (scheme === 'mariadb' || scheme === 'mysql') return { engine: mariadbEngine(url), rehearsed: false }
  throw new Error(`there is no database engine for ${JSON.stringify(scheme ?? url)}; known: ${KNOWN}`)
}

export const engineNameOf = (url: string): Engine['name'] => engineOf(url).engine.name

/**
 * The URL of one service's database, from one for a whole cloud: a file in the folder of `sqlite:/folder`, the schema of its
 * name in the database of `postgres://…/database`, or the database of its name on the server of `mariadb://…`, after the
 * one that the URL may name and `_`. A schema that is named for the cloud goes before the service's name likewise.
 */
export function serviceUrl(cloud: string, service: string): string {
  const name = service.replaceAll('-', '_')
  if (cloud.startsWith('sqlite:')) return `sqlite:${join(cloud.slice('sqlite:'.length), `${service}.db`)}`
  const engine = /^postgres(ql)?:/.test(cloud) ? 'postgres' : /^(mariadb|mysql):/.test(cloud) ? 'mariadb' : undefined
  if (!engine || !URL.canParse(cloud)) {
    engineOf(cloud)
    throw new Error('the database URL cannot be read')
  }
  const url = new URL(cloud)
  const prefix = engine === 'postgres' ? url.searchParams.get('schema') : url.pathname.slice(1)
  const full = prefix ? `${prefix}_${name}` : name
  if (engine === 'postgres') url.searchParams.set('schema', full)
  else url.pathname = `/${full}`
  return url.href
}

/**
 * Resolves when the database answers. `tell` is given words for the operator when it does not, at first and every
 * half a minute. Throws what will not pass by itself: a wrong password, say.
 */
export async function awaitDatabase(url: string, tell: (words: string) => void, signal?: AbortSignal): Promise<void> {
  const { engine } = engineOf(url)
  let told = Number.NEGATIVE_INFINITY
  for (;;) {
    try {
      await engine.prepare()
      return
    } catch (thrown) {
      if (!engine.isAway(thrown)) throw thrown
      if (systemRuntime.monotonic() - told > 30_000) {
        tell(`waiting for the database at ${shownUrl(url)}: ${reason(thrown) || 'it does not answer'}`)
        told = systemRuntime.monotonic()
      }
    }
    await systemRuntime.sleep(1000, signal)
  }
}

/** Why the database does not answer; undefined when it does. */
export const databaseProblem = (url: string): Promise<string | undefined> =>
  engineOf(url)
    .engine.ping()
    .then(
      () => undefined,
      thrown => `the database at ${shownUrl(url)} does not answer: ${reason(thrown)}`,
    )

/** The URL without its password. */
export function shownUrl(url: string): string {
  if (!URL.canParse(url)) return url
  const shown = new URL(url)
  if (shown.password) shown.password = '***'
  return shown.href
}

/** Removes a service's database with all that is in it: file, schema or database. */
export const dropDatabase = (url: string): Promise<void> => engineOf(url).engine.drop()
