/** External networks get the RBAC policy that says so: that they are external for everybody was understood without one before. */
import { uuidFromName } from '@strata/toolkit/runtime'
import type { Kysely, Migration } from '@strata/toolkit/store'

interface Tables {
  networks: { id: string; project_id: string; 'router:external': number }
  rbac_policies: {
    id: string
    project_id: string
    object_type: string
    object_id: string
    action: string
    target_tenant: string
  }
}

export const second: Migration = {
  name: '0002-external-policies',
  async up(any) {
    const db = any as Kysely<Tables>
    const external = await db
      .selectFrom('networks')
      .select(['id', 'project_id'])
      .where('router:external', '=', 1)
      .execute()
    for (const { id, project_id } of external)
      await db
        .insertInto('rbac_policies')
        .values({
          id: uuidFromName(`external network ${id}`),
          project_id,
          object_type: 'network',
          object_id: id,
          action: 'access_as_external',
          target_tenant: '*',
        })
        .execute()
  },
}
