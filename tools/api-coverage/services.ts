/** The operations that the services of this project offer: each is built as a composition would, in a folder that is thrown away. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compute } from '@strata/compute/service'
import { identity } from '@strata/identity/service'
import { image } from '@strata/image/service'
import { createSimulatedNetwork } from '@strata/network/drivers/simulated'
import { network } from '@strata/network/service'
import { placement } from '@strata/placement/service'
import { createSession } from '@strata/sdk'
import { loadConfig } from '@strata/toolkit/config'
import { silentLog } from '@strata/toolkit/log'
import { createLocalBus } from '@strata/toolkit/messaging'
import { createMetrics } from '@strata/toolkit/metrics'
import { systemRuntime } from '@strata/toolkit/runtime'
import type { ServiceEnvironment, ServiceInstance } from '@strata/toolkit/service'

type Built = Pick<ServiceInstance, 'type' | 'operations'>

/** Resolves to every service with its operations. Nothing is started. */
export async function builtServices(): Promise<Built[]> {
  const folder = mkdtempSync(join(tmpdir(), 'strata-coverage-'))
  const environment = environmentIn(folder)
  const built: ServiceInstance[] = []
  try {
    built.push(await identity.build(environment, {}))
    built.push(await image.build(environment, undefined))
    built.push(await placement.build(environment, undefined))
    built.push(await network.build(environment, { backend: createSimulatedNetwork({ hosts: [] }) }))
    built.push(await compute.build(environment, { neighbours: nobody(), hosts: [] }))
    return built.map(({ type, operations }) => ({ type, operations }))
  } finally {
    for (const service of built.reverse()) await service.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

function environmentIn(folder: string): ServiceEnvironment {
  return {
    config: loadConfig({ known: [identity, image, placement, network, compute].flatMap(service => service.config) }),
    runtime: systemRuntime,
    log: silentLog,
    metrics: createMetrics(),
    bus: createLocalBus(silentLog),
    verifyToken: async () => undefined,
    databaseUrl: service => `sqlite:${join(folder, `${service}.db`)}`,
    stateDir: service => join(folder, service),
    policyOverrides: () => ({}),
  }
}

/** Compute's neighbours, who are not asked while nothing runs. */
const nobody = () =>
  createSession({
    transport: () => Promise.reject(new Error('no service runs here')),
    runtime: systemRuntime,
    credentials: { username: '', password: '', project: '' },
  })
