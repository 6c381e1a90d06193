/**
 * A service: what `service.ts` of each service defines (`definition.ts`), the operations that it offers (`operation.ts`), and
 * how they are put on the HTTP server (`mount.ts`).
 */
export {
  defineService,
  type ServiceDefinition,
  type ServiceEnvironment,
  type ServiceHealth,
  type ServiceInstance,
} from './definition.ts'
export { type MicroversionRange, negotiate, versionHeaders } from './microversion.ts'
export { type MountOptions, mount } from './mount.ts'
export { type ApiRequest, type Method, type Operation, operation, type Reply, reply, withChanges } from './operation.ts'
export { createServer, type Server } from './server.ts'
