/** Projects: names unique in their domain, trees whose disabled branches have nothing enabled, tags. */
import type { Hooks } from '@strata/toolkit/resource'
import type { Row } from '@strata/toolkit/schema'
import { duplicate, invalid, refusedAction } from '../contract/errors.ts'
import type { project } from '../contract/project.ts'
import { removeAssignmentsOfDomain, removeTarget } from '../store/assignment.ts'
import {
  ancestors,
  children,
  domainsScope,
  findDomain,
  findProject,
  findProjectByName,
  type ProjectRow,
  setTags,
  tagsOf,
} from '../store/project.ts'
import type { Db } from '../store/tables.ts'
import {
  domainOf,
  domainOfTarget,
  listTarget,
  merged,
  newName,
  ofCallersDomain,
  partFilters,
  refuseImmutable,
} from './common.ts'
import type { Parts } from './parts.ts'
import { projectTree } from './project-tree.ts'
import { tagFilters } from './tags.ts'

type Project = Row<typeof project.fields>

/** Depth of a tree of projects, its top included. */
const maxDepthOf = ({ limit_enforcement_model: model }: Parts['config']) => (model === 'strict_two_level' ? 1 : 5)

export function projectHooks(parts: Parts): Hooks<typeof project.fields> {
  return {
    restrict: ofCallersDomain('domain_id'),
    filters: { ...partFilters('name'), ...tagFilters },
    target: (values, context) => ({
      target: {
        // A project that is to be a domain is of none, whatever its body says.
        project: { ...values, domain_id: values['is_domain'] ? null : domainOfTarget(values, context) },
        ...listTarget(context),
      },
    }),
    async decorate(rows, request, db) {
      const shown = await decorated(db, rows)
      const [first] = rows
      // A single project is asked for by its id, and then also about what is around it.
      if (!first || request.params['id'] !== first.id) return shown
      return [{ ...shown[0], ...(await projectTree(parts, first, request)) }]
    },
    async beforeCreate(body, { tx, context }) {
      const place = body.is_domain
        ? { domain_id: null, parent_id: null, name_scope: domainsScope }
        : await placeOf(tx, body.domain_id ?? domainOf(context), body.parent_id ?? null, maxDepthOf(parts.config))
      await refuseSameName(tx, place.name_scope, body.name)
      return { ...place, name: body.name.trim() }
    },
    async afterCreate(row, { tx, request, afterCommit }) {
      await setTags(tx, row.id, tagsIn(request.body) ?? [])
      parts.changed(afterCommit)
    },
    async beforeUpdate(row, body, { tx, request }) {
      refuseImmutable('project', row, body)
      const name = newName(row, body)
      if (name !== undefined) await refuseSameName(tx, row.name_scope, name)
      if (body.enabled !== undefined && body.enabled !== row.enabled) await checkBranch(tx, row, body.enabled)
      const tags = tagsIn(request.body)
      if (tags) await setTags(tx, row.id, tags)
      return merged(row, body)
    },
    async afterUpdate(row, before, { tx, afterCommit }) {
      if (before.enabled && !row.enabled)
        await parts.tokens.revoke(tx, row.is_domain ? { domainId: row.id } : { projectId: row.id })
      parts.changed(afterCommit)
    },
    async beforeDelete(row, { tx, afterCommit }) {
      refuseImmutable('project', row)
      if (row.is_domain && row.enabled)
        throw refusedAction('Cannot delete a domain that is enabled, please disable it first.')
      if ((await children(tx, [row.id])).length > 0)
        throw refusedAction(`Cannot delete the project ${row.id} since it is not a leaf in the hierarchy.`)
      if (row.is_domain) await removeAssignmentsOfDomain(tx, row.id)
      await removeTarget(tx, { type: 'project', id: row.id })
      await tx.updateTable('users').set({ default_project_id: null }).where('default_project_id', '=', row.id).execute()
      await parts.tokens.revoke(tx, { projectId: row.id })
      parts.changed(afterCommit)
    },
  }
}

/** Tags of a body; its schema has been checked. */
export const tagsIn = (body: unknown): readonly string[] | undefined =>
  Object.values(body as Record<string, { tags?: readonly string[] }>)[0]?.tags

/** Rows without what is never shown, with their tags. */
export async function decorated(
  db: Db,
  rows: readonly (Pick<Project, 'id'> & { name_scope: string })[],
): Promise<object[]> {
  const tags = await tagsOf(
    db,
    rows.map(row => row.id),
  )
  return rows.map(({ name_scope: _, ...row }) => ({ ...row, tags: tags.get(row.id) ?? [] }))
}

/** The same for rows as their table has them. */
export function shownProjects(db: Db, rows: readonly ProjectRow[]): Promise<object[]> {
  return decorated(db, rows.map(readProject))
}

const readProject = (row: ProjectRow): Project =>
  ({
    ...row,
    is_domain: row.is_domain === 1,
    enabled: row.enabled === 1,
    options: JSON.parse(row.options),
    extra: JSON.parse(row.extra ?? '{}'),
  }) as Project

async function placeOf(tx: Db, domainId: string, parentId: string | null, maxDepth: number) {
  const domain = await findDomain(tx, { id: domainId })
  if (!domain) throw invalid('domain_id', `names no domain: ${domainId}`)
  const place = { domain_id: domainId, parent_id: parentId ?? domainId, name_scope: domainId }
  if (place.parent_id === domainId) {
    if (!domain.enabled) throw disabledBranch(domainId)
    return place
  }
  const parent = await findProject(tx, place.parent_id)
  if (!parent) throw invalid('parent_id', `names no project: ${place.parent_id}`)
  if (parent.domain_id !== domainId) throw invalid('parent_id', 'is not of the domain of the new project')
  const above = await ancestors(tx, parent)
  const disabled = [parent, ...above].find(row => !row.enabled)
  if (disabled) throw disabledBranch(disabled.id)
  if (above.length + 2 > maxDepth)
    throw refusedAction(`Max hierarchy depth reached for ${parent.id} branch: it may be ${maxDepth} deep.`)
  return place
}

const disabledBranch = (id: string) =>
  refusedAction(`Cannot create project in a branch containing a disabled project: ${id}.`)

async function refuseSameName(tx: Db, scope: string, name: string): Promise<void> {
  if (await findProjectByName(tx, scope, name.trim()))
    throw scope === domainsScope
      ? duplicate('domain', `name ${name}`)
      : duplicate('project', `name ${name} at domain ID ${scope}`)
}

async function checkBranch(tx: Db, row: Project, enable: boolean): Promise<void> {
  if (enable) {
    const parent = row.parent_id === null ? undefined : await findProject(tx, row.parent_id)
    if (parent && !parent.is_domain && !parent.enabled)
      throw refusedAction(`Cannot enable project ${row.id} since it has disabled parents.`)
    return
  }
  const below = row.is_domain ? [] : await children(tx, [row.id])
  if (below.some(child => child.enabled))
    throw refusedAction(`Cannot disable project ${row.id} since its subtree contains enabled projects.`)
}
