/**
 * The catalog: which operations the services of OpenStack offer, as facts in `catalog/TYPE.json`, one file per official service
 * type. An *operation* is a method and path, or one of several actions behind them; `since` and `until` are the microversions
 * that know it; a `status` says why one does not count (an old API major, a route that only says that it is gone, …).
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface CatalogOperation {
  readonly method: string
  /** Below the service's root, parameters in braces: `/v3/users/{user_id}`. */
  readonly path: string
  readonly action?: string
  readonly since?: string
  readonly until?: string
  readonly status?: 'legacy' | 'removed' | 'alias' | 'not-implemented'
}

export interface CatalogService {
  /** Official service type: `identity`. */
  readonly service: string
  /** The OpenStack project: `keystone`. */
  readonly project: string
  readonly operations: readonly CatalogOperation[]
}

const folder = join(import.meta.dirname, 'catalog')

/** Those that every cloud has come first. */
const FIRST = ['identity', 'image', 'placement', 'compute', 'network', 'block-storage', 'object-store']

export function readCatalog(): CatalogService[] {
  const place = ({ service }: CatalogService) => (FIRST.indexOf(service) + FIRST.length + 1) % (FIRST.length + 1)
  return readdirSync(folder)
    .map(file => JSON.parse(readFileSync(join(folder, file), 'utf8')) as CatalogService)
    .sort((a, b) => place(a) - place(b) || (a.service < b.service ? -1 : 1))
}

/** What is compared of a path: parameters without their names, no query. */
export const shapeOf = (path: string): string =>
  path
    .replace(/\?.*$/, '')
    .replace(/\{[^}]*\}|<[^>]*>|:[^/]+/g, '{}')
    .replace(/(.)\/$/, '$1')

/** What is compared of an operation. Several actions of one path are told apart by their names. */
export const keyOf = (operation: Pick<CatalogOperation, 'method' | 'path' | 'action'>): string =>
  [operation.method, shapeOf(operation.path), ...(operation.action === undefined ? [] : [operation.action])].join(' ')
