/** What all resources of this API have beside their own: standard attributes, tags, actions on one of them. */
import { neutron } from '@strata/toolkit/dialect'
import { notFound } from '@strata/toolkit/fault'
import { derive, type Hooks, type Resource, repository, type Verb } from '@strata/toolkit/resource'
import { toSeconds } from '@strata/toolkit/runtime'
import type { Fields, Row } from '@strata/toolkit/schema'
import type { ApiRequest, Operation } from '@strata/toolkit/service'
import { invalidInput, notAuthorized, revisionMismatch } from '../contract/faults.ts'
import type { NetworkDeps } from '../logic/deps.ts'
import { forgetTags, tagFilters, tagsFor } from '../logic/tag.ts'
import { type Find, tagOperations } from './tags.ts'

/** Rows of a page when the caller asks for more, or for none: what one `in (…)` can hold with ease. */
const MAX_PAGE = 1000

export interface Served<F extends Fields> {
  readonly operations: Operation[]
  readonly find: Find<F>
}

interface Standard {
  readonly id: string
  readonly revision_number: number
  readonly created_at: string
  readonly updated_at: string
}
const standard = (row: unknown): Standard => row as Standard

/** The plain verbs of a resource with tags, times and revisions taken care of, and the operations of its tags. */
export function serve<F extends Fields>(
  deps: NetworkDeps,
  resource: Resource<F>,
  hooks: Hooks<F>,
  options: { readonly verbs?: readonly Verb[]; readonly untagged?: boolean } = {},
): Served<F> {
  const tagged = !options.untagged
  const wrapped: Hooks<F> = {
    ...hooks,
    filters: { ...(tagged ? tagFilters : {}), ...hooks.filters },
    async decorate(rows, request, db) {
      const own = hooks.decorate ? await hooks.decorate(rows, request, db) : rows
      const tags = tagged ? await tagsFor(db, rows.map(standard)) : undefined
      return own.map((row, at) => {
        const { id, created_at, updated_at } = standard(rows[at])
        const times = { created_at: toSeconds(created_at), updated_at: toSeconds(updated_at) }
        return { ...row, ...times, ...(tags ? { tags: tags.get(id) ?? [] } : {}) }
      })
    },
    async beforeUpdate(row, body, scene) {
      refuseStale(scene.request, standard(row))
      const change = await hooks.beforeUpdate?.(row, body, scene)
      return { ...change, revision_number: standard(row).revision_number + 1 } as unknown as Partial<Row<F>>
    },
    async beforeDelete(row, scene) {
      refuseStale(scene.request, standard(row))
      await hooks.beforeDelete?.(row, scene)
    },
    async afterDelete(row, scene) {
      await forgetTags(scene.tx, standard(row).id)
      await hooks.afterDelete?.(row, scene)
    },
  }
  const verbs = derive(resource, {
    store: deps.store,
    dialect: neutron,
    runtime: deps.runtime,
    hooks: wrapped,
    maxLimit: MAX_PAGE,
    verbs: options.verbs,
  })
  const find = finder(resource, hooks)
  return { operations: tagged ? [...verbs, ...tagOperations(deps, resource, find)] : verbs, find }
}

/** `If-Match: revision_number=N` asks for the change only if nobody has made another since. */
function refuseStale({ headers }: ApiRequest, { revision_number: current }: Standard): void {
  const wanted = headers['if-match']
  if (wanted === undefined) return
  const [, revision] = /^revision_number=(\d+)$/.exec(String(wanted)) ?? []
  if (revision === undefined) throw invalidInput('If-Match takes revision_number=N')
  if (Number(revision) !== current) throw revisionMismatch(Number(revision), current)
}

function finder<F extends Fields>(resource: Resource<F>, hooks: Hooks<F>): Find<F> {
  const rows = repository(resource)
  return async (db, context, id, rule) => {
    const [row] = await rows.list(db, { where: { id }, conditions: hooks.restrict?.(context, 'show'), limit: 1 })
    const missing = () => {
      if (hooks.missing) return hooks.missing(id)
      const { code, message } = neutron.missing(resource.name, id)
      return notFound(message, code)
    }
    if (!row) throw missing()
    const about = hooks.target ? await hooks.target(row, context, db as never) : row
    if (context.can(rule, about)) return row
    throw context.can(resource.policy.show!, about) ? notAuthorized(rule) : missing()
  }
}
