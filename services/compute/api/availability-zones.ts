/** Availability zones, which follow from hosts and aggregates. */
import { toNaive } from '@strata/toolkit/runtime'
import { type Operation, operation } from '@strata/toolkit/service'
import { computeBinary, type Host, type HostDeps, hosts } from '../logic/host.ts'

export function availabilityZoneOperations(deps: HostDeps): Operation[] {
  const path = '/v2.1/os-availability-zone'
  const list = (hostsOf: (enabled: readonly Host[]) => object | null) => async () => {
    const zones = Map.groupBy(await hosts(deps), host => host.zone)
    return {
      availabilityZoneInfo: [...zones].map(([zoneName, members]) => {
        const enabled = members.filter(host => host.enabled)
        // A zone whose hosts are all disabled is there, and takes no servers.
        const available = enabled.length > 0
        return { zoneName, zoneState: { available }, hosts: available ? hostsOf(enabled) : null }
      }),
    }
  }
  return [
    operation({ method: 'GET', path, policy: 'os_compute_api:os-availability-zone:list', handler: list(() => null) }),
    operation({
      method: 'GET',
      path: `${path}/detail`,
      policy: 'os_compute_api:os-availability-zone:detail',
      handler: list(enabled => Object.fromEntries(enabled.map(host => [host.hostname, services(host)]))),
    }),
  ]
}

const services = ({ up, enabled, updatedAt }: Host): object => ({
  [computeBinary]: { available: up, active: enabled, updated_at: toNaive(updatedAt) },
})
