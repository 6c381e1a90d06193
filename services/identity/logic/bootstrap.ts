/**
 * What a cloud needs before anybody can log in, made at each start where it is missing: the default domain, the roles and
 * what they imply, the projects `admin`, `demo` and `service` with their users, and the catalog. What an operator has changed
 * since stays, but for passwords and addresses, which are told by the configuration.
 */
import { repository } from '@strata/toolkit/resource'
import type { Transaction } from '@strata/toolkit/store'
import { endpoint, interfaces, service } from '../contract/catalog.ts'
import { domain, project } from '../contract/project.ts'
import { role } from '../contract/role.ts'
import { type UserOptions, user } from '../contract/user.ts'
import { addAssignment, type Target } from '../store/assignment.ts'
import { addRegion, allEndpoints, allServices, regionExists } from '../store/catalog.ts'
import { clearFailures, passwordHash, setActive, setPasswordExpiry } from '../store/password.ts'
import { domainsScope, findDomain, findProjectByName } from '../store/project.ts'
import { addImplication, findRoleByName, globalScope } from '../store/role.ts'
import type { Tables } from '../store/tables.ts'
import { findUserByName } from '../store/user.ts'
import { newId, type Parts } from './parts.ts'
import { keepPassword } from './password/change.ts'
import { randomPasswordCost } from './password/hash.ts'
import { dayOf } from './rules/compliance.ts'

type Tx = Transaction<Tables>

export interface BootstrapPlan {
  /** `http://127.0.0.1:5000`, without a trailing slash. */
  readonly publicUrl: string
  /** `RegionOne` unless given. */
  readonly region?: string
  readonly adminPassword: string
  readonly demoPassword: string
  /** Of the service's user; random, since it is hashed at little cost. */
  servicePassword(service: string): string
  /** `path` is appended to `publicUrl`: `/compute/v2.1`. */
  readonly services: readonly {
    readonly type: string
    readonly name: string
    readonly description: string
    readonly path: string
  }[]
}

const defaultDomain = 'default'
const defaultRegion = 'RegionOne'
const roleNames = ['admin', 'manager', 'member', 'reader', 'service'] as const
type RoleName = (typeof roleNames)[number]
const implied: readonly (readonly [RoleName, RoleName])[] = [
  ['admin', 'manager'],
  ['manager', 'member'],
  ['member', 'reader'],
]

interface Login {
  readonly name: string
  readonly password: string
  readonly project: string
  readonly roles: readonly RoleName[]
  readonly cost?: number
  readonly options?: UserOptions
}

/** Services have passwords that nobody guesses and nobody changes, and the cloud stands still when they cannot log in. */
const ofServices: UserOptions = {
  ignore_change_password_upon_first_use: true,
  ignore_password_expiry: true,
  ignore_lockout_failure_attempts: true,
  ignore_user_inactivity: true,
}

export async function bootstrap(parts: Parts, plan: BootstrapPlan): Promise<void> {
  const logins: Login[] = [
    { name: 'admin', password: plan.adminPassword, project: 'admin', roles: ['admin'] },
    { name: 'demo', password: plan.demoPassword, project: 'demo', roles: ['member'] },
    ...plan.services.map(
      (one): Login => ({
        name: one.name,
        password: plan.servicePassword(one.name),
        project: 'service',
        roles: ['admin', 'service'],
        cost: randomPasswordCost,
        options: ofServices,
      }),
    ),
  ]
  const hashes = await newHashes(parts, logins)
  await parts.store.transaction(async (tx, afterCommit) => {
    await ensureDomain(tx)
    const roles = await ensureRoles(parts, tx)
    for (const login of logins) {
      const projectId = await ensureProject(parts, tx, login.project)
      const userId = await ensureUser(parts, tx, login, projectId)
      const hash = hashes.get(login.name)
      if (hash !== undefined) {
        // Known from the configuration and changed there: it does not expire.
        await keepPassword(parts, tx, { userId, hash, by: 'administrator' })
        await setPasswordExpiry(tx, userId, null)
        await parts.tokens.revoke(tx, { userId })
      }
      for (const name of login.roles) await grant(tx, userId, roles.get(name)!, { type: 'project', id: projectId })
      if (login.name === 'admin') {
        await grant(tx, userId, roles.get('admin')!, { type: 'system', id: 'all' })
        // Whoever starts the cloud can always get in again.
        await clearFailures(tx, userId)
        await setActive(tx, userId, dayOf(parts.runtime.now()))
      }
    }
    await ensureCatalog(parts, tx, plan)
    parts.changed(afterCommit)
  })
}

