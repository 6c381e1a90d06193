/** The first start of whole clouds, simulated. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { silentLog } from '@strata/toolkit/log'
import { startCloud } from './cloud.ts'

const folder = mkdtempSync(join(tmpdir(), 'strata-first-run-'))
after(() => rmSync(folder, { recursive: true }))

test('a policy that denies users to make networks does not keep a cloud from starting; what it made is still theirs', async () => {
  const rules = ['create_network', 'create_subnet', 'create_router', 'add_router_interface']
  const policy = join(folder, 'policy.yaml')
  const network = Object.fromEntries(rules.map(rule => [rule, 'role:admin']))
  // Nor one by which administrators of a project are none of other projects.
  const identity = { admin_required: 'role:admin and system_scope:all' }
  writeFileSync(policy, JSON.stringify({ network, identity }))
  const configFile = join(folder, 'strata.yaml')
  writeFileSync(configFile, JSON.stringify({ cloud: { policy_file: policy } }))
  const cloud = await startCloud({ state: folder, mode: 'simulated', port: 0, configFile, log: silentLog })
  try {
    const token = await login(cloud.url, cloud.demo)
    const headers = { 'x-auth-token': token, 'content-type': 'application/json' }
    const get = async (what: string) =>
      (await (await fetch(`${cloud.url}/network/v2.0/${what}`, { headers })).json()) as Record<string, Owned[]>
    const [networks, subnets, routers, ports] = await Promise.all(['networks', 'subnets', 'routers', 'ports'].map(get))
    const mine = networks!['networks']!.find(one => one.name === 'private')!
    assert.ok(mine.project_id)
    for (const [name, list] of [
      ['private-subnet', subnets!['subnets']!],
      ['router1', routers!['routers']!],
    ] as const)
      assert.equal(list.find(one => one.name === name)?.project_id, mine.project_id)
    const joint = ports!['ports']!.find(one => one.device_owner === 'network:router_interface')
    assert.deepEqual([joint?.network_id, joint?.project_id], [mine.id, mine.project_id])
    const body = JSON.stringify({ network: { name: 'n' } })
    const denied = await fetch(`${cloud.url}/network/v2.0/networks`, { method: 'POST', headers, body })
    assert.equal(denied.status, 403)
  } finally {
    await cloud.stop()
  }
})

interface Owned {
  readonly id: string
  readonly name: string
  readonly project_id: string
  readonly device_owner?: string
  readonly network_id?: string
}

async function login(
  url: string,
  { username, password, project }: Record<'username' | 'password' | 'project', string>,
) {
  const domain = { id: 'default' }
  const user = { name: username, password, domain }
  const auth = {
    identity: { methods: ['password'], password: { user } },
    scope: { project: { name: project, domain } },
  }
  const answer = await fetch(`${url}/identity/v3/auth/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ auth }),
  })
  return answer.headers.get('x-subject-token') ?? ''
}
