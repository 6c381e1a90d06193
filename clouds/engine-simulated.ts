/** Hosts without machines and networks without wires, for trying APIs and testing clients anywhere. */
import { join } from 'node:path'
import { createHostAgent } from '@strata/compute/agent'
import {
  createSimulatedHypervisor,
  createSimulatedImageCache,
  createSimulatedVifDriver,
} from '@strata/compute/drivers/simulated'
import { createSimulatedNetwork } from '@strata/network/drivers/simulated'
import { uuidFromName } from '@strata/toolkit/runtime'
import { simulatedConfig } from './config.ts'
import type { Engine, EngineOptions } from './engine.ts'

export async function simulatedEngine({ state, config, runtime, log, openImage }: EngineOptions): Promise<Engine> {
  const options = config.section(simulatedConfig)
  const hostnames = Array.from({ length: options.hosts }, (_, at) => `simulated-${at + 1}`)
  const hosts = hostnames.map(hostname => {
    const images = createSimulatedImageCache()
    return createHostAgent({
      id: uuidFromName(`${state}:${hostname}`),
      hostname,
      hypervisor: createSimulatedHypervisor({
        runtime,
        capacity: {
          vcpus: options.vcpus,
          memoryMiB: options.memory_mib,
          diskGiB: options.disk_gib,
          diskFreeGiB: options.disk_gib,
        },
        latencyMs: { spawn: options.boot_ms, start: options.boot_ms },
        file: join(state, 'simulated', `${hostname}.json`),
        imageSize: images.virtualSize,
      }),
      vifs: createSimulatedVifDriver({ runtime }),
      images,
      openImage,
      log,
    })
  })
  return {
    backend: createSimulatedNetwork({ hosts: hostnames, now: runtime.now }),
    hosts,
    describe: async () => ({
      hypervisor: `simulated, ${options.hosts} ${options.hosts === 1 ? 'host' : 'hosts'}`,
      network: 'simulated',
    }),
    problems: () => [],
    close: async () => {},
  }
}
