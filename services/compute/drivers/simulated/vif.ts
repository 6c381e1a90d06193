/** Network interfaces of a simulated host: names in a table. */
import { type Runtime, systemRuntime } from '@strata/toolkit/runtime'
import type { VifDriver } from '../../logic/ports/hosts.ts'

export interface SimulatedVifOptions {
  readonly runtime?: Runtime
  readonly latencyMs?: number
  /** Ports whose interface cannot be plugged, with the reason that is given. */
  readonly failing?: ReadonlyMap<string, string>
}

export function createSimulatedVifDriver(options: SimulatedVifOptions = {}): VifDriver {
  const { runtime = systemRuntime, latencyMs = 0 } = options
  const plugged = new Map<string, { readonly portId: string; readonly vifName: string; readonly serverId: string }>()
  const takeTime = () => (latencyMs > 0 ? runtime.sleep(latencyMs) : Promise.resolve())
  return {
    async plug({ portId, vifName, serverId }) {
      await takeTime()
      const failure = options.failing?.get(portId)
      if (failure !== undefined) throw new Error(failure)
      const holder = plugged.get(vifName)?.portId ?? portId
      if (holder !== portId) throw new Error(`the interface ${vifName} belongs to port ${holder}`)
      plugged.set(vifName, { portId, vifName, serverId })
    },
    async unplug({ vifName }) {
      await takeTime()
      plugged.delete(vifName)
    },
    list: async () => [...plugged.values()],
  }
}
