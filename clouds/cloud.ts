/** The one-process cloud: every service on one server, one database file each, messages in process. */
import { mkdirSync } from 'node:fs'
import { type AddressInfo, createServer as createNetServer } from 'node:net'
import { join } from 'node:path'
import { compute } from '@strata/compute/service'
import { identity } from '@strata/identity/service'
import { image } from '@strata/image/service'
import { network } from '@strata/network/service'
import { placement } from '@strata/placement/service'
import { createSession, routerTransport, type Session } from '@strata/sdk'
import { type Config, ConfigError, type ConfigSection, loadConfig } from '@strata/toolkit/config'
import type { TokenInfo } from '@strata/toolkit/context'
import { createLog, type Log } from '@strata/toolkit/log'
import { createLocalBus } from '@strata/toolkit/messaging'
import { createMetrics } from '@strata/toolkit/metrics'
import { systemRuntime } from '@strata/toolkit/runtime'
import { createServer, mount, type ServiceEnvironment, type ServiceInstance } from '@strata/toolkit/service'
import { cachingVerifier } from '@strata/toolkit/tokens'
import { cloudConfig, compositionSections, ovnConfig } from './config.ts'
import { awaitDatabases, databaseProblems, databaseUrls, engineNames } from './databases.ts'
import type { Engine, EngineOptions } from './engine.ts'
import { firstRun } from './first-run.ts'
import { addHealthRoutes } from './health.ts'
import { keepConfig } from './kept-config.ts'
import { readPolicyFile } from './policy-file.ts'
import { loadSecrets, type Secrets } from './secrets.ts'
import { verifyOverApi } from './tokens.ts'

export type Mode = 'real' | 'simulated'

export interface CloudOptions {
  readonly state: string
  readonly mode: Mode
  readonly configFile?: string
  readonly host?: string
  readonly port?: number
  /** Makes the first guest image and gives its file. Without it a blank disk has to do, as simulated guests can. */
  readonly guestImage?: (log: (message: string) => void) => Promise<string>
  /** Where the log goes; by default to standard output, which `up` points at the state's log file. */
  readonly log?: Log
}

export interface Login {
  readonly username: string
  readonly password: string
  readonly project: string
  readonly domain: string
}

export interface Cloud {
  readonly url: string
  readonly region: string
  readonly admin: Login
  readonly demo: Login
  stop(): Promise<void>
}

const version = '0.1.0'
const services = [identity, image, placement, network, compute]

export const sections: readonly ConfigSection<unknown>[] = [
  ...compositionSections,
  ...services.flatMap(service => service.config),
]

/** Service users, by name; each has the roles `admin` and `service` on the project `service`. */
const catalog = [
  { type: 'identity', name: 'keystone', description: 'Identity', path: '/identity/v3' },
  { type: 'image', name: 'glance', description: 'Images', path: '/image' },
  { type: 'placement', name: 'placement', description: 'Resource inventory and claims', path: '/placement' },
  { type: 'network', name: 'neutron', description: 'Networking', path: '/network' },
  { type: 'compute', name: 'nova', description: 'Compute', path: '/compute/v2.1' },
] as const

/** Throws `ConfigError`, a sentence for the operator, where it is theirs to mend; the log has the stack at level debug. */
export async function startCloud(options: CloudOptions): Promise<Cloud> {
  const config = await configOf(options)
  const log = options.log ?? createLog({ level: config.section(cloudConfig).log_level })
  return buildCloud(options, config, log).catch(err => {
    log.debug({ err }, 'the cloud did not start')
    throw err
  })
}

