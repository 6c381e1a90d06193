/** Proof that migrations and declarations agree, on whatever engine the store runs. */
import assert from 'node:assert/strict'
import type { Resource } from '../resource/index.ts'
import type { ColumnType, Field } from '../schema/index.ts'
import type { Store } from '../store/index.ts'

// biome-ignore lint/suspicious/noExplicitAny: looks at whatever tables the service has
type AnyStore = Store<any>

/**
 * Asserts for the tables of these resources: each stored field has a column of its kind; the column takes nulls where the field
 * may be null; and no column is left that no field names. Resources may share a table. Fields that the service
 * itself fills in need not be nullable in the table, although a caller may leave them out: `filled` names them by table;
 * `own` names columns that are no field of any resource.
 */
export async function assertTablesMatch(
  store: AnyStore,
  resources: readonly Resource[],
  options: {
    readonly own?: Readonly<Record<string, readonly string[]>>
    readonly filled?: Readonly<Record<string, readonly string[]>>
  } = {},
): Promise<void> {
  const tables = new Map((await store.db.introspection.getTables()).map(table => [table.name, table.columns]))
  const problems: string[] = []
  for (const [name, sharers] of Map.groupBy(resources, resource => resource.table)) {
    const columns = tables.get(name)
    if (!columns) {
      problems.push(`${name}: there is no such table`)
      continue
    }
    const declared = new Set(sharers.flatMap(({ fields }) => Object.keys(fields).filter(one => fields[one]!.stored)))
    for (const column of columns)
      if (!declared.has(column.name) && !options.own?.[name]?.includes(column.name))
        problems.push(`${name}.${column.name}: no field has this column`)
    for (const field of declared) {
      const column = columns.find(one => one.name === field)
      const filled = options.filled?.[name]?.includes(field) ?? false
      if (!column) problems.push(`${name}.${field}: the field has no column`)
      // SQLite says of a text key that it may be null, although a key never is.
      else if (field !== 'id')
        problems.push(
          ...mismatches(
            sharers.map(one => one.fields[field]),
            column,
            filled,
          ).map(one => `${name}.${field}: ${one}`),
        )
    }
  }
  assert.deepEqual(problems, [])
}

function mismatches(
  fields: readonly (Field | undefined)[],
  column: { readonly dataType: string; readonly isNullable: boolean },
  filled: boolean,
): string[] {
  const problems: string[] = []
  const present = fields.filter(field => field?.stored) as Field[]
  for (const { columnType } of present)
    if (!kinds[columnType].test(column.dataType))
      problems.push(`${columnType} in a column of type ${column.dataType.toLowerCase()}`)
  // A table that serves several resources has columns that some of them leave empty.
  const needsNull = present.length < fields.length || present.some(mayBeNull)
  if (needsNull && !filled && !column.isNullable) problems.push('the field may be null, the column may not')
  return problems
}

/** Null by its schema, or because it may be left out and has no default. */
const mayBeNull = (field: Field): boolean =>
  [field.json['type'], field.json['enum']].some(
    one => Array.isArray(one) && (one.includes('null') || one.includes(null)),
  ) ||
  (field.create === 'optional' && field.default === undefined)

/** What engines call the types that a column of each kind may have. */
const kinds: Readonly<Record<ColumnType, RegExp>> = {
  text: /char|text|uuid/i,
  json: /char|text|json/i,
  integer: /int/i,
  boolean: /int|bool/i,
  real: /real|double|float|numeric|decimal/i,
}
