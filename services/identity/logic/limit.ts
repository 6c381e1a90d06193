/** Registered limits, and what projects and domains have instead. */
import { createHash } from 'node:crypto'
import type { RequestContext } from '@strata/toolkit/context'
import type { Condition, Hooks } from '@strata/toolkit/resource'
import { sql } from '@strata/toolkit/store'
import { duplicate, invalid, refusedAction } from '../contract/errors.ts'
import type { limit, registeredLimit } from '../contract/limit.ts'
import { regionExists, serviceExists } from '../store/catalog.ts'
import { findLimit, findRegisteredLimit, hasLimits, limitsWithin, type RegisteredLimitRow } from '../store/limit.ts'
import { findDomain, findProject } from '../store/project.ts'
import type { Db } from '../store/tables.ts'
import type { Parts } from './parts.ts'
import { domainLimitProblem, projectLimitProblem } from './rules/limits.ts'

/** What a limit is about. */
interface Subject {
  readonly service_id: string
  readonly region_id?: string | null
  readonly resource_name: string
}
interface Owner {
  readonly project_id?: string | null
  readonly domain_id?: string | null
}

const keyOf = (parts: readonly (string | null | undefined)[]): string =>
  createHash('sha256')
    .update(JSON.stringify(parts.map(part => part ?? null)))
    .digest('hex')
const subjectKey = (one: Subject) => keyOf([one.service_id, one.region_id, one.resource_name])
const limitKey = (one: Subject & Owner) =>
  keyOf([one.project_id, one.domain_id, one.service_id, one.region_id, one.resource_name])

export function registeredLimitHooks(): Hooks<typeof registeredLimit.fields> {
  const hidden = <R extends { readonly uniqueness: string }>({ uniqueness: _, ...row }: R) => row
  const refuseUsed = async (tx: Db, id: string) => {
    if (await hasLimits(tx, id))
      throw refusedAction(
        `Unable to update or delete registered limit ${id} because there are project limits associated with it.`,
      )
  }
  return {
    target: values => ({ target: { registered_limit: values } }),
    decorate: rows => rows.map(hidden),
    async beforeCreate(body, { tx }) {
      await refuseUnknown(tx, body)
      return { uniqueness: await newSubjectKey(tx, body) }
    },
    async beforeUpdate(row, body, { tx }) {
      const next = { ...row, ...body }
      if (subjectKey(next) === row.uniqueness) return {}
      await refuseUsed(tx, row.id)
      await refuseUnknown(tx, next)
      return { uniqueness: await newSubjectKey(tx, next) }
    },
    beforeDelete: (row, { tx }) => refuseUsed(tx, row.id),
  }
}

async function newSubjectKey(tx: Db, subject: Subject): Promise<string> {
  const key = subjectKey(subject)
  if (await findRegisteredLimit(tx, key))
    throw duplicate('registered_limit', `resource_name ${subject.resource_name} of the service ${subject.service_id}`)
  return key
}

async function refuseUnknown(tx: Db, { service_id: serviceId, region_id: regionId }: Subject): Promise<void> {
  if (!(await serviceExists(tx, serviceId))) throw invalid('service_id', `names no service: ${serviceId}`)
  if (regionId && !(await regionExists(tx, regionId))) throw invalid('region_id', `names no region: ${regionId}`)
}

export function limitHooks({ config }: Parts): Hooks<typeof limit.fields> {
  const strict = config.limit_enforcement_model === 'strict_two_level'
  const seesAll = (context: RequestContext) => context.scope !== 'domain' && context.can('identity:get_limit', {})
  return {
    restrict: (context, verb) => (verb !== 'list' || seesAll(context) ? [] : [visibleTo(context)]),
    async target(values, _context, db) {
      const projectId = values['project_id']
      const project = typeof projectId === 'string' ? await findProject(db as unknown as Db, projectId) : undefined
      return { target: { limit: { ...values, project, domain: { id: values['domain_id'] } } } }
    },
    decorate: rows => rows.map(({ uniqueness: _, registered_limit_id: __, ...row }) => row),
    async beforeCreate(body, { tx, given }) {
      // Of the project that is named, never of the one that the token happens to be of.
      const owner: Owner = {
        project_id: (given['project_id'] as string | undefined) ?? null,
        domain_id: body.domain_id,
      }
      await refuseUnknownOwner(tx, owner)
      await refuseUnknown(tx, body)
      const registered = await findRegisteredLimit(tx, subjectKey(body))
      if (!registered) throw refusedAction('Unable to create a limit that has no corresponding registered limit.')
      const uniqueness = limitKey({ ...body, ...owner })
      if (await findLimit(tx, uniqueness)) throw duplicate('limit', `resource_name ${body.resource_name}`)
      if (strict) await refuseUneven(tx, { ...body, ...owner }, body.resource_limit, registered)
      return { ...owner, registered_limit_id: registered.id, uniqueness }
    },
    async beforeUpdate(row, body, { tx }) {
      const registered = await findRegisteredLimit(tx, subjectKey(row))
      if (strict && registered) await refuseUneven(tx, row, body.resource_limit ?? row.resource_limit, registered)
      return {}
    },
  }
}

/** Those of the caller's project; with a token of a domain, of the domain and its projects. */
function visibleTo({ scope, projectId, domainId }: RequestContext): Condition {
  if (scope === 'project') return eb => eb('project_id', '=', projectId)
  if (scope !== 'domain') return () => sql<boolean>`1 = 0`
  return eb =>
    eb.or([
      eb('domain_id', '=', domainId),
      eb(
        'project_id',
        'in',
        eb.selectFrom('projects').select('projects.id').where('projects.domain_id', '=', domainId),
      ),
    ])
}

async function refuseUnknownOwner(tx: Db, { project_id: projectId, domain_id: domainId }: Owner): Promise<void> {
  if (Boolean(projectId) === Boolean(domainId)) throw invalid('project_id', 'or domain_id must be given, and not both')
  if (projectId && !(await findProject(tx, projectId))) throw invalid('project_id', `names no project: ${projectId}`)
  if (domainId && !(await findDomain(tx, { id: domainId }))) throw invalid('domain_id', `names no domain: ${domainId}`)
}

/** Throws a 403 when the strict two-level model does not allow the limit. */
async function refuseUneven(
  tx: Db,
  about: Subject & Owner,
  amount: number,
  registered: RegisteredLimitRow,
): Promise<void> {
  const problem = about.domain_id
    ? domainLimitProblem(
        amount,
        (await limitsWithin(tx, about.domain_id, registered.id)).map(row => row.resource_limit),
      )
    : projectLimitProblem(amount, await domainsLimit(tx, about, registered))
  if (problem !== undefined) throw refusedAction(`Invalid resource limit: ${problem}.`)
}

/** The limit of the domain of a project: its own, or else the registered one. */
async function domainsLimit(tx: Db, about: Subject & Owner, registered: RegisteredLimitRow): Promise<number> {
  const project = await findProject(tx, about.project_id ?? '')
  const own = await findLimit(tx, limitKey({ ...about, project_id: null, domain_id: project?.domain_id ?? null }))
  return own?.resource_limit ?? registered.default_limit
}
