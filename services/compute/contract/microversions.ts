/** The versions of the API that are answered: 2.1 to 2.96. */
export const microversions = {
  service: 'compute',
  legacyHeader: 'X-OpenStack-Nova-API-Version',
  major: 2,
  min: 1,
  max: 96,
} as const

/** Header by which the sdk asks for the latest version, the one that the contract's types describe. */
export const versionHeader = { 'openstack-api-version': `compute 2.${microversions.max}` } as const
