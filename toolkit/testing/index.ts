/**
 * For tests of services: a service behind a real HTTP pipeline, with a store of its own in a temporary folder, callers made
 * from a role and a scope instead of from passwords, and waiting on conditions instead of for times.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Config, loadConfig } from '../config/index.ts'
import type { TokenInfo } from '../context/index.ts'
import { silentLog } from '../log/index.ts'
import { createLocalBus } from '../messaging/index.ts'
import { createMetrics } from '../metrics/index.ts'
import { systemRuntime, uuidFromName } from '../runtime/index.ts'
import {
  createServer,
  mount,
  type ServiceDefinition,
  type ServiceEnvironment,
  type ServiceInstance,
} from '../service/index.ts'
import { dropDatabase, serviceUrl } from '../store/index.ts'

export { assertTablesMatch } from './tables.ts'

export interface Persona {
  readonly roles?: readonly string[]
  readonly user?: string
  /** Name of a project; `null` for a token without one. */
  readonly project?: string | null
  readonly system?: boolean
}

/** The id that `persona({ project: name })` gives to a project, and likewise users, of that name. */
export const idOf = (name: string): string => uuidFromName(`test:${name}`).replaceAll('-', '')

/** The token text of a made-up caller; roles imply those below them, as admin > manager > member > reader. */
export function persona(who: Persona = {}): string {
  return `test:${JSON.stringify(who)}`
}

const below: Readonly<Record<string, readonly string[]>> = {
  admin: ['admin', 'manager', 'member', 'reader'],
  manager: ['manager', 'member', 'reader'],
  member: ['member', 'reader'],
}

/** What such a token says. */
export function tokenOf(text: string): TokenInfo | undefined {
  if (!text.startsWith('test:')) return undefined
  const who = JSON.parse(text.slice(5)) as Persona
  const domain = { id: 'default', name: 'Default' }
  const user = who.user ?? 'someone'
  const project = who.system || who.project === null ? undefined : (who.project ?? 'alpha')
  return {
    user: { id: idOf(user), name: user, domain },
    project: project === undefined ? undefined : { id: idOf(project), name: project, domain },
    system: who.system,
    roles: [...new Set((who.roles ?? ['member']).flatMap(role => below[role] ?? [role]))].map(name => ({
      id: idOf(name),
      name,
    })),
    methods: ['password'],
    auditIds: ['test'],
    issuedAt: '2026-01-01T00:00:00.000Z',
    expiresAt: '2099-01-01T00:00:00.000Z',
  }
}

export interface TestAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | number | undefined>>
  readonly text: string
  /** The body as JSON; typed loosely, since tests assert its shape. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of any shape
  readonly json: any
}

export interface TestService {
  readonly instance: ServiceInstance
  readonly environment: ServiceEnvironment
  request(
    method: string,
    path: string,
    options?: { as?: string; body?: unknown; headers?: Record<string, string> },
  ): Promise<TestAnswer>
  close(): Promise<void>
}

export interface TestEnvironment {
  readonly environment: ServiceEnvironment
  /** Removes the temporary folder, and the databases where they are on a server. */
  clean(): Promise<void>
}

/**
 * Databases for one test, by name. They are files in `folder` unless `STRATA_TEST_DATABASE` has the URL of a server, on
 * which each test has schemas of its own; with `rehearsed` there, every transaction is run and rolled back once before it is run.
 */
export function testDatabases(folder: string): { url(name: string): string; drop(): Promise<void> } {
  const server = process.env['STRATA_TEST_DATABASE'] ?? ''
  if (server === '' || server === 'rehearsed') {
    const suffix = server === '' ? '' : '?rehearsed'
    return { url: name => `sqlite:${join(folder, `${name}.db`)}${suffix}`, drop: async () => {} }
  }
  const made = new Set<string>()
  const prefix = `t${systemRuntime.uuid().replaceAll('-', '').slice(0, 16)}`
  return {
    url(name) {
      const url = serviceUrl(server, `${prefix}_${name}`)
      made.add(url)
      return url
    },
    async drop() {
      for (const url of made) await dropDatabase(url)
      made.clear()
    },
  }
}

/** For `skip` of tests that look into the files of SQLite: why they cannot, where databases are on a server. */
export const needsFiles: string | false =
  testDatabases('/').url('x') === 'sqlite:/x.db' ? false : 'it looks into the files of SQLite'

/** What a service is built from, with a temporary folder for its database. */
export function testEnvironment(overrides: Partial<ServiceEnvironment> & { config?: Config } = {}): TestEnvironment {
  const folder = mkdtempSync(join(tmpdir(), 'strata-test-'))
  const databases = testDatabases(folder)
  const environment: ServiceEnvironment = {
    config: loadConfig({ known: [] }),
    runtime: systemRuntime,
    log: silentLog,
    metrics: createMetrics(),
    bus: createLocalBus(silentLog),
    verifyToken: async token => tokenOf(token),
    databaseUrl: databases.url,
    stateDir: service => join(folder, service),
    policyOverrides: () => ({}),
    ...overrides,
  }
  return {
    environment,
    async clean() {
      rmSync(folder, { recursive: true, force: true })
      await databases.drop()
    },
  }
}

/** Builds, mounts and starts one service; requests go through the whole pipeline without a socket. */
export async function startService<Extra>(
  definition: ServiceDefinition<Extra>,
  extra: Extra,
  overrides: Partial<ServiceEnvironment> = {},
): Promise<TestService> {
  const { environment, clean } = testEnvironment(overrides)
  const instance = await definition.build(environment, extra)
  const server = createServer()
  const verifyToken = instance.verifyToken ?? environment.verifyToken
  await mount({
    server,
    service: instance,
    ...environment,
    verifyToken,
    thumbprintOf: instance.thumbprintOf,
    identityUrl: () => 'http://localhost/identity',
  })
  await server.ready()
  await instance.start?.()
  return {
    instance,
    environment,
    async request(method, path, { as = persona(), body, headers = {} } = {}) {
      const binary = body instanceof Uint8Array || typeof body === 'string'
      const answer = await server.inject({
        method: method as 'GET',
        url: `/${instance.type}${path}`,
        headers: {
          'x-auth-token': as,
          ...(body === undefined || binary ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        payload: body === undefined ? undefined : binary ? (body as string) : JSON.stringify(body),
      })
      return { status: answer.statusCode, headers: answer.headers, text: answer.payload, json: parse(answer.payload) }
    },
    async close() {
      await server.close()
      await instance.stop()
      await clean()
    },
  }
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Resolves with the first value that is neither undefined nor false; rejects after `ms`, saying what it waited for. */
export async function until<T>(
  what: string,
  probe: () => Promise<T | undefined | false> | T | undefined | false,
  ms = 10_000,
): Promise<T> {
  const end = performance.now() + ms
  for (;;) {
    const value = await probe()
    if (value !== undefined && value !== false) return value
    if (performance.now() > end) throw new Error(`waited ${ms} ms in vain until ${what}`)
    await systemRuntime.sleep(5)
  }
}