async function buildCloud(options: CloudOptions, config: Config, log: Log): Promise<Cloud> {
  const { state, mode } = options
  keepConfig(state, options.configFile)
  const { host, region } = config.section(cloudConfig)
  const runtime = systemRuntime
  const secrets = loadSecrets(state, runtime)
  const server = createServer()
  const transport = routerTransport(server)
  const session = (username: string, password: string, project: string): Session =>
    createSession({ transport, runtime, credentials: { username, password, project } })
  const serviceSession = session('nova', secrets.service, 'service')
  const url = publicUrl(config)

  const engineOptions: EngineOptions = {
    state,
    config,
    runtime,
    log,
    openImage: (id, signal) => contentOf(serviceSession, id, signal),
  }
  const environment = environmentOf({ state, config, log, serviceSession })
  await awaitDatabases(environment.databaseUrl, log)
  // The data plane and the databases are opened side by side; the slower of the two says when the APIs answer.
  const [engine, instance] = await Promise.all([
    openEngine(mode, engineOptions),
    identity.build(environment, { bootstrap: bootstrapOf({ url, region, secrets }) }),
  ])
  const built: ServiceInstance[] = [instance]
  const add = async (part: Promise<ServiceInstance>) => built.push(await part)
  await add(image.build(environment, undefined))
  await add(placement.build(environment, undefined))
  await add(network.build(environment, { backend: engine.backend }))
  await add(compute.build(environment, { neighbours: serviceSession, hosts: engine.hosts, metadata: engine.metadata }))

  let phase: 'starting' | 'ready' | 'stopping' = 'starting'
  addHealthRoutes({
    ...{ server, metrics: environment.metrics, services: built, engine, version, phase: () => phase },
    databases: {
      engine: engineNames(environment.databaseUrl),
      problems: () => databaseProblems(environment.databaseUrl),
    },
  })
  for (const service of built) {
    const verifyToken = service === instance ? instance.verifyToken : environment.verifyToken
    const { thumbprintOf } = instance
    await mount({ ...environment, server, service, verifyToken, thumbprintOf, identityUrl: () => `${url}/identity` })
  }
  const stop = async () => {
    phase = 'stopping'
    await server.close()
    for (const service of [...built].reverse())
      await service.stop().catch(err => log.error({ err, service: service.type }, 'a service did not stop well'))
    await engine.close()
    await environment.bus.close()
  }
  try {
    await listen(server, config)
    for (const service of built) await service.start?.()
    const admin = session('admin', secrets.admin, 'admin')
    const credentials = { username: 'admin', password: secrets.admin, system: true }
    const systemAdmin = createSession({ transport, runtime, credentials })
    const { external_cidr: externalCidr } = config.section(ovnConfig)
    await firstRun({ ...{ state, admin, systemAdmin, log, externalCidr }, guestImage: options.guestImage })
  } catch (thrown) {
    await stop()
    throw thrown
  }
  phase = 'ready'
  log.info({ url, mode, host }, 'the cloud is ready')
  const login = (username: string, password: string): Login => ({
    username,
    password,
    project: username,
    domain: 'Default',
  })
  return { url, region, admin: login('admin', secrets.admin), demo: login('demo', secrets.demo), stop }
}

/** The configuration, with a port in any case: the catalog names it before anything listens, so a free one is looked for here. */
async function configOf({ configFile, host, port }: CloudOptions): Promise<Config> {
  const given = { ...(host === undefined ? {} : { host }), ...(port === undefined ? {} : { port }) }
  const load = (cloud: { readonly host?: string; readonly port?: number }) =>
    loadConfig({ path: configFile, known: sections, overrides: { cloud } })
  const config = load(given)
  const asked = config.section(cloudConfig)
  return asked.port === 0 ? load({ ...given, port: await freePort(asked.host) }) : config
}

function freePort(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createNetServer().once('error', cause => reject(cannotListen(host, 0, cause)))
    probe.listen(0, host, () => {
      const { port } = probe.address() as AddressInfo
      probe.close(() => resolve(port))
    })
  })
}

/** The catalog's addresses. */
function publicUrl(config: Config): string {
  const { host, port, public_url } = config.section(cloudConfig)
  const shown = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host
  return (public_url ?? `http://${shown}:${port}`).replace(/\/$/, '')
}

async function listen(server: ReturnType<typeof createServer>, config: Config): Promise<void> {
  const { host, port } = config.section(cloudConfig)
  try {
    await server.listen({ host, port })
  } catch (thrown) {
    throw cannotListen(host, port, thrown as NodeJS.ErrnoException)
  }
}

function cannotListen(host: string, port: number, cause: NodeJS.ErrnoException): Error {
  const sentences: Readonly<Record<string, string>> = {
    EADDRINUSE: `port ${port} on ${host} is in use by another program; choose another with --port`,
    EACCES: `port ${port} is not for this user to listen on; choose another with --port`,
    EADDRNOTAVAIL: `${host} is no address of this machine; choose another with --host`,
    ENOTFOUND: `${host} is no address; choose another with --host`,
  }
  const sentence = sentences[cause.code ?? '']
  return sentence ? new ConfigError(sentence, { cause }) : cause
}

function bootstrapOf({ url, region, secrets }: { url: string; region: string; secrets: Secrets }) {
  return {
    publicUrl: url,
    region,
    adminPassword: secrets.admin,
    demoPassword: secrets.demo,
    servicePassword: () => secrets.service,
    services: catalog,
  }
}

function environmentOf(options: {
  state: string
  config: Config
  log: Log
  serviceSession: Session
}): ServiceEnvironment {
  const { state, config, log, serviceSession } = options
  const bus = createLocalBus(log)
  const runtime = systemRuntime
  const policies = readPolicyFile(config.section(cloudConfig).policy_file)
  return {
    config,
    runtime,
    log,
    bus,
    metrics: createMetrics({ processMetrics: true }),
    verifyToken: cachingVerifier({
      fetch: (token): Promise<TokenInfo | undefined> => verifyOverApi(serviceSession, token),
      runtime,
      bus,
    }),
    databaseUrl: databaseUrls(state, config),
    stateDir(service) {
      const folder = join(state, service)
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      return folder
    },
    policyOverrides: service => policies[service] ?? {},
  }
}

async function openEngine(mode: Mode, options: EngineOptions): Promise<Engine> {
  if (mode === 'simulated') return (await import('./engine-simulated.ts')).simulatedEngine(options)
  return (await import('./engine-real.ts')).realEngine(options)
}

async function contentOf(session: Session, imageId: string, signal?: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
  return (await session.stream({ service: 'image', method: 'GET', path: `/v2/images/${imageId}/file`, signal })).body
}
