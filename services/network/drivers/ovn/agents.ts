/**
 * The chassis of the southbound database as the API's agents, and which of them may carry gateways. A chassis is alive
 * when it answers: raising `nb_cfg` makes `ovn-controller` everywhere write the number back, with the time.
 */

import { createHash } from 'node:crypto'
import { mutate, type OvsdbClient, type Replica, type Row } from '@strata/toolkit/ovsdb'
import type { NetworkAgent } from '../../logic/ports.ts'
import type { GatewayCandidate } from './plan/index.ts'

/** How long a chassis may take to answer, and how fresh an answer counts without asking again. */
const ANSWER_MS = 3_000
const FRESH_MS = 20_000

function settings(row: Row): Record<string, string> {
  return { ...(row['external_ids'] as Record<string, string>), ...(row['other_config'] as Record<string, string>) }
}

function isGateway(row: Row): boolean {
  return (settings(row)['ovn-cms-options'] ?? '').split(',').includes('enable-chassis-as-gw')
}

export function gatewayCandidates(sb: Replica): GatewayCandidate[] {
  return [...sb.rows('Chassis').values()].filter(isGateway).map(row => ({
    chassis: row['name'] as string,
    physicalNetworks: (settings(row)['ovn-bridge-mappings'] ?? '').split(',').map(mapping => mapping.split(':')[0]!),
  }))
}

/** A UUID that stays the same for a chassis and kind of agent. */
function agentId(chassis: string, kind: string): string {
  const digest = createHash('sha256').update(`${kind} ${chassis}`).digest('hex')
  const variant = ((Number.parseInt(digest[16]!, 16) & 3) | 8).toString(16)
  const parts = [
    digest.slice(0, 8),
    digest.slice(8, 12),
    `5${digest.slice(13, 16)}`,
    `${variant}${digest.slice(17, 20)}`,
  ]
  return [...parts, digest.slice(20, 32)].join('-')
}

export interface AgentsOptions {
  /** When the chassis were asked last, in ms since the epoch; kept between calls, so that dead ones delay one call only. */
  readonly memory: { askedAt: number }
  readonly northbound: OvsdbClient
  readonly replica: Replica
  readonly availabilityZone: string
}

export async function agentsOfChassis(options: AgentsOptions): Promise<NetworkAgent[]> {
  const { northbound, replica, availabilityZone, memory } = options
  const privates = () => new Map([...replica.rows('Chassis_Private').values()].map(row => [row['name'] as string, row]))
  const lastHeard = (name: string): number => (privates().get(name)?.['nb_cfg_timestamp'] as number) ?? 0
  const names = [...replica.rows('Chassis').values()].map(row => row['name'] as string)
  const asked = Date.now()
  const isFresh = (name: string): boolean => lastHeard(name) >= asked - FRESH_MS
  if (!names.every(isFresh) && asked - memory.askedAt > ANSWER_MS) {
    memory.askedAt = asked
    await northbound.transact('OVN_Northbound', [mutate('NB_Global', [], [['nb_cfg', '+=', 1]])])
    await replica.until(() => names.every(isFresh), ANSWER_MS).catch(() => {})
  }
  return [...replica.rows('Chassis').values()].flatMap(row => {
    const name = row['name'] as string
    const common = {
      host: row['hostname'] as string,
      topic: 'n/a',
      alive: isFresh(name),
      admin_state_up: true,
      availability_zone: availabilityZone,
      heartbeat_timestamp: new Date(lastHeard(name)).toISOString(),
    }
    const configurations = {
      chassis_name: name,
      'bridge-mappings': settings(row)['ovn-bridge-mappings'] ?? '',
    }
    const type = isGateway(row) ? 'OVN Controller Gateway agent' : 'OVN Controller agent'
    const controller = {
      ...common,
      id: agentId(name, 'controller'),
      agent_type: type,
      binary: 'ovn-controller',
      configurations,
    }
    const metadata = {
      ...common,
      id: agentId(name, 'metadata'),
      agent_type: 'OVN Metadata agent',
      binary: 'neutron-ovn-metadata-agent',
      configurations: {},
    }
    return [controller, metadata] as NetworkAgent[]
  })
}
