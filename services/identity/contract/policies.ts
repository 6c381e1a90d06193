/** Who may do what. Names and defaults are those of the field; override them in `policy.yaml`. */
import type { PolicyRule, Scope } from '@strata/toolkit/policy'

const everywhere: readonly Scope[] = ['system', 'domain', 'project']
const outsideDomains: readonly Scope[] = ['system', 'project']

const admin = 'rule:admin_required'
const systemReader = '(role:reader and system_scope:all)'
const readerOf = (what: string) => `(role:reader and domain_id:%(target.${what})s)`
const managerOf = (...what: string[]) =>
  `(role:manager and ${what.map(one => `domain_id:%(target.${one})s`).join(' and ')})`
const anyOf = (...checks: string[]) => checks.join(' or ')

/** Who grants, and on what: a user or group, on a project or domain, all of one domain. */
const grants = (role: string) =>
  anyOf(
    ...['user.domain_id', 'group.domain_id'].flatMap(actor =>
      ['project.domain_id', 'domain.id'].map(
        target => `(role:${role} and domain_id:%(target.${actor})s and domain_id:%(target.${target})s)`,
      ),
    ),
  )
const roleOfDomainOrGlobal = '(domain_id:%(target.role.domain_id)s or None:%(target.role.domain_id)s)'

type Described = Readonly<Record<string, string>>
const rules = (check: string, scopes: readonly Scope[] | undefined, described: Described): PolicyRule[] =>
  Object.entries(described).map(([name, description]) => ({ name: `identity:${name}`, check, description, scopes }))

const base: readonly PolicyRule[] = [
  { name: 'admin_required', check: 'role:admin or is_admin:1', description: 'An administrator.' },
  { name: 'service_role', check: 'role:service', description: 'A service of the cloud, speaking for itself.' },
  { name: 'service_or_admin', check: 'rule:admin_required or rule:service_role', description: 'Either of both.' },
  { name: 'owner', check: 'user_id:%(user_id)s', description: 'The user in question.' },
  { name: 'admin_or_owner', check: 'rule:admin_required or rule:owner', description: 'An administrator or the user.' },
  {
    name: 'token_subject',
    check: 'user_id:%(target.token.user_id)s',
    description: 'The user of the token in question.',
  },
  {
    name: 'domain_managed_target_role',
    check: "'manager':%(target.role.name)s or 'member':%(target.role.name)s or 'reader':%(target.role.name)s",
    description: 'A role that the manager of a domain may hand on.',
  },
]

const ownProjectDomain = (role: string) =>
  `(role:${role} and domain_id:%(target.project.domain_id)s and not None:%(target.project.domain_id)s)`

