/**
 * Configuration of single domains: set, changed, shown and deleted, whole, by group or by option. Sensitive options are
 * encrypted and never shown. See `directory/` for what comes of it.
 */
import type { AfterCommit } from '@strata/toolkit/store'
import { type DomainConfig, domainOptions, groupKnown, optionOf } from '../contract/domain-config.ts'
import { domainConfigNotFound, invalidDomainConfig, missing } from '../contract/errors.ts'
import { type DomainOptionRow, domainOptionRows, removeDomainOptions, setDomainOption } from '../store/domain-config.ts'
import { hasOwnActors, markAllGone } from '../store/id-mapping.ts'
import { findDomain } from '../store/project.ts'
import type { Db } from '../store/tables.ts'
import { driverIn, fixedConfig, ownDriver } from './directory/registry.ts'
import type { Parts } from './parts.ts'

/** Which part of a domain's configuration. */
export interface Part {
  readonly domainId: string
  readonly group?: string
  readonly option?: string
}

export interface DomainConfigLogic {
  /** Replaces all; `created` when there was none. */
  replace(domainId: string, given: DomainConfig): Promise<{ config: DomainConfig; created: boolean }>
  /** What is not named stays. Resolves to the whole. */
  change(part: Part, given: Readonly<Record<string, unknown>>): Promise<DomainConfig>
  /** The whole, one group in it, or `{ option: value }`. */
  show(part: Part): Promise<object>
  remove(part: Part): Promise<void>
  defaults(part: Omit<Part, 'domainId'>): object
  /** Rules for passwords, which everyone may know. */
  securityCompliance(part: Part): object
}

export function domainConfigLogic(parts: Parts): DomainConfigLogic {
  const { store, vault } = parts
  const changing = async (domainId: string, act: (tx: Db, before: DomainOptionRow[]) => Promise<void>) =>
    store.transaction(async (tx, afterCommit) => {
      await refuseMissing(tx, domainId)
      if (await fixedConfig(tx, parts.config.domains, domainId))
        throw invalidDomainConfig('that of the domain is in the configuration file')
      const before = await domainOptionRows(tx, domainId)
      await act(tx, before)
      const after = await domainOptionRows(tx, domainId)
      await moved(tx, domainId, before, after, afterCommit)
      return shown(after)
    })
  const moved = async (
    tx: Db,
    domainId: string,
    before: readonly DomainOptionRow[],
    after: readonly DomainOptionRow[],
    afterCommit: AfterCommit,
  ) => {
    const [from, to] = [driverIn(before), driverIn(after)]
    if (from === ownDriver && to !== ownDriver && (await hasOwnActors(tx, domainId)))
      throw invalidDomainConfig('a domain that has users or groups of its own cannot have those of a directory')
    if (from !== ownDriver && to === ownDriver) await markAllGone(tx, domainId)
    parts.directories.reconfigured(afterCommit)
    parts.changed(afterCommit)
  }
  const write = async (tx: Db, domainId: string, given: DomainConfig) => {
    for (const [group, options] of Object.entries(given))
      for (const [name, value] of Object.entries(options)) {
        const text = JSON.stringify(value)
        const sealed = optionOf(group, name)?.sensitive === true
        await setDomainOption(tx, {
          domain_id: domainId,
          group_name: group,
          option_name: name,
          value: sealed ? vault.seal(text) : text,
          sealed: sealed ? 1 : 0,
        })
      }
  }
  return {
    async replace(domainId, given) {
      let created = false
      refuseInvalid(given)
      const config = await changing(domainId, async (tx, before) => {
        created = before.length === 0
        await removeDomainOptions(tx, domainId)
        await write(tx, domainId, given)
      })
      return { config, created }
    },
    change(part, given) {
      const { domainId, group, option } = part
      const whole = group !== undefined && option !== undefined ? { [group]: given } : (given as DomainConfig)
      refuseInvalid(whole)
      refuseUnknown(part)
      refuseOthers(part, whole)
      return changing(domainId, async (tx, before) => {
        if (group !== undefined && !before.some(row => isIn(row, part))) throw notThere(part)
        await write(tx, domainId, whole)
      })
    },
    async show(part) {
      const { domainId, group, option } = part
      refuseUnknown(part)
      const rows = (await domainOptionRows(store.db, domainId)).filter(row => isIn(row, part))
      const config = shown(rows)
      if (Object.keys(config).length === 0) throw notThere(part)
      return group !== undefined && option !== undefined ? config[group]! : config
    },
    async remove(part) {
      refuseUnknown(part)
      await changing(part.domainId, async (tx, before) => {
        if (part.group !== undefined && !before.some(row => isIn(row, part))) throw notThere(part)
        await removeDomainOptions(tx, part.domainId, part.group, part.option)
      })
    },
    defaults({ group, option }) {
      refuseUnknown({ group, option })
      const all = Object.entries(domainOptions).map(([name, options]) => [
        name,
        Object.fromEntries(
          Object.entries(options).flatMap(([key, one]) => (one.sensitive ? [] : [[key, one.default] as const])),
        ),
      ])
      const config = Object.fromEntries(all) as Record<string, Record<string, unknown>>
      if (group === undefined) return config
      if (option === undefined) return { [group]: config[group] }
      if (!Object.hasOwn(config[group]!, option))
        throw invalidDomainConfig(`Reading the default for option ${option} in group ${group} is not supported`)
      return { [option]: config[group]![option] }
    },
    securityCompliance({ domainId, option }) {
      if (domainId !== 'default')
        throw invalidDomainConfig(
          'Reading security compliance information for any domain other than the default domain is not allowed or supported',
        )
      const { password_regex, password_regex_description } = parts.config
      const readable = {
        password_regex: password_regex || null,
        password_regex_description: password_regex_description || null,
      }
      if (option === undefined) return { security_compliance: readable }
      if (!Object.hasOwn(readable, option))
        throw invalidDomainConfig(
          'Reading security compliance values other than password_regex and password_regex_description is not allowed',
        )
      return { [option]: readable[option as keyof typeof readable] }
    },
  }
}

