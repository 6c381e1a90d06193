/** Domains: projects that act as domains. Only a disabled one can be deleted, and all that it owns goes with it. */
import type { Hooks } from '@strata/toolkit/resource'
import { duplicate, refusedAction } from '../contract/errors.ts'
import type { domain } from '../contract/project.ts'
import { removeAssignmentsOfDomain } from '../store/assignment.ts'
import { domainsScope, findDomain, setTags } from '../store/project.ts'
import type { Db } from '../store/tables.ts'
import { merged, newName, ofCallersDomain, partFilters, refuseImmutable } from './common.ts'
import type { Parts } from './parts.ts'
import { decorated, tagsIn } from './project.ts'

export function domainHooks(parts: Parts): Hooks<typeof domain.fields> {
  return {
    tellsMissing: ['update', 'delete'],
    restrict: (context, verb) => [eb => eb('is_domain', '=', 1), ...ofCallersDomain('id')(context, verb)],
    filters: partFilters('name'),
    target: (values, context) => ({
      target: { domain: { ...values, id: values['id'] ?? (context.domainId || undefined) } },
    }),
    async decorate(rows, _request, db) {
      const shown = (await decorated(db, rows)) as Record<string, unknown>[]
      return shown.map(({ is_domain: _, ...row }) => row)
    },
    async beforeCreate(body, { tx }) {
      await refuseSameName(tx, body.name)
      const id = body.explicit_domain_id
      if (id !== undefined && id !== null && (await findDomain(tx, { id }))) throw duplicate('domain', `ID ${id}`)
      return { ...(id && { id }), is_domain: true, name_scope: domainsScope, name: body.name.trim() }
    },
    async afterCreate(row, { tx, request }) {
      await setTags(tx, row.id, tagsIn(request.body) ?? [])
    },
    async beforeUpdate(row, body, { tx, request }) {
      refuseImmutable('domain', row, body)
      const name = newName(row, body)
      if (name !== undefined) await refuseSameName(tx, name)
      const tags = tagsIn(request.body)
      if (tags) await setTags(tx, row.id, tags)
      return merged(row, body)
    },
    async afterUpdate(row, before, { tx, afterCommit }) {
      if (before.enabled && !row.enabled) await parts.tokens.revoke(tx, { domainId: row.id })
      parts.changed(afterCommit)
    },
    async beforeDelete(row, { tx, afterCommit }) {
      refuseImmutable('domain', row)
      if (row.enabled) throw refusedAction('Cannot delete a domain that is enabled, please disable it first.')
      await removeAssignmentsOfDomain(tx, row.id)
      parts.changed(afterCommit)
    },
  }
}

async function refuseSameName(tx: Db, name: string): Promise<void> {
  if (await findDomain(tx, { name: name.trim() })) throw duplicate('domain', `name ${name}`)
}
