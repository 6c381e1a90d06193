/** What stands above and below a project, when a caller asks for it (`?parents_as_list`, `?subtree_as_ids`, …). */
import { isTrue } from '@strata/toolkit/resource'
import type { ApiRequest } from '@strata/toolkit/service'
import { invalid } from '../contract/errors.ts'
import { ancestors, findProject, type ProjectRow, subtree } from '../store/project.ts'
import { alsoIn } from './assignment/caller.ts'
import { effectiveRoles } from './assignment/effective.ts'
import type { Parts } from './parts.ts'

interface Tree {
  [id: string]: Tree | null
}

export async function projectTree(
  parts: Parts,
  project: { readonly id: string },
  request: ApiRequest,
): Promise<object> {
  const { db } = parts.store
  const asked = (name: string) => {
    const value = request.query[name]
    return value === '' || isTrue(Array.isArray(value) ? value.at(-1) : value)
  }
  for (const kind of ['parents', 'subtree'])
    if (asked(`${kind}_as_list`) && asked(`${kind}_as_ids`))
      throw invalid(`${kind}_as_list`, `cannot be used together with ${kind}_as_ids`)
  if (!['parents', 'subtree'].some(kind => asked(`${kind}_as_list`) || asked(`${kind}_as_ids`))) return {}
  const row = (await findProject(db, project.id))!
  const above = await ancestors(db, row)
  const below = await subtree(db, row.id)
  const mine = async (rows: readonly ProjectRow[]) => {
    const views: object[] = []
    const also = await alsoIn(parts, request.context)
    // In the lists stand those in which the caller has a role, as the API has it.
    for (const one of rows)
      if ((await effectiveRoles(db, request.context.userId, { type: 'project', project: one }, also)).length > 0)
        views.push({ project: viewOf(one, request.baseUrl) })
    return views
  }
  return {
    ...(asked('parents_as_list') && { parents: await mine(above) }),
    ...(asked('parents_as_ids') && { parents: chain([...above.map(one => one.id), row.domain_id]) }),
    ...(asked('subtree_as_list') && { subtree: await mine(below) }),
    ...(asked('subtree_as_ids') && { subtree: branch(row.id, below) }),
  }
}

const viewOf = (row: ProjectRow, baseUrl: string) => ({
  ...JSON.parse(row.extra ?? '{}'),
  id: row.id,
  name: row.name,
  domain_id: row.domain_id,
  parent_id: row.parent_id,
  description: row.description,
  enabled: row.enabled === 1,
  is_domain: row.is_domain === 1,
  options: JSON.parse(row.options),
  links: { self: `${baseUrl}/v3/projects/${row.id}` },
})

function chain(ids: readonly (string | null)[]): Tree | null {
  const [first, ...rest] = ids
  return typeof first === 'string' ? { [first]: chain(rest) } : null
}

function branch(id: string, rows: readonly ProjectRow[]): Tree | null {
  const below = rows.filter(row => row.parent_id === id)
  return below.length === 0 ? null : Object.fromEntries(below.map(row => [row.id, branch(row.id, rows)]))
}
