/**
 * Sharing networks with projects, as they are or as external ones. A network's own `shared` is the policy for every project,
 * and `router:external` says whether there is a policy of that kind at all; both are kept in step.
 */
import { duplicateRbacPolicy, invalidInput, rbacPolicyInUse } from '../contract/faults.ts'
import { EVERYBODY, EXTERNAL, SHARED } from '../contract/rbac-policy.ts'
import { type NetworkDb, networks, rbacPolicies } from '../store/database.ts'
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
  body: Pick<RbacPolicyRow, 'object_id' | 'action' | 'target_tenant'>,
): Promise<void> {
  const network = await seenNetwork(scene.tx, scene.context, body.object_id)
  if (network.project_id !== scene.context.projectId && !isAdmin(scene.context))
    throw invalidInput('Only admins can manipulate policies on networks they do not own')
  await refuseDuplicate(scene, body)
}

async function refuseDuplicate(
  scene: Scene,
  { object_id, action, target_tenant }: Pick<RbacPolicyRow, 'object_id' | 'action' | 'target_tenant'>,
): Promise<void> {
  const known = await rbacPolicies.count(scene.tx, { where: { object_id, action, target_tenant } })
  if (known > 0) throw duplicateRbacPolicy()
}

/** After a policy came, changed or went: the network is `shared` when one is for everybody, and external when there is one. */
export async function followPolicies(deps: NetworkDeps, scene: Scene, networkId: string): Promise<void> {
  const all = await rbacPolicies.list(scene.tx, { where: { object_id: networkId } })
  await networks.update(scene.tx, networkId, {
    shared: all.some(one => one.action === SHARED && one.target_tenant === EVERYBODY),
    'router:external': all.some(one => one.action === EXTERNAL),
  })
  await countChange(scene, 'networks', networkId)
  touch(deps, scene, 'networks', networkId)
}

/** After `shared` or `router:external` of a network was set: the policies that say the same are there, and no others. */
export async function followFlags(deps: NetworkDeps, scene: Scene, network: NetworkRow): Promise<void> {
  const { tx } = scene
  const all = await rbacPolicies.list(tx, { where: { object_id: network.id } })
  const shared = all.filter(one => one.action === SHARED && one.target_tenant === EVERYBODY)
  const external = all.filter(one => one.action === EXTERNAL)
  for (const [action, wanted, known] of [
    [SHARED, network.shared, shared],
    [EXTERNAL, network['router:external'], external],
  ] as const) {
    if (wanted && known.length === 0)
      await rbacPolicies.insert(tx, {
        id: deps.runtime.uuid(),
        project_id: network.project_id,
        object_type: 'network',
        object_id: network.id,
        action,
        target_tenant: EVERYBODY,
      })
    if (!wanted) for (const { id } of known) await rbacPolicies.remove(tx, id)
  }
}

export async function beforeUpdatePolicy(scene: Scene, row: RbacPolicyRow, target: string | undefined): Promise<void> {
  if (target === undefined || target === row.target_tenant) return
  await refuseDuplicate(scene, { ...row, target_tenant: target })
  if (target !== EVERYBODY) await refuseWhileUsed(scene, row, target)
}

/** A project keeps its sight of a network as long as it has something there. `instead` is who will be let in afterwards. */
export async function refuseWhileUsed(scene: Scene, row: RbacPolicyRow, instead?: string): Promise<void> {
  const { tx } = scene
  const network = await networks.find(tx, row.object_id)
  if (!network) return
  const others = await rbacPolicies.list(tx, { where: { object_id: row.object_id, action: row.action } })
  const still = others.filter(one => one.id !== row.id).map(one => one.target_tenant)
  if (instead !== undefined) still.push(instead)
  if (still.includes(EVERYBODY)) return
  const external = row.action === EXTERNAL
  if (external && network.is_default && row.target_tenant === EVERYBODY)
    throw rbacPolicyInUse(row.object_id, 'Default external networks must be shared to everyone.')
  const users = external ? await externalUsers(tx, network.id) : await portOwners(tx, network.id)
  // Who owns a network needs no policy for it; but with its last policy it stops being external at all.
  const left =
    external && still.length === 0
      ? users[0]
      : users
          .filter(project => ![network.project_id, '', ...still].includes(project))
          .find(project => [EVERYBODY, project].includes(row.target_tenant))
  if (left !== undefined) throw rbacPolicyInUse(row.object_id, `Tenant ${left} has ports on it`)
}

async function portOwners(tx: NetworkDb, networkId: string): Promise<readonly string[]> {
  const rows = await tx
    .selectFrom('ports')
    .select('project_id')
    .distinct()
    .where('network_id', '=', networkId)
    .execute()
  return rows.map(row => row.project_id)
}

/** Projects with a router's gateway or a floating IP on the network. */
async function externalUsers(tx: NetworkDb, networkId: string): Promise<readonly string[]> {
  const gateways = await tx
    .selectFrom('routers')
    .innerJoin('router_gateways', 'router_gateways.router_id', 'routers.id')
    .select('routers.project_id')
    .where('router_gateways.network_id', '=', networkId)
    .execute()
  const addresses = await tx
    .selectFrom('floatingips')
    .select('project_id')
    .where('floating_network_id', '=', networkId)
    .execute()
  return [...gateways, ...addresses].map(row => row.project_id)
}
