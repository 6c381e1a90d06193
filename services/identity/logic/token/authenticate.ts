/** Login: who is asking (by password, by an earlier token, or both), and to what they may scope. */
import { expectedToFind, loginFailed, unsupportedMethod } from '../../contract/errors.ts'
import type { AuthRequest, Ref, RefInDomain } from '../../contract/token.ts'
import { findDomain, findProject, findProjectByName } from '../../store/project.ts'
import type { Db } from '../../store/tables.ts'
import { findUser, findUserByName, passwordHash, type UserRow } from '../../store/user.ts'
import type { Parts } from '../parts.ts'
import { type Method, methods, type TokenPayload, type TokenScope } from '../rules/token-payload.ts'
import type { IssuedToken } from './tokens.ts'

type Given = AuthRequest['auth']

/** Throws a 401 in the same words whatever was wrong; a 400 for a request that makes no sense. */
export async function authenticate(parts: Parts, { auth }: AuthRequest): Promise<IssuedToken> {
  // Taken before anything is looked at: a password that is changed meanwhile ends this token too.
  const issuedAt = parts.runtime.now()
  const asked = auth.identity.methods
  if (!asked.every(method => (methods as readonly string[]).includes(method))) throw unsupportedMethod()
  const from = asked.includes('token') ? await byToken(parts, auth) : undefined
  const user = asked.includes('password') ? await byPassword(parts, auth) : undefined
  if (from && user && from.userId !== user.id) throw loginFailed()
  const userId = user?.id ?? from!.userId
  const used = [...new Set([...(from?.methods ?? []), ...(asked as Method[])])]
  const issue = (scope: TokenScope) => parts.tokens.issue({ userId, scope, methods: used, issuedAt, from })
  const token = await (auth.scope === undefined || isEmpty(auth.scope)
    ? issueDefault(parts, userId, issue)
    : issue(await scopeOf(parts.store.db, auth.scope)))
  if (!token) throw loginFailed()
  return token
}

const isEmpty = (scope: object | string) => typeof scope === 'object' && Object.keys(scope).length === 0

async function byToken(parts: Parts, auth: Given): Promise<TokenPayload> {
  if (!auth.identity.token) throw expectedToFind('token', 'identity')
  const token = await parts.tokens.check(auth.identity.token.id)
  if (!token) throw loginFailed()
  return token.payload
}

async function byPassword(parts: Parts, auth: Given): Promise<UserRow> {
  const given = auth.identity.password?.user
  if (!given) throw expectedToFind('password', 'identity')
  const { db } = parts.store
  const user = await findLogin(db, given)
  const hash = user && (await passwordHash(db, user.id))
  const right = await parts.passwords.verify(user?.id ?? '', hash, given.password)
  if (!user || !right) throw loginFailed()
  return user
}

async function findLogin(db: Db, given: RefInDomain): Promise<UserRow | undefined> {
  if (given.id !== undefined) return findUser(db, given.id)
  if (!given.domain) throw expectedToFind('domain', 'user')
  const domain = await findDomain(db, given.domain)
  return domain && findUserByName(db, domain.id, given.name ?? '')
}

/** The user's default project where that is possible, else a token without a scope. */
async function issueDefault(
  parts: Parts,
  userId: string,
  issue: (scope: TokenScope) => Promise<IssuedToken | undefined>,
): Promise<IssuedToken | undefined> {
  const user = await findUser(parts.store.db, userId)
  const id = user?.default_project_id ?? undefined
  const token = id === undefined ? undefined : await issue({ type: 'project', id })
  return token ?? issue({ type: 'unscoped' })
}

async function scopeOf(db: Db, scope: NonNullable<Given['scope']>): Promise<TokenScope> {
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
