/** What others may know of identity: its resources, the bodies of tokens, its policy and options. */
export { type EndpointInterface, endpoint, region, service } from './catalog.ts'
export { type IdentityConfig, identityConfig } from './config.ts'
export { group } from './group.ts'
export { policies } from './policies.ts'
export { domain, project } from './project.ts'
export { role } from './role.ts'
export type { AuthRequest, CatalogEntry, TokenBody } from './token.ts'
export { type PasswordChange, user } from './user.ts'
