/** Policies' associations, and which policy applies to which endpoint. */
import { notFound } from '@strata/toolkit/fault'
import { repository } from '@strata/toolkit/resource'
import { endpoint } from '../contract/catalog.ts'
import { missing } from '../contract/errors.ts'
import { policy } from '../contract/policy.ts'
import { regionExists, serviceExists } from '../store/catalog.ts'
import {
  allPolicyAssociations,
  associatePolicy,
  dissociatePolicy,
  findPolicy,
  hasPolicyAssociation,
  regionParents,
} from '../store/policy.ts'
import type { Parts } from './parts.ts'
import { policyOf } from './rules/endpoint-policy.ts'

/** What a policy is associated with: an endpoint, or a service, or a service in a region. */
export interface PolicyTarget {
  readonly endpoint_id?: string
  readonly service_id?: string
  readonly region_id?: string
}

const keyOf = ({ endpoint_id: e, service_id: s, region_id: r }: PolicyTarget): string =>
  JSON.stringify([e ?? null, s ?? null, r ?? null])

export function policyLogic({ store }: Parts) {
  const { db } = store
  const endpoints = repository(endpoint)
  const mustExist = async (policyId: string, { endpoint_id: e, service_id: s, region_id: r }: PolicyTarget) => {
    if (!(await findPolicy(db, policyId))) throw missing('policy', policyId)
    if (e !== undefined && !(await endpoints.find(db, e))) throw missing('endpoint', e)
    if (s !== undefined && !(await serviceExists(db, s))) throw missing('service', s)
    if (r !== undefined && !(await regionExists(db, r))) throw missing('region', r)
  }
  const associations = async () => ({ associations: await allPolicyAssociations(db), regions: await regionParents(db) })
  const check = async (policyId: string, target: PolicyTarget): Promise<void> => {
    await mustExist(policyId, target)
    if (!(await hasPolicyAssociation(db, keyOf(target), policyId)))
      throw notFound('Could not find policy association.', 'PolicyAssociationNotFound')
  }
  return {
    check,
    async add(policyId: string, target: PolicyTarget): Promise<void> {
      await mustExist(policyId, target)
      const row = { endpoint_id: null, service_id: null, region_id: null, ...target }
      await store.transaction(tx => associatePolicy(tx, { ...row, target: keyOf(target), policy_id: policyId }))
    },
    async remove(policyId: string, target: PolicyTarget): Promise<void> {
      await check(policyId, target)
      await store.transaction(tx => dissociatePolicy(tx, keyOf(target), policyId))
    },
    /** The policy itself, as whoever is associated with it fetches it. */
    async find(policyId: string): Promise<object> {
      const found = await repository(policy).find(db, policyId)
      if (!found) throw missing('policy', policyId)
      return found
    },
    async endpointsOf(policyId: string): Promise<object[]> {
      await mustExist(policyId, {})
      const known = await associations()
      const rows = (await endpoints.list(db)).filter(row => policyOf(row, known) === policyId)
      return rows.map(row => ({ ...row, region: row.region_id }))
    },
    async policyOf(endpointId: string): Promise<object> {
      const row = await endpoints.find(db, endpointId)
      if (!row) throw missing('endpoint', endpointId)
      const id = policyOf(row, await associations())
      const found = id === undefined ? undefined : await repository(policy).find(db, id)
      if (!found) throw notFound(`No policy is associated with endpoint ${endpointId}.`, 'NotFound')
      return found
    },
  }
}
