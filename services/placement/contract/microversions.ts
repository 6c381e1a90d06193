/** The versions of the API that are answered: 1.0 to 1.39. */
export const microversions = { service: 'placement', major: 1, min: 0, max: 39 } as const

/** Header by which the sdk asks for the latest version, the one that the contract's types describe. */
export const versionHeader = { 'openstack-api-version': `placement 1.${microversions.max}` } as const
