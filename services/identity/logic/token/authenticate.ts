/** Login: who is asking (by one method or several, that agree), and to what they may scope. */
import {
  applicationCredentialScoped,
  delegationScoped,
  expectedToFind,
  loginFailed,
  notTrustee,
  trustExhausted,
  unsupportedMethod,
} from '../../contract/errors.ts'
import type { AuthRequest, Ref, RefInDomain } from '../../contract/token.ts'
import { applicationCredentialsOf, findApplicationCredential } from '../../store/application-credential.ts'
import { findDomain, findProject, findProjectByName } from '../../store/project.ts'
import type { Db } from '../../store/tables.ts'
import { findTrust, trustChain, useTrust } from '../../store/trust.ts'
import { findUser, findUserByName, passwordHash, type UserRow } from '../../store/user.ts'
import type { Parts } from '../parts.ts'
import { parseTime } from '../rules/times.ts'
import type { Delegation, Method, TokenPayload, TokenScope } from '../rules/token-payload.ts'
import { endOf } from '../trust.ts'
import { trustPlace } from './delegation.ts'
import type { IssuedToken } from './tokens.ts'

type Given = AuthRequest['auth']

/** What one method found out. */
interface Proof {
  readonly userId: string
  /** The token that was shown. */
  readonly from?: TokenPayload
  /** Binds the new token to that scope, and to no other. */
  readonly delegation?: Delegated
}

interface Delegated {
  readonly by: Delegation
  /** Whom the token acts as, where that is not who logged in. */
  readonly actsAs?: string
  readonly scope: TokenScope
  readonly notAfter?: number
}

/** `ec2credential` is not among them: a signature is checked for a service, not for who signed. */
const provers: Partial<Record<string, (parts: Parts, auth: Given) => Promise<Proof>>> = {
  password: byPassword,
  token: byToken,
  application_credential: byApplicationCredential,
}

/** Throws a 401 in the same words whatever was wrong; a 400 for a request that makes no sense. */
export async function authenticate(parts: Parts, { auth }: AuthRequest): Promise<IssuedToken> {
  // Taken before anything is looked at: a password that is changed meanwhile ends this token too.
  const issuedAt = parts.runtime.now()
  const asked = [...new Set(auth.identity.methods)]
  const proofs: Proof[] = []
  for (const method of asked) {
    const prove = Object.hasOwn(provers, method) ? provers[method] : undefined
    if (!prove) throw unsupportedMethod()
    proofs.push(await prove(parts, auth))
  }
  const userId = proofs[0]!.userId
  if (proofs.some(proof => proof.userId !== userId)) throw loginFailed()
  const from = proofs.find(proof => proof.from)?.from
  const trustId = trustIn(auth)
  const delegation =
    trustId === undefined ? proofs.find(proof => proof.delegation)?.delegation : await byTrust(parts, userId, trustId)
  const about = {
    userId: delegation?.actsAs ?? userId,
    methods: [...new Set([...(from?.methods ?? []), ...(asked as Method[])])],
    issuedAt,
    from,
    delegation: delegation?.by,
    notAfter: delegation?.notAfter,
  }
  const issue = (scope: TokenScope) => parts.tokens.issue({ ...about, scope })
  const token = await (delegation
    ? issue(delegation.scope)
    : auth.scope === undefined || isEmpty(auth.scope)
      ? issueDefault(parts, userId, issue)
      : issue(await scopeOf(parts.store.db, auth.scope)))
  if (!token) throw loginFailed()
  if (trustId !== undefined && !(await useTrust(parts.store.db, trustId))) throw trustExhausted(trustId)
  return token
}

const trustIn = ({ scope }: Given): string | undefined =>
  typeof scope === 'object' ? scope['OS-TRUST:trust']?.id : undefined

async function byTrust(parts: Parts, userId: string, id: string): Promise<Delegated> {
  const trust = await findTrust(parts.store.db, id)
  if (!trust) throw loginFailed()
  if (trust.trustee_user_id !== userId) throw notTrustee()
  const ends = (await trustChain(parts.store.db, trust)).map(one => endOf(one) ?? Number.POSITIVE_INFINITY)
  const notAfter = Math.min(...ends)
  if (notAfter <= parts.runtime.now()) throw loginFailed()
  const { userId: actsAs, scope } = trustPlace(trust)
  return { by: { type: 'trust', id }, actsAs, scope, notAfter }
}

const isEmpty = (scope: object | string) => typeof scope === 'object' && Object.keys(scope).length === 0

async function byToken(parts: Parts, auth: Given): Promise<Proof> {
  if (!auth.identity.token) throw expectedToFind('token', 'identity')
  const token = await parts.tokens.check(auth.identity.token.id)
  if (!token) throw loginFailed()
  const from = token.payload
  const { userId, scope, delegation: by } = from
  if (!by) return { userId, from }
  // Each token by a trust is one of its uses.
  if (by.type === 'trust' || trustIn(auth) !== undefined) throw delegationScoped()
  // Elsewhere, or unscoped, it would be free of the limits under which it was given.
  if (auth.scope !== undefined && !sameScope(scope, await scopeOf(parts.store.db, auth.scope))) throw delegationScoped()
  return { userId, from, delegation: { by, scope } }
}

const sameScope = (one: TokenScope, other: TokenScope): boolean =>
  one.type === other.type && 'id' in one && 'id' in other && one.id === other.id

async function byPassword(parts: Parts, auth: Given): Promise<Proof> {
  const given = auth.identity.password?.user
  if (!given) throw expectedToFind('password', 'identity')
  const { db } = parts.store
  const user = await findLogin(db, given)
  const hash = user && (await passwordHash(db, user.id))
  const right = await parts.passwords.verify(user?.id ?? '', hash, given.password)
  if (!user || !right) throw loginFailed()
  return { userId: user.id }
}

async function byApplicationCredential(parts: Parts, auth: Given): Promise<Proof> {
  const given = auth.identity.application_credential
  if (!given) throw expectedToFind('application_credential', 'identity')
  if (auth.scope !== undefined) throw applicationCredentialScoped()
  const found = await findGivenCredential(parts.store.db, given)
  const right = await parts.passwords.verify(found?.id ?? '', found?.hash, given.secret)
  if (!found || !right) throw loginFailed()
  const end = found.expires_at === null ? undefined : parseTime(found.expires_at)?.at
  if (end !== undefined && end <= parts.runtime.now()) throw loginFailed()
  return {
    userId: found.user_id,
    delegation: {
      by: { type: 'application_credential', id: found.id },
      scope: { type: 'project', id: found.project_id },
      notAfter: end,
    },
  }
}

async function findGivenCredential(db: Db, given: NonNullable<Given['identity']['application_credential']>) {
  if (given.id !== undefined) return findApplicationCredential(db, given.id)
  if (!given.user) throw expectedToFind('user', 'application_credential')
  const user = await findLogin(db, given.user)
  return user && (await applicationCredentialsOf(db, user.id, given.name ?? ''))[0]
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
