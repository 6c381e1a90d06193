/**
 * The seam between identity and directories: who logs in there, and what it says of whom. What was asked within
 * `directory_cache_seconds` is not asked again. A directory that does not answer fails what needs it (503), and nothing else.
 */

import { Fault } from '@strata/toolkit/fault'
import type { Log } from '@strata/toolkit/log'
import type { Bus } from '@strata/toolkit/messaging'
import type { Runtime } from '@strata/toolkit/runtime'
import type { AfterCommit } from '@strata/toolkit/store'
import type { DomainConfig } from '../../contract/domain-config.ts'
import { expectedToFind } from '../../contract/errors.ts'
import type { RefInDomain } from '../../contract/token.ts'
import { findMapping, type IdMapping } from '../../store/id-mapping.ts'
import { findDomain } from '../../store/project.ts'
import type { ActorType, IdentityStore } from '../../store/tables.ts'
import type { DirectoryDriver, DirectoryUser } from '../ports/directory.ts'
import type { Vault } from '../vault.ts'
import { createRegistry, type DomainDirectory } from './registry.ts'
import { createShadow, mayBeMapped, type Shadow } from './shadow.ts'

/** What became of someone: identity's own, of a directory and there, or no longer there. */
export type Standing = 'own' | 'there' | 'gone'

export interface Directories {
  /**
   * Who logs in by password in a directory: without an id when nobody does. Undefined when that is a matter of identity's own
   * users.
   */
  login(given: RefInDomain & { readonly password: string }): Promise<{ readonly userId?: string } | undefined>
  /** Asks the directory about who is named, so that identity's rows know a user who logs in by other means than a password. */
  meet(given: RefInDomain): Promise<void>
  /** Asks the directory about a user or group, unless it did lately, and brings identity's rows up to that. */
  refresh(type: ActorType, id: string): Promise<Standing>
  /** As `refresh`, for all; what a directory that is away said last stands. */
  refreshAll(type: ActorType, ids: readonly string[]): Promise<void>
  /** The domain's directory; undefined when its users and groups are identity's own. */
  of(domainId: string): Promise<DomainDirectory | undefined>
  /** The directory that someone is of. */
  behind(type: ActorType, id: string): Promise<(DomainDirectory & { readonly localId: string }) | undefined>
  readonly shadow: Shadow
  /** What was asked of that one is asked again. */
  forget(id: string): void
  /** The configuration of a domain is another; every replica hears of it. */
  reconfigured(afterCommit: AfterCommit): void
  close(): Promise<void>
}

const topic = 'identity.directories'

export interface DirectoriesOptions {
  readonly store: IdentityStore
  readonly vault: Vault
  readonly runtime: Runtime
  readonly log: Log
  readonly bus: Bus
  readonly drivers: Readonly<Record<string, DirectoryDriver>>
  readonly domains: Readonly<Record<string, DomainConfig>>
  /** Milliseconds for which an answer is believed. */
  readonly believe: number
  changed(afterCommit: AfterCommit): void
}

export function createDirectories(options: DirectoriesOptions): Directories {
  const { store, runtime, log, bus } = options
  const registry = createRegistry(options)
  const shadow = createShadow(options)
  const seen = recently(runtime, options.believe)
  const unsubscribe = bus.subscribe(topic, seen.clear)

  const behind = async (type: ActorType, id: string) => {
    const mapping = mayBeMapped(id) ? await findMapping(store.db, id) : undefined
    if (mapping?.entity_type !== type) return undefined
    const found = await registry.of(mapping.domain_id)
    return found && { ...found, localId: mapping.local_id }
  }
  const keepUser = async ({ domainId, directory }: DomainDirectory, entry: DirectoryUser) => {
    const groups = await directory.groupsOf(entry.id)
    const [row] = await shadow.users(domainId, [entry])
    const rows = await shadow.groups(domainId, groups)
    await shadow.setGroupsOf(
      row!.id,
      rows.map(one => one.id),
    )
    seen.add(row!.id, 'there')
    return row!.id
  }
  const ask = async (mapping: IdMapping): Promise<Standing> => {
    const found = await registry.of(mapping.domain_id)
    const { entity_type: type, local_id: localId, public_id: id } = mapping
    const user = found && type === 'user' ? await found.directory.findUser(localId) : undefined
    const group = found && type === 'group' ? await found.directory.findGroup(localId) : undefined
    if (found && user) await keepUser(found, user)
    else if (found && group) {
      await shadow.groups(found.domainId, [group])
      const members = await shadow.users(found.domainId, await found.directory.membersOf(localId))
      await shadow.setMembersOf(
        id,
        members.map(row => row.id),
      )
      seen.add(id, 'there')
    } else {
      await shadow.gone(mapping)
      seen.add(id, 'gone')
      return 'gone'
    }
    return 'there'
  }
  const asking = new Map<string, Promise<Standing>>()
  const refresh = async (type: ActorType, id: string): Promise<Standing> => {
    if (!mayBeMapped(id)) return 'own'
    const known = seen.get(id)
    if (known) return known
    const mapping = await findMapping(store.db, id)
    if (mapping?.entity_type !== type) return 'own'
    const running = asking.get(id) ?? ask(mapping).finally(() => asking.delete(id))
    asking.set(id, running)
    return running
  }
  return {
    shadow,
    behind,
    refresh,
    of: domainId => registry.of(domainId),
    forget: seen.remove,
    async refreshAll(type, ids) {
      for (const id of new Set(ids))
        await refresh(type, id).catch(thrown => {
          if (!(thrown instanceof Fault)) throw thrown
          log.warn({ err: thrown, [type]: id }, 'a directory is away: what it said last stands')
        })
    },
    async meet(given) {
      if (given.id !== undefined) await refresh('user', given.id)
      const domain = given.id === undefined && given.domain && (await findDomain(store.db, given.domain))
      const found = domain && (await registry.of(domain.id))
      if (!found || !given.name) return
      const names = [{ kind: 'equals', value: given.name, fold: false }] as const
      const [entry, ...others] = await found.directory.listUsers({ names, limit: 2 })
      if (entry && others.length === 0) await keepUser(found, entry)
    },
    async login(given) {
      const { password } = given
      const by = async (found: DomainDirectory, who: { id: string } | { name: string }) => {
        const entry = await found.directory.authenticate(who, password)
        return entry ? { userId: await keepUser(found, entry) } : {}
      }
      if (given.id !== undefined) {
        const found = await behind('user', given.id)
        return found && by(found, { id: found.localId })
      }
      if (!given.domain) throw expectedToFind('domain', 'user')
      const domain = await findDomain(store.db, given.domain)
      const found = domain && (await registry.of(domain.id))
      return found && by(found, { name: given.name ?? '' })
    },
    reconfigured: afterCommit =>
      afterCommit(() => {
        seen.clear()
        bus.publish(topic, {})
      }),
    async close() {
      unsubscribe()
      await registry.close()
    },
  }
}

/** How those stand who were asked about within the last `period` milliseconds. */
function recently(runtime: Runtime, period: number, capacity = 50_000) {
  let known = new Map<string, { readonly standing: Standing; readonly until: number }>()
  return {
    get(id: string): Standing | undefined {
      const one = known.get(id)
      return one && one.until > runtime.now() ? one.standing : undefined
    },
    add(id: string, standing: Standing) {
      known.delete(id)
      if (known.size >= capacity) known.delete(known.keys().next().value!)
      known.set(id, { standing, until: runtime.now() + period })
    },
    remove(id: string) {
      known.delete(id)
    },
    clear() {
      known = new Map()
    },
  }
}
