/** Agents and availability zones. */
import { isTrue } from '@strata/toolkit/resource'
import { type ApiRequest, type Operation, operation } from '@strata/toolkit/service'
import { badResource, invalidInput } from '../contract/faults.ts'
import { findAgent, listAgents, noteOnAgent, type ShownAgent } from '../logic/agent.ts'
import type { NetworkDeps } from '../logic/deps.ts'
import type { NetworkBackend } from '../logic/ports.ts'

const filterable = ['id', 'agent_type', 'binary', 'host', 'topic', 'availability_zone', 'description'] as const
const flags = ['alive', 'admin_state_up'] as const

function fits(agent: ShownAgent, query: ApiRequest['query']): boolean {
  const values = (name: string) => (query[name] === undefined ? undefined : [query[name]].flat())
  return (
    filterable.every(name => values(name)?.includes(agent[name]) ?? true) &&
    flags.every(name => values(name)?.some(value => isTrue(value) === agent[name]) ?? true)
  )
}

function refuseUnknown(query: ApiRequest['query']): void {
  const known: readonly string[] = [...filterable, ...flags, 'fields', 'limit', 'marker', 'sort_key', 'sort_dir']
  const unknown = Object.keys(query).filter(name => !known.includes(name))
  if (unknown.length > 0)
    throw invalidInput(`[${unknown.map(name => `'${name}'`).join(', ')}] is invalid attribute for filtering`)
}

export function agentOperations({ store, settings }: NetworkDeps, backend: NetworkBackend): Operation[] {
  const find = (request: ApiRequest) => findAgent(store.db, backend, request.params['id']!)
  const body = {
    type: 'object',
    required: ['agent'],
    properties: {
      agent: {
        type: 'object',
        additionalProperties: false,
        properties: { admin_state_up: { type: 'boolean' }, description: { type: 'string', maxLength: 255 } },
      },
    },
  }
  return [
    operation({
      method: 'GET',
      path: '/v2.0/agents',
      async handler({ query, context }) {
        refuseUnknown(query)
        // Who may not see agents sees an empty list, as with all lists of this API.
        if (!context.can('get_agent', {})) return { agents: [] }
        return { agents: (await listAgents(store.db, backend)).filter(agent => fits(agent, query)) }
      },
    }),
    operation({
      method: 'GET',
      path: '/v2.0/agents/:id',
      policy: 'get_agent',
      handler: async request => ({ agent: await find(request) }),
    }),
    operation<{ agent: { admin_state_up?: boolean; description?: string } }>({
      method: 'PUT',
      path: '/v2.0/agents/:id',
      policy: 'update_agent',
      body,
      async handler(request) {
        await noteOnAgent(store.db, await find(request), request.body.agent)
        return { agent: await find(request) }
      },
    }),
    operation({
      method: 'DELETE',
      path: '/v2.0/agents/:id',
      policy: 'delete_agent',
      async handler(request) {
        const agent = await find(request)
        // What the data plane reports is there, whatever is deleted here.
        throw badResource('agent', `Agent ${agent.id} is reported by the data plane of ${agent.host} and goes with it`)
      },
    }),
    operation({
      method: 'GET',
      path: '/v2.0/availability_zones',
      policy: 'get_availability_zone',
      handler: ({ query }) => ({
        availability_zones: (['network', 'router'] as const)
          .map(resource => ({ name: settings.availability_zone, resource, state: 'available' }))
          .filter(zone =>
            (['name', 'resource', 'state'] as const).every(
              key => query[key] === undefined || [query[key]].flat().includes(zone[key]),
            ),
          ),
      }),
    }),
  ]
}
