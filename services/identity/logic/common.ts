/** Rules that several resources share: whose domain, filters by part of a name, the option `immutable`. */
import type { RequestContext } from '@strata/toolkit/context'
import type { Condition } from '@strata/toolkit/resource'
import { sql } from '@strata/toolkit/store'
import { immutableResource } from '../contract/errors.ts'
import type { Options } from '../contract/names.ts'

/** The domain of what a caller makes without saying whose it is. */
export const domainOf = (context: RequestContext): string =>
  context.domainId || context.token?.project?.domain.id || 'default'

/** The domain that a rule asks for: that of a row, or of one that is to be made. Of an id that names nothing there is none. */
export const domainOfTarget = (values: Readonly<Record<string, unknown>>, context: RequestContext): unknown =>
  values['domain_id'] ?? ('id' in values && !('name' in values) ? undefined : domainOf(context))

/** Callers whose token is of a domain see in lists what is of that domain. */
export const ofCallersDomain =
  (column: string) =>
  (context: RequestContext, verb: string): readonly Condition[] =>
    verb === 'list' && context.scope === 'domain' ? [eb => eb(column, '=', context.domainId)] : []

/** Members of the target that a rule of a list may ask for. */
export const listTarget = (context: RequestContext) => ({ domain_id: context.domainId || undefined })

/** `name__contains=x` and the like, for one column. */
export function partFilters(column: string): Record<string, (values: readonly string[]) => Condition> {
  const like = (pattern: (text: string) => string, fold: boolean) => (values: readonly string[]) => {
    const text = pattern((values.at(-1) ?? '').replace(/[!%_]/g, one => `!${one}`))
    const condition = fold
      ? sql<boolean>`lower(${sql.ref(column)}) like ${text.toLowerCase()} escape '!'`
      : sql<boolean>`${sql.ref(column)} like ${text} escape '!'`
    return () => condition
  }
  const kinds = {
    contains: (text: string) => `%${text}%`,
    startswith: (text: string) => `${text}%`,
    endswith: (text: string) => `%${text}`,
  }
  return Object.fromEntries(
    Object.entries(kinds).flatMap(([kind, pattern]) => [
      [`${column}__${kind}`, like(pattern, false)],
      [`${column}__i${kind}`, like(pattern, true)],
    ]),
  )
}

/** The name that a change gives, without the blanks around it; undefined when it stays. */
export function newName(row: { name: string }, change: { name?: string }): string | undefined {
  const name = change.name?.trim()
  return name === row.name ? undefined : name
}

/** What a change of name and options comes to: options that are not named stay, those that are null go. */
export const merged = <O extends object>(
  row: { name: string; options: O },
  change: { name?: string; options?: O },
): { name: string; options: O } => ({
  name: newName(row, change) ?? row.name,
  options: withoutNulls({ ...row.options, ...change.options }),
})

/** An option that is null is one that is not there. */
export const withoutNulls = <O extends object>(options: O): O =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== null)) as O

/** Throws a 403 when the resource is marked immutable, unless this change is to lift the mark. */
export function refuseImmutable(
  kind: string,
  row: { id: string; options: Options },
  change?: { options?: Options },
): void {
  if (row.options?.immutable && change?.options?.immutable !== false && change?.options?.immutable !== null)
    throw immutableResource(kind, row.id)
}
