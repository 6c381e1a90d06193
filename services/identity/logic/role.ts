/** Roles and what they imply. */
import type { Hooks } from '@strata/toolkit/resource'
import { duplicate, missing, refusedAction } from '../contract/errors.ts'
import type { role } from '../contract/role.ts'
import { findDomain } from '../store/project.ts'
import {
  addImplication,
  allRoles,
  findRole,
  findRoleByName,
  globalScope,
  implications,
  type RoleRow,
  removeImplication,
} from '../store/role.ts'
import type { Db } from '../store/tables.ts'
import { merged, newName, partFilters, refuseImmutable } from './common.ts'
import type { Parts } from './parts.ts'
import { wouldCircle } from './rules/roles.ts'

export function roleHooks(parts: Parts): Hooks<typeof role.fields> {
  return {
    tellsMissing: ['show', 'update', 'delete'],
    filters: {
      ...partFilters('name'),
      domain_id(values, context) {
        const domainId = values.at(-1)
        if (domainId) context.enforce('identity:list_domain_roles')
        return eb => eb('name_scope', '=', domainId || globalScope)
      },
    },
    restrict: () => [],
    target: values => ({ target: { role: values } }),
    decorate(rows, { context, params }) {
      const [first] = rows
      if (first?.domain_id && params['id'] === first.id) context.enforce('identity:get_domain_role')
      return rows.map(({ name_scope: _, ...row }) => row)
    },
    async beforeCreate(body, { tx, context }) {
      if (body.domain_id) {
        context.enforce('identity:create_domain_role')
        if (!(await findDomain(tx, { id: body.domain_id }))) throw missing('domain', body.domain_id)
      }
      const scope = body.domain_id ?? globalScope
      await refuseSameName(tx, scope, body.name)
      return { name_scope: scope, name: body.name.trim() }
    },
    async beforeUpdate(row, body, { tx, context }) {
      if (row.domain_id) context.enforce('identity:update_domain_role')
      refuseImmutable('role', row, body)
      const name = newName(row, body)
      if (name !== undefined) await refuseSameName(tx, row.name_scope, name)
      return merged(row, body)
    },
    afterUpdate: (_row, _before, { afterCommit }) => parts.changed(afterCommit),
    beforeDelete(row, { context, afterCommit }) {
      if (row.domain_id) context.enforce('identity:delete_domain_role')
      refuseImmutable('role', row)
      parts.changed(afterCommit)
    },
  }
}

export interface Inference {
  readonly prior: RoleRow
  readonly implied: readonly RoleRow[]
}

export function implicationLogic(parts: Parts) {
  const { db } = parts.store
  const roleOf = async (id: string): Promise<RoleRow> => {
    const found = await findRole(db, id)
    if (!found) throw missing('role', id)
    return found
  }
  const inferences = async (): Promise<Inference[]> => {
    const [roles, rules] = [await allRoles(db), await implications(db)]
    const impliedBy = (id: string) => {
      const implied = new Set(rules.filter(rule => rule.prior_role_id === id).map(rule => rule.implied_role_id))
      return roles.filter(one => implied.has(one.id))
    }
    return roles.map(prior => ({ prior, implied: impliedBy(prior.id) })).filter(one => one.implied.length > 0)
  }
  return {
    roleOf,
    inferences,
    async impliedBy(priorId: string): Promise<Inference> {
      const prior = await roleOf(priorId)
      return (await inferences()).find(one => one.prior.id === priorId) ?? { prior, implied: [] }
    },
    async add(prior: RoleRow, implied: RoleRow): Promise<void> {
      if (implied.name === 'admin') throw refusedAction(`${implied.id} cannot be an implied role.`)
      if (implied.domain_id !== null && prior.domain_id === null)
        throw refusedAction(`${implied.id} cannot be an implied role: it is of a domain, and ${prior.id} is global.`)
      await parts.store.transaction(async (tx, afterCommit) => {
        if (wouldCircle(prior.id, implied.id, await implications(tx)))
          throw refusedAction(`${implied.id} cannot be an implied role of ${prior.id}: it implies that one already.`)
        await addImplication(tx, { prior_role_id: prior.id, implied_role_id: implied.id })
        parts.changed(afterCommit)
      })
    },
    /** False when there was none. */
    remove: (prior: RoleRow, implied: RoleRow) =>
      parts.store.transaction(async (tx, afterCommit) => {
        parts.changed(afterCommit)
        return removeImplication(tx, { prior_role_id: prior.id, implied_role_id: implied.id })
      }),
  }
}

async function refuseSameName(tx: Db, scope: string, name: string): Promise<void> {
  if (await findRoleByName(tx, name.trim(), scope)) throw duplicate('role', `name ${name}`)
}
