/** Agents as the data plane tells of them, with what operators noted. */
import { agentNotFound } from '../contract/faults.ts'
import type { NetworkDb } from '../store/database.ts'
import type { NetworkAgent, NetworkBackend } from './ports.ts'

export interface ShownAgent extends NetworkAgent {
  readonly description: string
  readonly created_at: string
  readonly started_at: string
}

const shownTime = (text: string): string => text.slice(0, 19).replace('T', ' ')

export async function listAgents(db: NetworkDb, backend: NetworkBackend): Promise<ShownAgent[]> {
  const notes = new Map((await db.selectFrom('agent_notes').selectAll().execute()).map(row => [row.agent_id, row]))
  return (await backend.agents()).map(agent => {
    const note = notes.get(agent.id)
    const heard = shownTime(agent.heartbeat_timestamp)
    return {
      ...agent,
      admin_state_up: note ? Boolean(note.admin_state_up) : agent.admin_state_up,
      description: note?.description ?? '',
      heartbeat_timestamp: heard,
      created_at: heard,
      started_at: heard,
    }
  })
}

export async function findAgent(db: NetworkDb, backend: NetworkBackend, id: string): Promise<ShownAgent> {
  const agent = (await listAgents(db, backend)).find(one => one.id === id)
  if (!agent) throw agentNotFound(id)
  return agent
}

export async function noteOnAgent(
  db: NetworkDb,
  agent: ShownAgent,
  note: { readonly admin_state_up?: boolean; readonly description?: string },
): Promise<void> {
  const { admin_state_up = agent.admin_state_up, description = agent.description } = note
  await db.deleteFrom('agent_notes').where('agent_id', '=', agent.id).execute()
  await db
    .insertInto('agent_notes')
    .values({ agent_id: agent.id, admin_state_up: admin_state_up ? 1 : 0, description })
    .execute()
}
