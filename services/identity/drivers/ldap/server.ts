/** Talking to the servers of a directory: searches and changes as the searching DN, logins as whoever logs in. */

import { Fault } from '@strata/toolkit/fault'
import type { Runtime } from '@strata/toolkit/runtime'
import {
  type Client,
  type Entry,
  type Filter,
  InappropriateAuthError,
  InvalidCredentialsError,
  InvalidDNSyntaxError,
  NoSuchObjectError,
  ResultCodeError,
  SizeLimitExceededError,
  UnwillingToPerformError,
} from 'ldapts'
import type { LdapOptions } from '../../contract/domain-config.ts'
import { directoryAway, directoryRefused } from '../../contract/errors.ts'
import { dial, serversOf, tlsOf } from './connection.ts'
import { createPool } from './pool.ts'

export interface Search {
  readonly base: string
  readonly scope: 'base' | 'one' | 'sub'
  readonly filter: Filter
  readonly attributes: readonly string[]
}

export interface LdapServer {
  /** Entries as pages of them come. Nothing where the base is not there. */
  search(search: Search, take: (entry: Entry) => void): Promise<void>
  entries(search: Search): Promise<Entry[]>
  /** Whether the password is that of the entry. An empty one never is. */
  bind(dn: string, password: string): Promise<boolean>
  /** Throws a 400 for what the server says no to; `handled` may take it first. */
  change(act: (client: Client) => Promise<void>): Promise<void>
  close(): void
}

const derefs = { never: 'never', searching: 'search', always: 'always', finding: 'find', default: 'never' } as const

/** Throws an `Error` that says which option is wrong. */
export function createServer(kit: {
  readonly options: LdapOptions
  readonly runtime: Runtime
  readonly domainId: string
}): LdapServer {
  const { options, runtime, domainId } = kit
  const shared = { options, runtime, servers: serversOf(options), tls: tlsOf(options) }
  const wait = options.pool_connection_timeout
  const patience = (wait < 0 ? 5 : wait) * 1000
  const searching = createPool({
    open: () => dial({ ...shared, bind: true }),
    runtime,
    size: options.pool_size,
    lifetime: options.pool_connection_lifetime * 1000,
    patience,
    keep: options.use_pool,
  })
  const loggingIn = createPool({
    open: () => dial({ ...shared, bind: false }),
    runtime,
    size: options.auth_pool_size,
    lifetime: options.auth_pool_connection_lifetime * 1000,
    patience,
    keep: options.use_pool && options.use_auth_pool,
  })
  /** What is not the caller's fault is the directory's. */
  const orAway = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (thrown) {
      if (thrown instanceof Fault) throw thrown
      if (thrown instanceof SizeLimitExceededError)
        throw directoryRefused('it gives no more entries at once: page_size must be set', thrown)
      throw directoryAway(domainId, thrown)
    }
  }
  /** The server said nothing: perhaps it had closed the connection. */
  const unanswered = (thrown: unknown) => !(thrown instanceof ResultCodeError)
  const search: LdapServer['search'] = ({ base, scope, filter, attributes }, take) => {
    let begun = false
    const each = (entry: Entry) => {
      begun = true
      take(entry)
    }
    return orAway(() =>
      searching.use(
        async ({ client }) => {
          const how = {
            scope,
            filter,
            attributes: [...new Set(attributes)],
            derefAliases: derefs[options.alias_dereferencing],
            explicitBufferAttributes: ['objectGUID', ...attributes.filter(one => /^objectguid$/i.test(one))],
          }
          try {
            if (options.page_size === 0 || scope === 'base') {
              for (const entry of (await client.search(base, how)).searchEntries) each(entry)
              return
            }
            for await (const page of client.searchPaginated(base, { ...how, paged: { pageSize: options.page_size } }))
              for (const entry of page.searchEntries) each(entry)
          } catch (thrown) {
            if (!(thrown instanceof NoSuchObjectError)) throw thrown
          }
        },
        thrown => !begun && unanswered(thrown),
      ),
    )
  }
  return {
    search,
    async entries(what) {
      const found: Entry[] = []
      await search(what, entry => void found.push(entry))
      return found
    },
    async bind(dn, password) {
      // A bind without a password is none at all, and succeeds for everyone.
      if (password === '') return false
      return orAway(() =>
        loggingIn.use(async ({ client }) => {
          try {
            await client.bind(dn, password)
            return true
          } catch (thrown) {
            if (refusals.some(kind => thrown instanceof kind)) return false
            throw thrown
          }
        }, unanswered),
      )
    },
    change: act =>
      orAway(() =>
        searching.use(async ({ client }) => {
          try {
            await act(client)
          } catch (thrown) {
            // The server's own words may hold what was to be written: they are for nobody but the log.
            if (thrown instanceof ResultCodeError) throw directoryRefused(thrown.name.replace(/Error$/, ''), thrown)
            throw thrown
          }
        }),
      ),
    close() {
      searching.close()
      loggingIn.close()
    },
  }
}

const refusals = [
  InvalidCredentialsError,
  NoSuchObjectError,
  InappropriateAuthError,
  UnwillingToPerformError,
  InvalidDNSyntaxError,
]
