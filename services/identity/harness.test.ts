/** For identity's own tests: the service with its first-run resources, real logins, and a clock that can be moved. */
import assert from 'node:assert/strict'
import { loadConfig } from '@strata/toolkit/config'
import { systemRuntime } from '@strata/toolkit/runtime'
import type { ServiceEnvironment } from '@strata/toolkit/service'
import { startService, type TestAnswer } from '@strata/toolkit/testing'
import { identity } from './service.ts'

/** Where the tests' requests reach it. */
export const root = 'http://localhost:80/identity/v3'
export const publicUrl = 'http://cloud.example:5000'
export const plan = {
  publicUrl,
  adminPassword: 'admin-secret',
  demoPassword: 'demo-secret',
  servicePassword: (service: string) => `secret-of-${service}`,
  services: [
    { type: 'identity', name: 'keystone', description: 'Identity', path: '/identity' },
    { type: 'compute', name: 'nova', description: 'Compute', path: '/compute/v2.1' },
  ],
}

export interface Login {
  readonly name?: string
  readonly id?: string
  readonly domain?: string
  readonly password?: string
  readonly token?: string
  readonly scope?: unknown
}

export const inProject = (name: string, domain = 'default') => ({ project: { name, domain: { id: domain } } })

export const authBody = ({ name, id, domain = 'default', password, token, scope }: Login) => ({
  auth: {
    identity: token
      ? { methods: ['token'], token: { id: token } }
      : {
          methods: ['password'],
          password: { user: id ? { id, password } : { name, domain: { id: domain }, password } },
        },
    ...(scope !== undefined && { scope }),
  },
})

/** `options` of its section; `environment` is what it is built from, where that is not the tests' own. */
export async function startIdentity(
  options: Readonly<Record<string, unknown>> = {},
  environment: Partial<ServiceEnvironment> = {},
) {
  let ahead = 0
  const runtime = { ...systemRuntime, now: () => systemRuntime.now() + ahead }
  const overrides = { identity: { password_hash_cost: 4, ...options } }
  const config = loadConfig({ known: identity.config, overrides })
  const service = await startService(identity, { bootstrap: plan }, { config, runtime, ...environment })
  const call = (method: string, path: string, as: string, body?: unknown, headers?: Record<string, string>) =>
    service.request(method, path, { as, body, headers })
  const tryLogin = (login: Login) => call('POST', '/v3/auth/tokens', '', authBody(login))
  const login = async (who: Login): Promise<string> => {
    const answer = await tryLogin(who)
    assert.equal(answer.status, 201, answer.text)
    return String(answer.headers['x-subject-token'])
  }
  const admin = await login({ name: 'admin', password: plan.adminPassword, scope: inProject('admin') })
  /** Makes something as the administrator and returns it. */
  const make = async (kind: string, values: object, path = `/v3/${kind}s`) => {
    const answer = await call('POST', path, admin, { [kind]: values })
    assert.equal(answer.status, 201, answer.text)
    return answer.json[kind]
  }
  const roles = async () => {
    const { json } = await call('GET', '/v3/roles', admin)
    return Object.fromEntries(json.roles.map((role: { name: string; id: string }) => [role.name, role.id])) as Record<
      'admin' | 'manager' | 'member' | 'reader' | 'service',
      string
    >
  }
  return {
    service,
    call,
    login,
    tryLogin,
    admin,
    make,
    roles: await roles(),
    /** Lets time pass. */
    advance: (ms: number) => {
      ahead += ms
    },
    show: (token: string, as = admin, query = '') =>
      call('GET', `/v3/auth/tokens${query}`, as, undefined, { 'x-subject-token': token }),
    async grant(path: string, roleId: string) {
      const answer = await call('PUT', `/v3/${path}/roles/${roleId}`, admin)
      assert.equal(answer.status, 204, answer.text)
    },
    close: () => service.close(),
  }
}

export type Identity = Awaited<ReturnType<typeof startIdentity>>

/** The statuses of several answers, for comparing them at once. */
export const statuses = async (answers: readonly Promise<TestAnswer>[]): Promise<number[]> =>
  (await Promise.all(answers)).map(answer => answer.status)
