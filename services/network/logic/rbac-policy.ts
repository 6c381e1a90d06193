/** Sharing networks with projects. A network's own `shared` is the policy for every project, kept in step with it. */
import { duplicateRbacPolicy, invalidInput, rbacPolicyInUse } from '../contract/faults.ts'
import { EVERYBODY } from '../contract/rbac-policy.ts'
import { networks, rbacPolicies } from '../store/database.ts'
import {
  countChange,
  isAdmin,
  type NetworkDeps,
  type NetworkRow,
  type RbacPolicyRow,
  type Scene,
  touch,
} from './deps.ts'
import { seenNetwork } from './visibility.ts'

export async function beforeCreatePolicy(
  scene: Scene,
  body: { readonly object_id: string; readonly target_tenant: string },
): Promise<void> {
  const network = await seenNetwork(scene.tx, scene.context, body.object_id)
  if (network.project_id !== scene.context.projectId && !isAdmin(scene.context))
    throw invalidInput('Only admins can manipulate policies on networks they do not own')
  await refuseDuplicate(scene, body.object_id, body.target_tenant)
}

async function refuseDuplicate(scene: Scene, networkId: string, target: string): Promise<void> {
  const known = await rbacPolicies.count(scene.tx, { where: { object_id: networkId, target_tenant: target } })
  if (known > 0) throw duplicateRbacPolicy()
}

/** After a policy came, changed or went: the network is `shared` when one of its policies is for everybody. */
export async function followPolicies(deps: NetworkDeps, scene: Scene, networkId: string): Promise<void> {
  const open = await rbacPolicies.count(scene.tx, { where: { object_id: networkId, target_tenant: EVERYBODY } })
  await networks.update(scene.tx, networkId, { shared: open > 0 })
  await countChange(scene, 'networks', networkId)
  touch(deps, scene, 'networks', networkId)
}

/** After `shared` of a network was set: the policy for everybody is there, or not. */
export async function followShared(deps: NetworkDeps, scene: Scene, network: NetworkRow): Promise<void> {
  const where = { object_id: network.id, target_tenant: EVERYBODY }
  const [known] = await rbacPolicies.list(scene.tx, { where })
  if (network.shared && !known)
    await rbacPolicies.insert(scene.tx, {
      id: deps.runtime.uuid(),
      project_id: network.project_id,
      object_type: 'network',
      action: 'access_as_shared',
      ...where,
    })
  if (!network.shared && known) await rbacPolicies.remove(scene.tx, known.id)
}

export async function beforeUpdatePolicy(scene: Scene, row: RbacPolicyRow, target: string | undefined): Promise<void> {
  if (target === undefined || target === row.target_tenant) return
  await refuseDuplicate(scene, row.object_id, target)
  if (target !== EVERYBODY) await refuseWhileUsed(scene, row, target)
}

/** A project keeps its sight of a network as long as it has ports there. `instead` is who will be let in afterwards. */
export async function refuseWhileUsed(scene: Scene, row: RbacPolicyRow, instead?: string): Promise<void> {
  const { tx } = scene
  const network = await networks.find(tx, row.object_id)
  if (!network) return
  const others = await rbacPolicies.list(tx, { where: { object_id: row.object_id } })
  const still = others.filter(one => one.id !== row.id).map(one => one.target_tenant)
  if (still.includes(EVERYBODY)) return
  let query = tx
    .selectFrom('ports')
    .select('id')
    .where('network_id', '=', row.object_id)
    .where('project_id', 'not in', [network.project_id, '', ...still, ...(instead === undefined ? [] : [instead])])
  if (row.target_tenant !== EVERYBODY) query = query.where('project_id', '=', row.target_tenant)
  if (await query.executeTakeFirst())
    throw rbacPolicyInUse(row.object_id, `Tenant ${row.target_tenant} has ports on it`)
}
