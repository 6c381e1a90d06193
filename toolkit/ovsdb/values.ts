/**
 * OVSDB's wire forms (RFC 7047 section 5.1) and plain JS values, converted by the database's own schema.
 *
 * | column type             | JS value                                         |
 * |-------------------------|--------------------------------------------------|
 * | one atom                | string, number or boolean; a UUID is a string    |
 * | at most one atom        | the atom or null                                 |
 * | several atoms           | array, sorted (sets have no order)               |
 * | map                     | plain object; keys are strings                   |
 *
 * A row that is inserted in the same transaction is referred to by `named('x')` wherever a UUID may stand.
 */

export interface NamedUuid {
  readonly namedUuid: string
}
export type Atom = string | number | boolean | NamedUuid
export type Value = Atom | null | readonly Atom[] | { readonly [key: string]: Atom }
/** A row by column; `_uuid` is there when it came from the database. */
export type Row = { readonly [column: string]: Value }

export type AtomType = 'string' | 'integer' | 'real' | 'boolean' | 'uuid'
export interface ColumnType {
  readonly kind: 'atom' | 'optional' | 'set' | 'map'
  readonly key: AtomType
  readonly value?: AtomType
  /** Table that a UUID refers to. */
  readonly refTable?: string
}
export interface TableSchema {
  readonly columns: Readonly<Record<string, ColumnType>>
  readonly isRoot: boolean
}
export interface DatabaseSchema {
  readonly name: string
  readonly version: string
  readonly tables: Readonly<Record<string, TableSchema>>
}

export function named(name: string): NamedUuid {
  return { namedUuid: name }
}

export function isNamed(value: unknown): value is NamedUuid {
  return typeof value === 'object' && value !== null && typeof (value as NamedUuid).namedUuid === 'string'
}

const UUID_TYPE: ColumnType = { kind: 'atom', key: 'uuid' }

type RawBase = string | { type: string; refTable?: string }
type RawType = string | { key: RawBase; value?: RawBase; min?: number; max?: number | 'unlimited' }

function baseName(base: RawBase): AtomType {
  return (typeof base === 'string' ? base : base.type) as AtomType
}

function parseType(type: RawType): ColumnType {
  if (typeof type === 'string') return { kind: 'atom', key: type as AtomType }
  const key = baseName(type.key)
  const refTable = typeof type.key === 'string' ? undefined : type.key.refTable
  const common = refTable === undefined ? { key } : { key, refTable }
  if (type.value !== undefined) return { ...common, kind: 'map', value: baseName(type.value) }
  const max = type.max ?? 1
  if (max !== 1) return { ...common, kind: 'set' }
  return { ...common, kind: (type.min ?? 1) === 0 ? 'optional' : 'atom' }
}

/** From the answer to `get_schema`. Throws when it has not the shape of RFC 7047 section 3.2. */
export function parseSchema(raw: unknown): DatabaseSchema {
  const schema = raw as {
    name: string
    version: string
    tables: Record<string, { columns: Record<string, { type: RawType }>; isRoot?: boolean }>
  }
  if (typeof schema?.tables !== 'object') throw new TypeError('not an OVSDB schema')
  const tables: Record<string, TableSchema> = {}
  for (const [table, { columns, isRoot }] of Object.entries(schema.tables)) {
    const parsed: Record<string, ColumnType> = { _uuid: UUID_TYPE, _version: UUID_TYPE }
    for (const [column, { type }] of Object.entries(columns)) parsed[column] = parseType(type)
    tables[table] = { columns: parsed, isRoot: isRoot ?? false }
  }
  return { name: schema.name, version: schema.version, tables }
}

/** The type of a column. Throws a `TypeError` naming what the schema has not. */
export function columnType(schema: DatabaseSchema, table: string, column: string): ColumnType {
  const columns = schema.tables[table]?.columns
  if (columns === undefined) throw new TypeError(`${schema.name} has no table ${table}`)
  const type = columns[column]
  if (type === undefined) throw new TypeError(`table ${table} of ${schema.name} has no column ${column}`)
  return type
}

function decodeAtom(wire: unknown): Atom {
  if (Array.isArray(wire)) return wire[0] === 'named-uuid' ? named(String(wire[1])) : String(wire[1])
  return wire as Atom
}

