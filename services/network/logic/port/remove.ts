/** Removing ports with all that hangs on them. Whether they may go is the caller's question. */
import { type NetworkDeps, type Scene, touch } from '../deps.ts'

/** Floating IPs of the ports stay, without a port. */
export async function removePorts(deps: NetworkDeps, scene: Scene, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return
  await releasePorts(deps, scene, ids)
  await scene.tx.deleteFrom('ports').where('id', 'in', ids).execute()
}

/** Like `removePorts`, for rows that somebody else deletes. */
export async function releasePorts(deps: NetworkDeps, scene: Scene, ids: readonly string[]): Promise<void> {
  const { tx } = scene
  const floating = await tx.selectFrom('floatingips').select('id').where('port_id', 'in', ids).execute()
  if (floating.length > 0)
    await tx
      .updateTable('floatingips')
      .set({ port_id: null, fixed_ip_address: null, router_id: null, status: 'DOWN' })
      .where('port_id', 'in', ids)
      .execute()
  await tx.deleteFrom('ip_allocations').where('port_id', 'in', ids).execute()
  await tx.deleteFrom('port_security_groups').where('port_id', 'in', ids).execute()
  await tx.deleteFrom('tags').where('resource_id', 'in', ids).execute()
  touch(deps, scene, 'floatingips', ...floating.map(row => row.id))
  touch(deps, scene, 'ports', ...ids)
}
