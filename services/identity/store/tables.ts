/** The tables of identity's database, as Kysely knows them. */
import type { Kysely, Store } from '@strata/toolkit/store'

export interface Tables {
  /** Domains too: see `contract/project.ts`. */
  projects: {
    id: string
    name: string
    name_scope: string
    domain_id: string | null
    parent_id: string | null
    is_domain: number
    description: string | null
    enabled: number
    options: string
    extra: string | null
  }
  project_tags: { project_id: string; name: string }
  users: {
    id: string
    name: string
    /** Set of users that only came from elsewhere: what they are called; their `name` is then their id. */
    display_name: string | null
    domain_id: string
    enabled: number
    default_project_id: string | null
    options: string
    password_expires_at: string | null
    extra: string | null
  }
  /** The highest number is the password in force; those before it are kept to be compared with new ones. */
  user_passwords: {
    user_id: string
    number: number
    /** In the form of `logic/password/hash.ts`. */
    hash: string
    /** Milliseconds since 1970; null: before this was kept. */
    created_at: number | null
    /** 1: chosen by the user, not by an administrator. */
    self_service: number
  }
  /** What is known of a user's logins; without a row nothing is. */
  user_logins: {
    user_id: string
    /** The day (UTC, `2026-11-20`) on which it last logged in, was made or enabled. */
    active_on: string | null
    /** Failed logins since the last good one. */
    failed_count: number
    /** Milliseconds since 1970, of the last of them. */
    failed_at: number | null
  }
  /** The step of time of the last passcode that was taken: no code of that step or before is taken again. */
  used_passcodes: { credential_id: string; time_step: number }
  user_groups: { id: string; name: string; domain_id: string; description: string | null; extra: string | null }
  memberships: { user_id: string; group_id: string }
  roles: {
    id: string
    name: string
    name_scope: string
    domain_id: string | null
    description: string | null
    options: string
    extra: string | null
  }
  implied_roles: { prior_role_id: string; implied_role_id: string }
  assignments: AssignmentRow
  regions: { id: string; description: string | null; parent_region_id: string | null; extra: string | null }
  services: {
    id: string
    type: string
    name: string
    description: string | null
    enabled: number
    extra: string | null
  }
  endpoints: {
    id: string
    interface: string
    service_id: string
    region_id: string | null
    url: string
    enabled: number
    extra: string | null
  }
  application_credentials: {
    id: string
    user_id: string
    project_id: string
    name: string
    description: string | null
    /** Of the secret, as of a password. */
    hash: string
    /** As `logic/rules/times.ts` writes them. */
    expires_at: string | null
    unrestricted: number
  }
  application_credential_roles: { application_credential_id: string; role_id: string }
  access_rules: { id: string; user_id: string; service: string; method: string; path: string }
  application_credential_rules: { application_credential_id: string; access_rule_id: string }
  credentials: {
    /** Of type `ec2`: the SHA-256 of the access key, by which it is found. */
    id: string
    user_id: string
    project_id: string | null
    type: string
    sealed_blob: string
    extra: string | null
  }
  trusts: {
    id: string
    trustor_user_id: string
    trustee_user_id: string
    project_id: string | null
    impersonation: number
    /** As `logic/rules/times.ts` writes them. */
    expires_at: string | null
    /** Null: as many as one likes. */
    remaining_uses: number | null
    /** The trust that this one was handed on from. */
    redelegated_trust_id: string | null
    redelegation_count: number
  }
  trust_roles: { trust_id: string; role_id: string }
  registered_limits: {
    id: string
    service_id: string
    region_id: string | null
    resource_name: string
    default_limit: number
    description: string | null
    /** A hash of what there can be only one of; a column that can be null would not hold it. */
    uniqueness: string
  }
  limits: {
    id: string
    project_id: string | null
    domain_id: string | null
    service_id: string
    region_id: string | null
    resource_name: string
    resource_limit: number
    description: string | null
    registered_limit_id: string
    uniqueness: string
  }
  endpoint_groups: { id: string; name: string; description: string | null; filters: string }
  project_endpoints: { project_id: string; endpoint_id: string }
  project_endpoint_groups: { project_id: string; endpoint_group_id: string }
  policies: { id: string; type: string; blob: string; extra: string | null }
  policy_associations: {
    /** What it is associated with, in one value, since each can have one policy only. */
    target: string
    policy_id: string
    endpoint_id: string | null
    service_id: string | null
    region_id: string | null
  }
  identity_providers: {
    id: string
    domain_id: string
    enabled: number
    description: string | null
    /** Minutes for which memberships that a login brought hold; null: as configured. */
    authorization_ttl: number | null
  }
  remote_ids: { remote_id: string; idp_id: string }
  mappings: { id: string; schema_version: string; rules: string }
  federation_protocols: { idp_id: string; id: string; mapping_id: string; remote_id_attribute: string | null }
  service_providers: {
    id: string
    enabled: number
    description: string | null
    auth_url: string
    sp_url: string
    relay_state_prefix: string
  }
  /** By whom, and under which name there, a user may log in from elsewhere. */
  federated_users: {
    idp_id: string
    protocol_id: string
    unique_id: string
    user_id: string
    display_name: string | null
  }
  /** Groups that an identity provider said its user is in. */
  expiring_memberships: { user_id: string; group_id: string; idp_id: string; last_verified: number }
  /** See `contract/domain-config.ts`; `value` is JSON, encrypted when `sealed` is 1. */
  domain_options: { domain_id: string; group_name: string; option_name: string; value: string; sealed: number }
  /** See `store/id-mapping.ts`. */
  id_mappings: { public_id: string; domain_id: string; entity_type: ActorType; local_id: string; gone: number }
  /** Of OAuth 1.0. Secrets are encrypted, since signatures are made with them. */
  oauth_consumers: { id: string; description: string | null; sealed_secret: string; extra: string | null }
  oauth_request_tokens: {
    id: string
    sealed_secret: string
    consumer_id: string
    project_id: string
    /** Null until somebody authorized it; so is the next. */
    authorizing_user_id: string | null
    verifier_hash: string | null
    /** JSON. */
    role_ids: string
    /** Milliseconds since 1970; null: never. */
    expires_at: number | null
  }
  oauth_access_tokens: {
    id: string
    sealed_secret: string
    consumer_id: string
    project_id: string
    authorizing_user_id: string
    role_ids: string
    expires_at: number | null
  }
  /** Of requests that were believed, by a hash, until they would be refused for their age. */
  oauth_nonces: { id: string; expires_at: number }
  /** SHA-256 of issuer and id, and until when (ms since 1970) it could be used again. */
  used_assertions: { id: string; expires_at: number }
  /** Tokens that match all that is not null, and were issued at or before `issued_before` (ms), are no longer valid. */
  revocations: {
    id: string
    audit_id: string | null
    user_id: string | null
    project_id: string | null
    domain_id: string | null
    /** The first audit id of a chain: all tokens that were made from that one, and itself. */
    audit_chain_id: string | null
    trust_id: string | null
    consumer_id: string | null
    access_token_id: string | null
    issued_before: number
    /** Milliseconds since 1970; from then on no token can match. */
    expires_at: number
  }
}

export type ActorType = 'user' | 'group'
export type TargetType = 'project' | 'domain' | 'system'

export interface AssignmentRow {
  actor_type: ActorType
  actor_id: string
  target_type: TargetType
  /** `all` for the system. */
  target_id: string
  role_id: string
  /** 1: holds for the projects below the target, not for the target itself. */
  inherited: number
}

/** The store's handle or an open transaction, as far as queries need it. */
export type Db = Pick<Kysely<Tables>, 'selectFrom' | 'insertInto' | 'updateTable' | 'deleteFrom'>
export type IdentityStore = Store<Tables>
