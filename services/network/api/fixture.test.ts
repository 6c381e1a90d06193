/** What the tests of this API share: the service on the simulated data plane, and short ways to ask it. */
import assert from 'node:assert/strict'
import { loadConfig } from '@strata/toolkit/config'
import { persona, startService, type TestAnswer, type TestService } from '@strata/toolkit/testing'
import { networkConfig } from '../contract/config.ts'
import {
  createSimulatedNetwork,
  type SimulatedNetwork,
  type SimulatedNetworkFaults,
} from '../drivers/simulated/backend.ts'
import { network } from '../service.ts'

export const admin = persona({ roles: ['admin'], project: 'admin' })
export const other = persona({ project: 'beta' })

// biome-ignore lint/suspicious/noExplicitAny: resources of any kind, looked into by tests
type Shown = any

export interface Fixture {
  readonly service: TestService
  readonly backend: SimulatedNetwork
  readonly faults: SimulatedNetworkFaults
  call(method: string, path: string, body?: unknown, as?: string): Promise<TestAnswer>
  /** Makes one of a kind (`security_group`); fails the test unless the answer is 201. */
  make(kind: string, body: object, as?: string): Promise<Shown>
  show(kind: string, id: string, as?: string): Promise<Shown>
  /** Expects a refusal with that status and, when given, that `type`; returns its message. */
  refused(answer: Promise<TestAnswer>, status: number, type?: string): Promise<string>
  /** An external network on a VLAN of its own with one subnet of that prefix. */
  external(name: string, cidr: string): Promise<{ network: Shown; subnet: Shown }>
  /** A network with one subnet of that prefix. */
  inside(cidr: string, as?: string): Promise<{ network: Shown; subnet: Shown }>
  close(): Promise<void>
}

let vlan = 100

export async function startNetwork(settings: Record<string, unknown> = {}): Promise<Fixture> {
  const faults: SimulatedNetworkFaults = { stuckPorts: new Set(), deadHosts: new Set() }
  const backend = createSimulatedNetwork({ hosts: ['host1', 'host2'], faults })
  const config = loadConfig({
    known: [networkConfig],
    overrides: { network: { physical_networks: { public: [], physnet1: [[1000, 1002]] }, ...settings } },
  })
  const service = await startService(network, { backend }, { config })
  const call: Fixture['call'] = (method, path, body, as) => service.request(method, `/v2.0/${path}`, { body, as })
  const make: Fixture['make'] = async (kind, body, as) => {
    const answer = await call('POST', `${kind.replaceAll('_', '-')}s`, { [kind]: body }, as)
    assert.equal(answer.status, 201, `${kind} ${JSON.stringify(body)}: ${answer.text}`)
    return answer.json[kind]
  }
  return {
    service,
    backend,
    faults,
    call,
    make,
    async show(kind, id, as) {
      const answer = await call('GET', `${kind.replaceAll('_', '-')}s/${id}`, undefined, as)
      assert.equal(answer.status, 200, answer.text)
      return answer.json[kind]
    },
    async refused(answer, status, type) {
      const { status: got, text, json } = await answer
      assert.equal(got, status, text)
      if (type !== undefined) assert.equal(json.NeutronError.type, type, text)
      return json.NeutronError.message
    },
    async external(name, cidr) {
      const made = await make(
        'network',
        {
          name,
          'router:external': true,
          'provider:network_type': 'vlan',
          'provider:physical_network': 'public',
          'provider:segmentation_id': vlan++,
        },
        admin,
      )
      const subnet = await make('subnet', { network_id: made.id, ip_version: 4, cidr, enable_dhcp: false }, admin)
      return { network: made, subnet }
    },
    async inside(cidr, as) {
      const made = await make('network', {}, as)
      const subnet = await make('subnet', { network_id: made.id, ip_version: cidr.includes(':') ? 6 : 4, cidr }, as)
      return { network: made, subnet }
    },
    close: () => service.close(),
  }
}