export const policies: readonly PolicyRule[] = [
  ...base,
  ...rules('', undefined, {
    get_auth_catalog: 'Show the catalog for the caller’s token.',
    get_auth_projects: 'List the projects that the caller may scope to.',
    get_auth_domains: 'List the domains that the caller may scope to.',
    get_auth_system: 'Tell whether the caller may scope to the system.',
  }),
  ...rules('', everywhere, { get_region: 'Show a region.', list_regions: 'List regions.' }),
  ...rules(anyOf(admin, systemReader, 'rule:token_subject'), everywhere, {
    check_token: 'Tell whether a token is valid.',
  }),
  ...rules(anyOf(admin, systemReader, 'rule:service_role', 'rule:token_subject'), everywhere, {
    validate_token: 'Show what a token says.',
  }),
  ...rules(anyOf(admin, 'rule:token_subject'), everywhere, { revoke_token: 'Revoke a token.' }),
  ...rules(
    anyOf(admin, systemReader, 'token.domain.id:%(target.domain.id)s', 'token.project.domain.id:%(target.domain.id)s'),
    everywhere,
    { get_domain: 'Show a domain.' },
  ),
  ...rules(anyOf(admin, systemReader, readerOf('domain.id')), everywhere, { list_domains: 'List domains.' }),
  ...rules(admin, outsideDomains, {
    create_domain: 'Create a domain.',
    update_domain: 'Change a domain.',
    delete_domain: 'Delete a domain with all that it owns.',
    create_region: 'Create a region.',
    update_region: 'Change a region.',
    delete_region: 'Delete a region.',
    create_service: 'Add a service to the catalog.',
    update_service: 'Change a service of the catalog.',
    delete_service: 'Delete a service and its endpoints from the catalog.',
    create_endpoint: 'Add an endpoint to the catalog.',
    update_endpoint: 'Change an endpoint of the catalog.',
    delete_endpoint: 'Delete an endpoint from the catalog.',
    create_role: 'Create a role.',
    update_role: 'Change a role.',
    delete_role: 'Delete a role, and every assignment of it.',
    create_domain_role: 'Create a role of a domain.',
    update_domain_role: 'Change a role of a domain.',
    delete_domain_role: 'Delete a role of a domain.',
    create_implied_role: 'Let one role imply another.',
    delete_implied_role: 'Let one role no longer imply another.',
    create_system_grant_for_user: 'Give a user a role on the system.',
    revoke_system_grant_for_user: 'Take a role on the system from a user.',
    create_system_grant_for_group: 'Give a group a role on the system.',
    revoke_system_grant_for_group: 'Take a role on the system from a group.',
  }),
  ...rules(anyOf(admin, systemReader), outsideDomains, {
    get_service: 'Show a service of the catalog.',
    list_services: 'List the services of the catalog.',
    get_endpoint: 'Show an endpoint of the catalog.',
    list_endpoints: 'List the endpoints of the catalog.',
    get_domain_role: 'Show a role of a domain.',
    list_domain_roles: 'List the roles of a domain.',
    get_implied_role: 'Show that one role implies another.',
    check_implied_role: 'Tell whether one role implies another.',
    list_implied_roles: 'List what a role implies.',
    list_role_inference_rules: 'List what all roles imply.',
    list_system_grants_for_user: 'List the roles of a user on the system.',
    check_system_grant_for_user: 'Tell whether a user has a role on the system.',
    list_system_grants_for_group: 'List the roles of a group on the system.',
    check_system_grant_for_group: 'Tell whether a group has a role on the system.',
  }),
  ...rules(`(${anyOf(admin, systemReader)}) or (role:manager and rule:domain_managed_target_role)`, everywhere, {
    get_role: 'Show a role.',
  }),
  ...rules(`(${anyOf(admin, systemReader)}) or (role:manager and not domain_id:None)`, everywhere, {
    list_roles: 'List roles.',
  }),
  ...rules(anyOf(admin, systemReader, ownProjectDomain('reader'), 'project_id:%(target.project.id)s'), everywhere, {
    get_project: 'Show a project.',
    list_project_tags: 'List the tags of a project.',
    get_project_tag: 'Tell whether a project has a tag.',
  }),
  ...rules(anyOf(admin, ownProjectDomain('manager')), everywhere, {
    create_project: 'Create a project.',
    update_project: 'Change a project.',
    delete_project: 'Delete a project.',
    update_project_tags: 'Replace the tags of a project.',
    create_project_tag: 'Add a tag to a project.',
    delete_project_tags: 'Remove all tags of a project.',
    delete_project_tag: 'Remove a tag of a project.',
  }),
  ...rules(anyOf(admin, systemReader, readerOf('domain_id')), everywhere, {
    list_projects: 'List projects.',
    list_users: 'List users.',
    list_role_assignments: 'List who has which role where.',
  }),
  // Beside the field's default, readers of the project itself are not meant: the tree may hold others' projects.
  ...rules(anyOf(admin, systemReader, readerOf('domain_id')), everywhere, {
    list_role_assignments_for_tree: 'List who has which role in a project and all below it.',
  }),
  ...rules(anyOf(admin, systemReader, readerOf('user.domain_id'), 'user_id:%(target.user.id)s'), everywhere, {
    get_user: 'Show a user.',
    list_user_projects: 'List the projects of a user.',
    list_groups_for_user: 'List the groups of a user.',
  }),
  ...rules(anyOf(admin, managerOf('user.domain_id')), everywhere, {
    create_user: 'Create a user.',
    update_user: 'Change a user, also its password.',
    delete_user: 'Delete a user.',
  }),
  ...rules(anyOf(admin, systemReader, readerOf('group.domain_id')), everywhere, {
    get_group: 'Show a group.',
    list_groups: 'List groups.',
    list_users_in_group: 'List the members of a group.',
  }),
  ...rules(anyOf(admin, managerOf('group.domain_id')), everywhere, {
    create_group: 'Create a group.',
    update_group: 'Change a group.',
    delete_group: 'Delete a group.',
  }),
  ...rules(anyOf(admin, managerOf('group.domain_id', 'user.domain_id')), everywhere, {
    add_user_to_group: 'Add a user to a group.',
    remove_user_from_group: 'Remove a user from a group.',
  }),
  ...rules(
    anyOf(
      admin,
      systemReader,
      '(role:reader and domain_id:%(target.group.domain_id)s and domain_id:%(target.user.domain_id)s)',
    ),
    everywhere,
    { check_user_in_group: 'Tell whether a user is a member of a group.' },
  ),
  ...rules(`${admin} or (${systemReader} or (${grants('reader')}) and ${roleOfDomainOrGlobal})`, everywhere, {
    check_grant: 'Tell whether a user or group has a role on a project or domain.',
  }),
  ...rules(anyOf(admin, systemReader, grants('reader')), everywhere, {
    list_grants: 'List the roles of a user or group on a project or domain.',
  }),
  ...rules(
    `${admin} or (${grants('admin')}) and ${roleOfDomainOrGlobal} or (${grants('manager')}) and rule:domain_managed_target_role`,
    everywhere,
    {
      create_grant: 'Give a user or group a role on a project or domain.',
      revoke_grant: 'Take a role on a project or domain from a user or group.',
    },
  ),
  ...rules(anyOf(systemReader, 'user_id:%(target.user.id)s'), outsideDomains, {
    get_access_rule: 'Show an access rule.',
    list_access_rules: 'List the access rules of a user.',
  }),
  ...rules(anyOf('(role:admin and system_scope:all)', 'user_id:%(target.user.id)s'), outsideDomains, {
    delete_access_rule: 'Delete an access rule.',
  }),
  ...rules(anyOf(admin, systemReader, 'rule:owner'), outsideDomains, {
    get_application_credential: 'Show an application credential.',
    list_application_credentials: 'List the application credentials of a user.',
  }),
  ...rules('user_id:%(user_id)s', ['project'], {
    create_application_credential: 'Create an application credential.',
  }),
  ...rules('rule:admin_or_owner', outsideDomains, {
    delete_application_credential: 'Delete an application credential.',
  }),
  ...rules(anyOf(admin, systemReader, 'user_id:%(target.credential.user_id)s'), everywhere, {
    get_credential: 'Show a credential.',
    list_credentials: 'List credentials.',
  }),
  ...rules(anyOf(admin, 'user_id:%(target.credential.user_id)s'), everywhere, {
    create_credential: 'Create a credential.',
    update_credential: 'Change a credential.',
    delete_credential: 'Delete a credential.',
  }),
  ...rules(anyOf(admin, systemReader, 'user_id:%(target.credential.user_id)s'), outsideDomains, {
    ec2_get_credential: 'Show a pair of EC2 keys.',
  }),
  ...rules(anyOf(admin, systemReader, 'rule:owner'), outsideDomains, {
    ec2_list_credentials: 'List the pairs of EC2 keys of a user.',
  }),
  ...rules(anyOf(admin, '(role:member and user_id:%(target.credential.user_id)s)'), outsideDomains, {
    ec2_create_credential: 'Create a pair of EC2 keys.',
    ec2_delete_credential: 'Delete a pair of EC2 keys.',
  }),
  ...rules('rule:service_or_admin', everywhere, {
    ec2tokens_validate: 'Have a signature of EC2 keys checked, for a token of their owner.',
    s3tokens_validate: 'Have a signature of S3 keys checked, for a token of their owner.',
  }),
  ...rules('user_id:%(target.trust.trustor_user_id)s', ['project'], { create_trust: 'Create a trust.' }),
  ...rules(anyOf(admin, systemReader), outsideDomains, { list_trusts: 'List everybody’s trusts.' }),
  ...rules(anyOf(admin, systemReader, 'user_id:%(target.trust.trustor_user_id)s'), outsideDomains, {
    list_trusts_for_trustor: 'List the trusts that a user gave.',
  }),
  ...rules(anyOf(admin, systemReader, 'user_id:%(target.trust.trustee_user_id)s'), outsideDomains, {
    list_trusts_for_trustee: 'List the trusts that a user was given.',
  }),
  ...rules(
    anyOf(admin, systemReader, 'user_id:%(target.trust.trustor_user_id)s', 'user_id:%(target.trust.trustee_user_id)s'),
    outsideDomains,
    {
      get_trust: 'Show a trust.',
      list_roles_for_trust: 'List the roles of a trust.',
      get_role_for_trust: 'Show a role of a trust.',
    },
  ),
  ...rules(anyOf(admin, 'user_id:%(target.trust.trustor_user_id)s'), outsideDomains, {
    delete_trust: 'Delete a trust.',
  }),
  ...rules('', everywhere, {
    get_limit_model: 'Show the model of enforcement of limits.',
    list_limits: 'List limits; without more rights, those of the caller’s project or domain.',
    get_registered_limit: 'Show a registered limit.',
    list_registered_limits: 'List registered limits.',
  }),
  ...rules(
    anyOf(
      admin,
      systemReader,
      '(domain_id:%(target.limit.domain.id)s or domain_id:%(target.limit.project.domain_id)s)',
      '(project_id:%(target.limit.project_id)s and not None:%(target.limit.project_id)s)',
    ),
    everywhere,
    { get_limit: 'Show a limit.' },
  ),
  ...rules(admin, outsideDomains, {
    create_limits: 'Create limits.',
    update_limit: 'Change a limit.',
    delete_limit: 'Delete a limit.',
    create_registered_limits: 'Create registered limits.',
    update_registered_limit: 'Change a registered limit.',
    delete_registered_limit: 'Delete a registered limit.',
  }),
  ...rules(anyOf(admin, systemReader), outsideDomains, {
    get_endpoint_group: 'Show an endpoint group.',
    list_endpoint_groups: 'List endpoint groups.',
    list_endpoints_associated_with_endpoint_group: 'List the endpoints of an endpoint group.',
    list_projects_associated_with_endpoint_group: 'List the projects that were given an endpoint group.',
    list_endpoint_groups_for_project: 'List the endpoint groups that a project was given.',
    get_endpoint_group_in_project: 'Show an endpoint group that a project was given.',
    list_endpoints_for_project: 'List the endpoints that a project was given.',
    list_projects_for_endpoint: 'List the projects that were given an endpoint.',
    check_endpoint_in_project: 'Tell whether a project was given an endpoint.',
  }),
  ...rules(admin, outsideDomains, {
    create_endpoint_group: 'Create an endpoint group.',
    update_endpoint_group: 'Change an endpoint group.',
    delete_endpoint_group: 'Delete an endpoint group.',
    add_endpoint_group_to_project: 'Give an endpoint group to a project.',
    remove_endpoint_group_from_project: 'Take an endpoint group from a project.',
    add_endpoint_to_project: 'Give an endpoint to a project.',
    remove_endpoint_from_project: 'Take an endpoint from a project.',
  }),
  ...rules(anyOf(admin, systemReader), outsideDomains, {
    get_domain_config: 'Show the configuration of a domain.',
    get_domain_config_default: 'Show what holds for domains whose configuration does not say.',
  }),
  ...rules('', everywhere, {
    get_security_compliance_domain_config: 'Show what new passwords must be like.',
  }),
  ...rules(admin, outsideDomains, {
    create_domain_config: 'Set the configuration of a domain.',
    update_domain_config: 'Change the configuration of a domain.',
    delete_domain_config: 'Delete the configuration of a domain, or a part of it.',
  }),
  ...rules(anyOf(admin, systemReader), outsideDomains, {
    get_identity_provider: 'Show an identity provider.',
    list_identity_providers: 'List identity providers.',
    get_protocol: 'Show a protocol of an identity provider.',
    list_protocols: 'List the protocols of an identity provider.',
    get_mapping: 'Show a mapping of federated users.',
    list_mappings: 'List mappings of federated users.',
    get_service_provider: 'Show a service provider.',
    list_service_providers: 'List service providers.',
  }),
  ...rules(admin, outsideDomains, {
    create_identity_provider: 'Register an identity provider.',
    update_identity_provider: 'Change an identity provider.',
    delete_identity_provider: 'Delete an identity provider, with the users that it alone knows.',
    create_protocol: 'Add a protocol to an identity provider.',
    update_protocol: 'Change a protocol of an identity provider.',
    delete_protocol: 'Delete a protocol of an identity provider.',
    create_mapping: 'Create a mapping of federated users.',
    update_mapping: 'Change a mapping of federated users.',
    delete_mapping: 'Delete a mapping of federated users.',
    create_service_provider: 'Register a service provider.',
    update_service_provider: 'Change a service provider.',
    delete_service_provider: 'Delete a service provider.',
  }),
  ...rules(anyOf(admin, systemReader), outsideDomains, {
    get_policy: 'Show a policy that services may fetch.',
    list_policies: 'List the policies that services may fetch.',
    get_policy_for_endpoint: 'Show the policy that applies to an endpoint.',
    list_endpoints_for_policy: 'List the endpoints that a policy applies to.',
    check_policy_association_for_endpoint: 'Tell whether a policy is associated with an endpoint.',
    check_policy_association_for_service: 'Tell whether a policy is associated with a service.',
    check_policy_association_for_region_and_service: 'Tell whether a policy is associated with a service in a region.',
  }),
  ...rules(admin, outsideDomains, {
    create_policy: 'Create a policy that services may fetch.',
    update_policy: 'Change a policy that services may fetch.',
    delete_policy: 'Delete a policy that services may fetch.',
    create_policy_association_for_endpoint: 'Associate a policy with an endpoint.',
    delete_policy_association_for_endpoint: 'Take a policy from an endpoint.',
    create_policy_association_for_service: 'Associate a policy with a service.',
    delete_policy_association_for_service: 'Take a policy from a service.',
    create_policy_association_for_region_and_service: 'Associate a policy with a service in a region.',
    delete_policy_association_for_region_and_service: 'Take a policy from a service in a region.',
  }),
  ...rules(anyOf(admin, systemReader), outsideDomains, {
    get_consumer: 'Show a consumer of OAuth 1.0.',
    list_consumers: 'List the consumers of OAuth 1.0.',
  }),
  ...rules(admin, outsideDomains, {
    create_consumer: 'Create a consumer of OAuth 1.0.',
    update_consumer: 'Change a consumer of OAuth 1.0.',
    delete_consumer: 'Delete a consumer of OAuth 1.0, and all its tokens.',
  }),
  ...rules(admin, ['project'], {
    authorize_request_token: 'Let a consumer of OAuth 1.0 act with some of the caller’s roles.',
    get_access_token: 'Show an access token of OAuth 1.0.',
    list_access_tokens: 'List the access tokens of OAuth 1.0 that a user authorized.',
    get_access_token_role: 'Show a role of an access token.',
    list_access_token_roles: 'List the roles of an access token.',
    delete_access_token: 'Delete an access token of OAuth 1.0.',
  }),
  ...rules('rule:service_or_admin', outsideDomains, { list_revoke_events: 'List what was revoked.' }),
]
