/**
 * Areas of OpenStack's own tests: which tests belong to one, which Debian packages bring them, and which services of the catalog
 * they are for. Areas are called by official service types; `…-rbac` are the tests of who may do what, which run with scope
 * enforced and therefore apart from the others.
 */
export interface Area {
  readonly name: string
  readonly tests: RegExp
  readonly packages: readonly string[]
  /** Catalog types of which the cloud must have one; none where any cloud will do. */
  readonly types: readonly string[]
  /** Tempest's name of the service, in `[enforce_scope]`, for the tests of who may do what. */
  readonly scope?: string
  /** File beside this one with the policies for which these tests were written, where they are not the defaults. */
  readonly policyFile?: string
}

const area = (name: string, tests: RegExp, packages: readonly string[], ...types: string[]): Area => ({
  name,
  tests,
  packages,
  types: types.length > 0 ? types : [name],
})

export const AREAS: readonly Area[] = [
  area('identity', /^tempest\.api\.identity\.|^keystone_tempest_plugin\.(?!tests\.rbac\.)/, [
    'keystone-tempest-plugin',
  ]),
  {
    ...area('identity-rbac', /^keystone_tempest_plugin\.tests\.rbac\./, ['keystone-tempest-plugin'], 'identity'),
    scope: 'keystone',
    policyFile: 'rbac-policy.yaml',
  },
  area('image', /^tempest\.api\.image\.|^glance_tempest_plugin\.(?!tests\.rbac\.)/, ['glance-tempest-plugin']),
  {
    ...area('image-rbac', /^glance_tempest_plugin\.tests\.rbac\./, ['glance-tempest-plugin'], 'image'),
    scope: 'glance',
  },
  area('compute', /^tempest\.api\.compute\./, []),
  area('network', /^tempest\.api\.network\.|^neutron_tempest_plugin\./, ['neutron-tempest-plugin']),
  area(
    'block-storage',
    /^tempest\.api\.volume\.|^cinder_tempest_plugin\./,
    ['cinder-tempest-plugin'],
    ...['block-storage', 'volumev3', 'volume'],
  ),
  area('object-store', /^tempest\.api\.object_storage\./, []),
  area('scenario', /^tempest\.scenario\./, [], 'compute'),
  area('orchestration', /^heat_tempest_plugin\./, ['heat-tempest-plugin']),
  area('dns', /^designate_tempest_plugin\./, ['designate-tempest-plugin']),
  area('load-balancer', /^octavia_tempest_plugin\./, ['octavia-tempest-plugin']),
  area('key-manager', /^barbican_tempest_plugin\.(?!tests\.rbac\.)/, ['barbican-tempest-plugin']),
  {
    ...area('key-manager-rbac', /^barbican_tempest_plugin\.tests\.rbac\./, ['barbican-tempest-plugin'], 'key-manager'),
    scope: 'barbican',
  },
  area(
    'shared-file-system',
    /^manila_tempest_tests\./,
    ['manila-tempest-plugin'],
    ...['shared-file-system', 'sharev2', 'share'],
  ),
  area(
    'container-infrastructure-management',
    /^magnum_tempest_plugin\./,
    ['magnum-tempest-plugin'],
    ...['container-infrastructure-management', 'container-infra'],
  ),
  area('baremetal', /^ironic_tempest_plugin\./, ['ironic-tempest-plugin']),
  area('workflow', /^mistral_tempest_tests\./, ['mistral-tempest-plugin'], 'workflow', 'workflowv2'),
  area('application-catalog', /^murano_tempest_tests\./, ['murano-tempest-plugin']),
  area('alarm', /^telemetry_tempest_plugin\./, ['telemetry-tempest-plugin'], 'alarm', 'alarming', 'metric'),
  area('database', /^trove_tempest_plugin\./, ['trove-tempest-plugin']),
  area('message', /^zaqar_tempest_plugin\./, ['zaqar-tempest-plugin'], 'message', 'messaging'),
  area('clustering', /^senlin_tempest_plugin\./, ['senlin-tempest-plugin']),
  area('root-cause-analysis', /^vitrage_tempest_plugin\./, ['vitrage-tempest-plugin'], 'root-cause-analysis', 'rca'),
  area(
    'resource-optimization',
    /^watcher_tempest_plugin\./,
    ['watcher-tempest-plugin'],
    ...['resource-optimization', 'infra-optim'],
  ),
  area('rating', /^cloudkitty_tempest_plugin\./, ['cloudkitty-tempest-plugin']),
  area('dashboard', /^tempest_horizon\./, ['horizon-tempest-plugin']),
]

/** What every area needs. */
export const TEMPEST_PACKAGES: readonly string[] = ['tempest', 'python3-tempest', 'python3-stestr', 'iputils-ping']

/** The areas that a word of the command line means: itself, or all that can run together. */
export const areasNamed = (name: string): readonly Area[] =>
  name === 'all' ? AREAS.filter(one => one.scope === undefined) : AREAS.filter(one => one.name === name)

export const areaOf = (test: string): Area | undefined => AREAS.find(one => one.tests.test(test))
