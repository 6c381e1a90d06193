/**
 * Which directory a domain's users and groups come from. The configuration is read each time it is asked, so that every replica
 * goes by the same one; the directory with its connections is kept until the configuration is another.
 */
import type { Log } from '@strata/toolkit/log'
import { type DomainConfig, identityOptions, readGroup } from '../../contract/domain-config.ts'
import { directoryMisconfigured } from '../../contract/errors.ts'
import { type DomainOptionRow, domainOptionRows } from '../../store/domain-config.ts'
import { hasOwnActors } from '../../store/id-mapping.ts'
import { findDomain } from '../../store/project.ts'
import type { Db, IdentityStore } from '../../store/tables.ts'
import type { Directory, DirectoryDriver } from '../ports/directory.ts'
import { substituted } from '../rules/domain-config.ts'
import type { Vault } from '../vault.ts'

export interface DomainDirectory {
  readonly domainId: string
  readonly directory: Directory
  /** Users or groups of a page at most, where the domain says so. */
  readonly listLimit: number | undefined
}

export interface Registry {
  /** Undefined: the domain's users and groups are identity's own. Throws `directoryMisconfigured`. */
  of(domainId: string): Promise<DomainDirectory | undefined>
  close(): Promise<void>
}

/** The name under which the configuration says that there is no directory. */
export const ownDriver = 'sql'

interface Kept {
  readonly fingerprint: string
  readonly made: DomainDirectory | Error
}

export function createRegistry(options: {
  readonly store: IdentityStore
  readonly vault: Vault
  readonly log: Log
  readonly drivers: Readonly<Record<string, DirectoryDriver>>
  /** What `strata.yaml` says, by names of domains. */
  readonly domains: Readonly<Record<string, DomainConfig>>
}): Registry {
  const { store, vault, log, drivers } = options
  const kept = new Map<string, Kept>()
  const drop = (domainId: string) => {
    const old = kept.get(domainId)?.made
    kept.delete(domainId)
    if (old && !(old instanceof Error))
      void old.directory.close().catch(err => log.warn({ err }, 'a directory did not close'))
  }
  const make = (domainId: string, config: DomainConfig): DomainDirectory | Error => {
    try {
      const { driver, list_limit } = readGroup(identityOptions, config['identity'] ?? {})
      if (!Object.hasOwn(drivers, driver)) throw new Error(`there is no driver ${JSON.stringify(driver)}`)
      const directory = drivers[driver]!(config[driver] ?? {}, { domainId })
      return { domainId, directory, listLimit: list_limit ?? undefined }
    } catch (thrown) {
      log.error({ err: thrown, domain: domainId }, 'the configuration of a domain makes no directory')
      return thrown as Error
    }
  }
  return {
    async of(domainId) {
      const read = await readConfig(store.db, options.domains, domainId)
      // The API refuses such a configuration; a file is not asked.
      if (read && !Array.isArray(read) && !kept.has(domainId) && (await hasOwnActors(store.db, domainId))) {
        log.error(
          { domain: domainId },
          'a domain with users or groups of its own keeps them: its directory is passed over',
        )
        return undefined
      }
      if (!read) {
        drop(domainId)
        return undefined
      }
      const fingerprint = JSON.stringify(read)
      if (kept.get(domainId)?.fingerprint !== fingerprint) {
        drop(domainId)
        const config = Array.isArray(read) ? opened(read as DomainOptionRow[], vault) : (read as DomainConfig)
        kept.set(domainId, { fingerprint, made: make(domainId, substituted(config)) })
      }
      const { made } = kept.get(domainId)!
      if (made instanceof Error) throw directoryMisconfigured(domainId, made)
      return made
    },
    async close() {
      const all = [...kept.values()].flatMap(({ made }) => (made instanceof Error ? [] : made.directory.close()))
      kept.clear()
      await Promise.allSettled(all)
    },
  }
}

/** What makes the domain one of a directory; undefined when nothing does. Values of rows are still sealed. */
async function readConfig(
  db: Db,
  domains: Readonly<Record<string, DomainConfig>>,
  domainId: string,
): Promise<DomainConfig | DomainOptionRow[] | undefined> {
  const fixed = await fixedConfig(db, domains, domainId)
  if (fixed) return (fixed['identity']?.['driver'] ?? ownDriver) === ownDriver ? undefined : fixed
  const rows = await domainOptionRows(db, domainId)
  return driverIn(rows) === ownDriver ? undefined : rows
}

/** What `strata.yaml` says of the domain. */
export async function fixedConfig(
  db: Db,
  domains: Readonly<Record<string, DomainConfig>>,
  domainId: string,
): Promise<DomainConfig | undefined> {
  if (Object.keys(domains).length === 0) return undefined
  const domain = await findDomain(db, { id: domainId })
  return domain && Object.hasOwn(domains, domain.name) ? domains[domain.name] : undefined
}

export function driverIn(rows: readonly DomainOptionRow[]): unknown {
  const row = rows.find(one => one.group_name === 'identity' && one.option_name === 'driver')
  return row ? (JSON.parse(row.value) ?? ownDriver) : ownDriver
}

/** With what is secret. */
function opened(rows: readonly DomainOptionRow[], vault: Vault): DomainConfig {
  const config: Record<string, Record<string, unknown>> = {}
  for (const { group_name, option_name, value, sealed } of rows) {
    config[group_name] ??= {}
    config[group_name][option_name] = JSON.parse(sealed ? vault.open(value) : value)
  }
  return config
}
