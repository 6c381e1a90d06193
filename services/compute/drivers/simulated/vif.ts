/** Network interfaces of a simulated host: names in a table. */
import { type Runtime, systemRuntime } from '@strata/toolkit/runtime'
import type { VifDriver } from '../../logic/ports.ts'

export interface SimulatedVifOptions {
  readonly runtime?: Runtime
  readonly latencyMs?: number
  /** Ports whose interface cannot be plugged, with the reason that is given. */
  readonly failing?: ReadonlyMap<string, string>
}

export function createSimulatedVifDriver(options: SimulatedVifOptions = {}): VifDriver {
  const { runtime = systemRuntime, latencyMs = 0 } = options
  const plugged = new Map<string, string>()
  const takeTime = () => (latencyMs > 0 ? runtime.sleep(latencyMs) : Promise.resolve())
  return {
    async plug(vif) {
      await takeTime()
      const failure = options.failing?.get(vif.portId)
      if (failure !== undefined) throw new Error(failure)
      const holder = plugged.get(vif.vifName)
      if (holder !== undefined && holder !== vif.portId)
        throw new Error(`the interface ${vif.vifName} belongs to port ${holder}`)
      plugged.set(vif.vifName, vif.portId)
    },
    async unplug({ vifName }) {
      await takeTime()
      plugged.delete(vifName)
    },
    list: async () => [...plugged].map(([vifName, portId]) => ({ portId, vifName })),
  }
}
