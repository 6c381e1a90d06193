/** What of the catalog the services offer. Pure: the catalog and the services' operations go in, counts and what is missing come out. */
import { type CatalogOperation, type CatalogService, keyOf } from './catalog.ts'

export interface Coverage {
  readonly service: string
  readonly project: string
  readonly total: number
  readonly implemented: number
  /** In the catalog's order, each once. */
  readonly missing: readonly CatalogOperation[]
}

export interface Offered {
  readonly type: string
  readonly operations: readonly Pick<CatalogOperation, 'method' | 'path' | 'action'>[]
}

/** Placeholders of the catalog that stand for many fixed words: one of them answered is the operation. */
const ANY_WORD: Readonly<Record<string, RegExp>> = {
  '{resource_type}': /^[a-z][\w-]*$/,
}

/** Coverage of each service of the catalog; one that the project does not have covers nothing. */
export function compare(catalog: readonly CatalogService[], offered: readonly Offered[]): Coverage[] {
  return catalog.map(({ service, project, operations }) => {
    const current = new Map(operations.filter(one => one.status === undefined).map(one => [keyOf(one), one]))
    const answers = answersOf(offered.find(one => one.type === service)?.operations ?? [])
    const missing = [...current.values()].filter(one => !answers(one))
    return { service, project, total: current.size, implemented: current.size - missing.length, missing }
  })
}

/** HEAD is served wherever GET is. */
function answersOf(operations: Offered['operations']): (wanted: CatalogOperation) => boolean {
  const known = new Set(operations.map(keyOf))
  const has = (wanted: CatalogOperation) =>
    known.has(keyOf(wanted)) || (wanted.method === 'HEAD' && known.has(keyOf({ ...wanted, method: 'GET' })))
  return wanted => {
    const placeholder = Object.keys(ANY_WORD).find(one => wanted.path.includes(one))
    if (!placeholder) return has(wanted)
    const at = wanted.path.split('/').indexOf(placeholder)
    const words = new Set(operations.map(one => one.path.split('/')[at] ?? ''))
    return [...words].some(
      word => ANY_WORD[placeholder]!.test(word) && has({ ...wanted, path: wanted.path.replace(placeholder, word) }),
    )
  }
}
