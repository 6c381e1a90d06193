/** What a token is asked for. */
import { expectedToFind, loginFailed } from '../../contract/errors.ts'
import type { AuthRequest, Ref, RefInDomain } from '../../contract/token.ts'
import { findDomain, findProject, findProjectByName } from '../../store/project.ts'
import type { Db } from '../../store/tables.ts'
import type { TokenScope } from '../rules/token-payload.ts'

export type AskedScope = NonNullable<AuthRequest['auth']['scope']>

export const trustIn = ({ scope }: { readonly scope?: AskedScope }): string | undefined =>
  typeof scope === 'object' ? scope['OS-TRUST:trust']?.id : undefined

export const isEmpty = (scope: object | string) => typeof scope === 'object' && Object.keys(scope).length === 0

/** Throws `loginFailed()` when there is no such scope; a 400 when it names none. */
export async function scopeOf(db: Db, scope: AskedScope): Promise<TokenScope> {
  if (scope === 'unscoped' || scope.unscoped) return { type: 'unscoped' }
  if (scope.system) {
    if (scope.system.all !== true) throw expectedToFind('all', 'system')
    return { type: 'system' }
  }
  if (scope.domain) return { type: 'domain', id: (await required(findDomain(db, scope.domain))).id }
  if (scope.project) return { type: 'project', id: await projectId(db, scope.project) }
  throw expectedToFind('project, domain or system', 'scope')
}

async function projectId(db: Db, given: RefInDomain): Promise<string> {
  if (given.id !== undefined) return (await required(findProject(db, given.id))).id
  if (!given.domain) throw expectedToFind('domain', 'project')
  const domain = await required(findDomain(db, given.domain as Ref))
  return (await required(findProjectByName(db, domain.id, given.name ?? ''))).id
}

async function required<T>(found: Promise<T | undefined>): Promise<T> {
  const row = await found
  if (!row) throw loginFailed()
  return row
}