/** Throws a 404. */
export async function refuseMissing(db: Db, domainId: string): Promise<void> {
  if (!(await findDomain(db, { id: domainId }))) throw missing('domain', domainId)
}

const isIn = (row: DomainOptionRow, { group, option }: Part): boolean =>
  (group === undefined || row.group_name === group) && (option === undefined || row.option_name === option)

function notThere({ domainId, group, option }: Part) {
  if (option !== undefined) return domainConfigNotFound(domainId, `option ${option} in group ${group}`)
  return domainConfigNotFound(domainId, group === undefined ? 'any options' : `group ${group}`)
}

/** Without what is sensitive. */
function shown(rows: readonly DomainOptionRow[]): DomainConfig {
  const config: Record<string, Record<string, unknown>> = {}
  for (const { group_name, option_name, value, sealed } of rows) {
    if (sealed) continue
    config[group_name] ??= {}
    config[group_name][option_name] = JSON.parse(value)
  }
  return config
}

function refuseUnknown({ group, option }: Omit<Part, 'domainId'>): void {
  if (group === undefined) return
  if (!groupKnown(group))
    throw invalidDomainConfig(`Group ${group} is not supported for domain specific configurations`)
  if (option !== undefined && !optionOf(group, option))
    throw invalidDomainConfig(`Option ${option} in group ${group} is not supported for domain specific configurations`)
}

function refuseInvalid(given: DomainConfig): void {
  if (Object.keys(given).length === 0) throw invalidDomainConfig('No options specified')
  for (const [group, options] of Object.entries(given)) {
    const named = typeof options === 'object' && options !== null && !Array.isArray(options)
    if (!named || Object.keys(options).length === 0)
      throw invalidDomainConfig(`The value of group ${group} specified in the config should be a dictionary of options`)
    for (const [option, value] of Object.entries(options)) {
      refuseUnknown({ group, option })
      if (value !== null && optionOf(group, option)!.read(value) === undefined)
        throw invalidDomainConfig(`The value of option ${option} in group ${group} is none that it can have`)
    }
  }
}

/** A change of one group or option names that one alone. */
function refuseOthers({ group, option }: Part, given: DomainConfig): void {
  if (group === undefined) return
  const groups = Object.keys(given)
  if (option === undefined && (groups.length !== 1 || groups[0] !== group))
    throw invalidDomainConfig(
      `Trying to update group ${group}, so that, and only that, group must be specified in the config`,
    )
  const options = Object.keys(given[group] ?? {})
  if (option !== undefined && (options.length !== 1 || options[0] !== option))
    throw invalidDomainConfig(
      `Trying to update option ${option} in group ${group}, so that, and only that, option must be specified in the config`,
    )
}