function compareAtoms(a: Atom, b: Atom): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  const [left, right] = [String(a), String(b)]
  return left < right ? -1 : left > right ? 1 : 0
}

function decodeElements(wire: unknown): Atom[] {
  const elements = Array.isArray(wire) && wire[0] === 'set' ? (wire[1] as unknown[]) : [wire]
  return elements.map(decodeAtom).sort(compareAtoms)
}

/** A value from the wire, by the column's type. */
export function decode(type: ColumnType, wire: unknown): Value {
  if (type.kind === 'map') {
    const map: Record<string, Atom> = {}
    for (const [key, value] of (wire as ['map', [unknown, unknown][]])[1])
      map[String(decodeAtom(key))] = decodeAtom(value)
    return map
  }
  if (type.kind === 'set') return decodeElements(wire)
  const [first] = decodeElements(wire)
  return first ?? null
}

function encodeAtom(type: AtomType, atom: Atom): unknown {
  if (isNamed(atom)) return ['named-uuid', atom.namedUuid]
  return type === 'uuid' ? ['uuid', atom] : atom
}

/** Map keys are strings in JS; the wire wants the type of the schema. */
function encodeKey(type: AtomType, key: string): unknown {
  if (type === 'integer' || type === 'real') return Number(key)
  return type === 'boolean' ? key === 'true' : encodeAtom(type, key)
}

/** The wire form of a value. An array is accepted for every kind but a map; null is the empty set. */
export function encode(type: ColumnType, value: Value): unknown {
  if (value === null) return ['set', []]
  if (Array.isArray(value)) return ['set', value.map(atom => encodeAtom(type.key, atom))]
  if (typeof value === 'object' && !isNamed(value)) {
    if (type.kind !== 'map') throw new TypeError('an object is a value of map columns only')
    return ['map', Object.entries(value).map(([k, v]) => [encodeKey(type.key, k), encodeAtom(type.value!, v as Atom)])]
  }
  if (type.kind === 'map') throw new TypeError('a map column needs an object')
  return encodeAtom(type.key, value as Atom)
}

/** What a column holds when nobody wrote it. */
export function defaultValue(type: ColumnType): Value {
  if (type.kind === 'optional') return null
  if (type.kind === 'set') return []
  if (type.kind === 'map') return {}
  if (type.key === 'string') return ''
  if (type.key === 'boolean') return false
  return type.key === 'uuid' ? '00000000-0000-0000-0000-000000000000' : 0
}

/** Equality of decoded values; the order of sets does not matter. */
export function sameValue(a: Value, b: Value): boolean {
  if (a === b) return true
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return false
  if (isNamed(a) || isNamed(b)) return isNamed(a) && isNamed(b) && a.namedUuid === b.namedUuid
  if (Array.isArray(a) || Array.isArray(b)) return Array.isArray(a) && Array.isArray(b) && sameSet(a, b)
  const [left, right] = [a as Record<string, Atom>, b as Record<string, Atom>]
  const keys = Object.keys(left)
  return keys.length === Object.keys(right).length && keys.every(k => k in right && sameValue(left[k]!, right[k]!))
}

function sameSet(a: readonly Atom[], b: readonly Atom[]): boolean {
  if (a.length !== b.length) return false
  const key = (atom: Atom): string => (isNamed(atom) ? `named:${atom.namedUuid}` : `${typeof atom}:${atom}`)
  const seen = new Set(a.map(key))
  return b.every(atom => seen.has(key(atom)))
}

/**
 * The value after a difference as `update2` notifications carry it (ovsdb-server(7), section 4.1.14): for sets the
 * elements that are in exactly one of old and new, for maps the keys that changed, else simply the new value.
 */
export function applyDifference(type: ColumnType, old: Value, wire: unknown): Value {
  const change = decode(type, wire)
  if (type.kind === 'set') {
    const elements = new Set(old as readonly Atom[])
    for (const atom of change as readonly Atom[]) if (!elements.delete(atom)) elements.add(atom)
    return [...elements].sort(compareAtoms)
  }
  if (type.kind === 'map') {
    const map = { ...(old as Record<string, Atom>) }
    for (const [key, value] of Object.entries(change as Record<string, Atom>)) {
      if (map[key] === value) delete map[key]
      else map[key] = value
    }
    return map
  }
  return change
}
