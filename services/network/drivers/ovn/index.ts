/** The OVN driver: `createOvnHost` makes a machine a part of the network, `createOvnBackend` configures the network. */

export { createOvnBackend, type OvnBackendOptions } from './backend.ts'
export { whyNotOvn } from './daemons.ts'
export { createOvnHost, type ExternalOptions, type OvnHost, type OvnHostOptions } from './host.ts'
export { type OvnLayout, type OvnRemotes, ovnLayout } from './layout.ts'
