/** Which policy applies to an endpoint: the nearest of those that are associated with it, its regions and its service. */
export interface Associations {
  readonly associations: readonly {
    readonly policy_id: string
    readonly endpoint_id: string | null
    readonly service_id: string | null
    readonly region_id: string | null
  }[]
  readonly regions: readonly { readonly id: string; readonly parent_region_id: string | null }[]
}
interface Endpoint {
  readonly id: string
  readonly service_id: string
  readonly region_id: string | null
}

export function policyOf(endpoint: Endpoint, { associations, regions }: Associations): string | undefined {
  const own = associations.find(one => one.endpoint_id === endpoint.id)
  if (own) return own.policy_id
  const ofService = associations.filter(one => one.service_id === endpoint.service_id)
  for (let region = endpoint.region_id; region !== null; ) {
    const here = ofService.find(one => one.region_id === region)
    if (here) return here.policy_id
    region = regions.find(one => one.id === region)?.parent_region_id ?? null
  }
  return ofService.find(one => one.region_id === null)?.policy_id
}
