/** The tables of placement. Times are ISO 8601 in UTC; names of classes and traits stand as they are. */
export interface Tables {
  resource_provider: {
    uuid: string
    name: string
    generation: number
    parent_uuid: string | null
    root_uuid: string
    created_at: string
    updated_at: string
    /** Revision of the last change of anything about it, usage included. */
    revision: number
  }
  inventory: {
    provider_uuid: string
    resource_class: string
    total: number
    reserved: number
    min_unit: number
    max_unit: number
    step_size: number
    allocation_ratio: number
    updated_at: string
  }
  provider_trait: { provider_uuid: string; trait: string }
  provider_aggregate: { provider_uuid: string; aggregate_uuid: string }
  /** Custom ones only; standard ones are known to the code. */
  trait: { name: string; created_at: string }
  resource_class: { name: string; updated_at: string }
  consumer: {
    uuid: string
    project_id: string
    user_id: string
    type: string | null
    generation: number
  }
  allocation: {
    consumer_uuid: string
    provider_uuid: string
    resource_class: string
    used: number
    created_at: string
  }
  /** One row: the revision of the last committed change. */
  revision: { id: number; value: number }
  /** Providers that are gone, kept for a while so that snapshots notice. */
  deleted_provider: { uuid: string; revision: number }
}
