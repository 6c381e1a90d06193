/** The catalog's resources: regions form trees, an endpoint names a service and a region that exist. */
import type { Hooks } from '@strata/toolkit/resource'
import type { endpoint, region, service } from '../contract/catalog.ts'
import { duplicate, invalid, missing, refusedAction } from '../contract/errors.ts'
import { addRegion, parentOfRegion, regionExists, regionInUse, serviceExists } from '../store/catalog.ts'
import type { Db } from '../store/tables.ts'
import type { Parts } from './parts.ts'

export function regionHooks(parts: Parts): Hooks<typeof region.fields> {
  return {
    async beforeCreate(body, { tx, request }) {
      const { id } = (request.body as { region: { id?: string } }).region
      if (id && (await regionExists(tx, id))) throw duplicate('region', `ID ${id}`)
      await checkParent(tx, undefined, body.parent_region_id ?? null)
      return id ? { id } : {}
    },
    async beforeUpdate(row, body, { tx }) {
      if (body.parent_region_id !== undefined) await checkParent(tx, row.id, body.parent_region_id)
      return {}
    },
    async beforeDelete(row, { tx }) {
      if (await regionInUse(tx, row.id))
        throw refusedAction(
          `Unable to delete region ${row.id} because it or its child regions have associated endpoints.`,
        )
    },
    afterDelete: (_row, { afterCommit }) => parts.changed(afterCommit),
  }
}

async function checkParent(tx: Db, id: string | undefined, parent: string | null): Promise<void> {
  if (parent !== null && !(await regionExists(tx, parent))) throw missing('region', parent)
  for (let at = parent; at !== null; at = await parentOfRegion(tx, at))
    if (at === id) throw invalid('parent_region_id', `${parent} would create a circular region hierarchy`)
}

export function serviceHooks(parts: Parts): Hooks<typeof service.fields> {
  return {
    afterCreate: (_row, { afterCommit }) => parts.changed(afterCommit),
    afterUpdate: (_row, _before, { afterCommit }) => parts.changed(afterCommit),
    afterDelete: (_row, { afterCommit }) => parts.changed(afterCommit),
    decorate: rows => rows.map(({ description, ...row }) => (description === null ? row : { ...row, description })),
  }
}

export function endpointHooks(parts: Parts): Hooks<typeof endpoint.fields> {
  /** The region may be new when it is given by its older name. */
  const regionOf = async (tx: Db, body: { region?: string | null; region_id?: string | null }) => {
    if (body.region_id !== undefined && body.region_id !== null) {
      if (!(await regionExists(tx, body.region_id))) throw invalid('region_id', `names no region: ${body.region_id}`)
      return { region_id: body.region_id }
    }
    if (!body.region) return {}
    if (!(await regionExists(tx, body.region))) await addRegion(tx, body.region)
    return { region_id: body.region }
  }
  const checkService = async (tx: Db, id: string | undefined) => {
    if (id !== undefined && !(await serviceExists(tx, id))) throw invalid('service_id', `names no service: ${id}`)
  }
  return {
    tellsMissing: ['show', 'update', 'delete'],
    async beforeCreate(body, { tx }) {
      await checkService(tx, body.service_id)
      return regionOf(tx, body)
    },
    async beforeUpdate(_row, body, { tx }) {
      await checkService(tx, body.service_id)
      return regionOf(tx, body)
    },
    afterCreate: (_row, { afterCommit }) => parts.changed(afterCommit),
    afterUpdate: (_row, _before, { afterCommit }) => parts.changed(afterCommit),
    afterDelete: (_row, { afterCommit }) => parts.changed(afterCommit),
    decorate: rows => rows.map(row => ({ ...row, region: row.region_id })),
  }
}
