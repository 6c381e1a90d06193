/** `network-ip-availabilities`: for operators who plan. */
import { type ApiRequest, type Operation, operation } from '@strata/toolkit/service'
import { invalidInput, networkNotFound } from '../contract/faults.ts'
import { ipAvailabilities, type NetworkAvailability } from '../logic/availability.ts'
import type { NetworkDeps } from '../logic/deps.ts'

const FILTERS: Readonly<Record<string, string>> = {
  network_id: 'id',
  network_name: 'name',
  project_id: 'project_id',
  tenant_id: 'project_id',
}

function wanted(query: ApiRequest['query']) {
  const where: Record<string, unknown> = {}
  let ipVersion: number | undefined
  for (const [name, value] of Object.entries(query)) {
    if (name === 'fields' || value === undefined) continue
    if (name === 'ip_version' && (value === '4' || value === '6')) ipVersion = Number(value)
    else if (FILTERS[name]) where[FILTERS[name]] = value
    else throw invalidInput(`['${name}'] is invalid attribute for filtering`)
  }
  return { where, ipVersion }
}

export function availabilityOperations({ store }: NetworkDeps): Operation[] {
  return [
    operation({
      method: 'GET',
      path: '/v2.0/network-ip-availabilities',
      async handler({ context, query }) {
        const asked = wanted(query)
        if (!context.can('get_network_ip_availability', {})) return { network_ip_availabilities: [] }
        return { network_ip_availabilities: (await ipAvailabilities(store.db, asked)).map(shown) }
      },
    }),
    operation({
      method: 'GET',
      path: '/v2.0/network-ip-availabilities/:id',
      policy: 'get_network_ip_availability',
      async handler({ params }) {
        const [found] = await ipAvailabilities(store.db, { where: { id: params['id'] } })
        if (!found) throw networkNotFound(params['id']!)
        return { network_ip_availability: shown(found) }
      },
    }),
  ]
}

declare global {
  // Node's JSON has it; TypeScript's does not know yet.
  interface JSON {
    rawJSON(text: string): object
  }
}

/** Of an IPv6 subnet there are more addresses than a number of JavaScript can count: digits are written as they are. */
const exactly = (count: bigint): object => JSON.rawJSON(String(count))

const shown = ({ total_ips, subnet_ip_availability, ...network }: NetworkAvailability) => ({
  ...network,
  total_ips: exactly(total_ips),
  subnet_ip_availability: subnet_ip_availability.map(subnet => ({ ...subnet, total_ips: exactly(subnet.total_ips) })),
})
