/** What the cloud tells of itself without a token: `/`, `/healthz` and `/metrics`. */
import { reason } from '@strata/toolkit/fault'
import type { Metrics } from '@strata/toolkit/metrics'
import type { Server, ServiceHealth, ServiceInstance } from '@strata/toolkit/service'
import type { Engine } from './engine.ts'

export interface HealthOptions {
  readonly server: Server
  readonly metrics: Metrics
  readonly services: readonly ServiceInstance[]
  readonly engine: Engine
  readonly version: string
  readonly databases: {
    /** What the services' state is kept in, for people. */
    readonly engine: string
    problems(): Promise<readonly string[]>
  }
  readonly phase: () => 'starting' | 'ready' | 'stopping'
}

interface Part {
  readonly status: string
  readonly detail?: string
  readonly details?: ServiceHealth['details']
}

export function addHealthRoutes(options: HealthOptions): void {
  const { server, metrics, services, engine, version, databases, phase } = options
  server.get('/', async request => ({
    name: 'Strata',
    version,
    services: Object.fromEntries(services.map(({ type }) => [type, `${request.protocol}://${request.host}/${type}`])),
  }))
  server.get('/metrics', async (_, reply) =>
    reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  )
  server.get('/healthz', async (_, reply) => {
    const parts = Object.fromEntries(
      await Promise.all(services.map(async service => [service.type, await partOf(service)] as const)),
    )
    const away = await databases.problems()
    const well = away.length === 0 && Object.values(parts).every(part => part.status === 'ready')
    const status = phase() === 'ready' && !well ? 'degraded' : phase()
    const engines = { state: databases.engine, messages: 'in process', ...(await engine.describe().catch(() => ({}))) }
    const guests = (await Promise.all(engine.hosts.map(host => host.guests().catch(() => [])))).flat()
    const counted = { running: guests.filter(guest => guest.state === 'running').length, total: guests.length }
    return reply
      .status(status === 'ready' ? 200 : 503)
      .send({ status, version, services: parts, engines, guests: counted, problems: [...away, ...engine.problems()] })
  })
}

async function partOf(service: ServiceInstance): Promise<Part> {
  try {
    const { problems = [], details } = (await service.health?.()) ?? {}
    const more = details ? { details } : {}
    return problems.length === 0
      ? { status: 'ready', ...more }
      : { status: 'degraded', detail: problems.join('; '), ...more }
  } catch (thrown) {
    return { status: 'failed', detail: reason(thrown) }
  }
}
