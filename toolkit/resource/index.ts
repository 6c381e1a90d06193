/** Declared resources: `resource` declares, `repository` reads and writes their rows, `derive` makes their plain verbs. */
export { derive } from './derive.ts'
export type { ChangeScene, DeriveOptions, Hooks, RowChange } from './hooks.ts'
export { isTrue, type ParsedList, pageOf, parseList, parsePaging } from './list-query.ts'
export { type Condition, encode, type ListQuery, type Repository, repository } from './repository.ts'
export { type Resource, resource, type SortKey, type Verb } from './resource.ts'
