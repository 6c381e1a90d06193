/** What others may know of the compute service. */
export { type ComputeConfig, computeConfig } from './config.ts'
export { microversions, versionHeader } from './microversions.ts'
export { paths } from './paths.ts'
export { policies } from './policies.ts'
export { type PowerState, powerStates, statusOf, type TaskState, type VmState, vmStates } from './states.ts'