/** Hashes of the passwords that are new or changed, by name of the user; made before the transaction, for hashing is slow. */
async function newHashes(parts: Parts, logins: readonly Login[]): Promise<Map<string, string>> {
  const { db } = parts.store
  const made = logins.map(async ({ name, password, cost }) => {
    const found = await findUserByName(db, defaultDomain, name)
    const hash = found && (await passwordHash(db, found.id))
    if (found && hash !== undefined && (await parts.passwords.verify(found.id, hash, password))) return []
    return [[name, await parts.passwords.hash(password, { cost })] as const]
  })
  return new Map((await Promise.all(made)).flat())
}

async function ensureDomain(tx: Tx): Promise<void> {
  if (await findDomain(tx, { id: defaultDomain })) return
  await repository(domain).insert(tx, {
    id: defaultDomain,
    name: 'Default',
    description: 'The default domain',
    is_domain: true,
    name_scope: domainsScope,
    extra: {},
  })
}

async function ensureRoles(parts: Parts, tx: Tx): Promise<Map<RoleName, string>> {
  const ids = new Map<RoleName, string>()
  for (const name of roleNames) {
    const found = await findRoleByName(tx, name)
    const id = found?.id ?? newId(parts.runtime)
    if (!found)
      await repository(role).insert(tx, {
        id,
        name,
        name_scope: globalScope,
        options: { immutable: true },
        extra: {},
      })
    ids.set(name, id)
  }
  for (const [prior, next] of implied)
    await addImplication(tx, { prior_role_id: ids.get(prior)!, implied_role_id: ids.get(next)! })
  return ids
}

async function ensureProject(parts: Parts, tx: Tx, name: string): Promise<string> {
  const found = await findProjectByName(tx, defaultDomain, name)
  if (found) return found.id
  const id = newId(parts.runtime)
  await repository(project).insert(tx, {
    id,
    name,
    domain_id: defaultDomain,
    parent_id: defaultDomain,
    is_domain: false,
    name_scope: defaultDomain,
    extra: {},
  })
  return id
}

async function ensureUser(parts: Parts, tx: Tx, login: Login, projectId: string): Promise<string> {
  const found = await findUserByName(tx, defaultDomain, login.name)
  if (found) return found.id
  const id = newId(parts.runtime)
  await repository(user).insert(tx, {
    id,
    name: login.name,
    domain_id: defaultDomain,
    default_project_id: projectId,
    options: login.options ?? {},
    extra: {},
  })
  await setActive(tx, id, dayOf(parts.runtime.now()))
  return id
}

const grant = (db: Tx, userId: string, roleId: string, target: Target) =>
  addAssignment(db, {
    actor_type: 'user',
    actor_id: userId,
    target_type: target.type,
    target_id: target.id,
    role_id: roleId,
    inherited: 0,
  })

async function ensureCatalog(parts: Parts, tx: Tx, plan: BootstrapPlan): Promise<void> {
  const region = plan.region ?? defaultRegion
  if (!(await regionExists(tx, region))) await addRegion(tx, region)
  const [services, endpoints] = [await allServices(tx), await allEndpoints(tx)]
  for (const wanted of plan.services) {
    const url = plan.publicUrl + wanted.path
    const known = services.find(one => one.type === wanted.type && one.name === wanted.name)
    const serviceId = known?.id ?? newId(parts.runtime)
    if (!known) {
      const { type, name, description } = wanted
      await repository(service).insert(tx, { id: serviceId, type, name, description, enabled: true, extra: {} })
    }
    for (const kind of interfaces) {
      const here = endpoints.find(
        one => one.service_id === serviceId && one.interface === kind && one.region_id === region,
      )
      if (!here)
        await repository(endpoint).insert(tx, {
          id: newId(parts.runtime),
          interface: kind,
          service_id: serviceId,
          region_id: region,
          url,
          extra: {},
        })
      else if (here.url !== url) await tx.updateTable('endpoints').set({ url }).where('id', '=', here.id).execute()
    }
  }
}
