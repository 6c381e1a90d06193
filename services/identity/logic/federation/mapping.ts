/** Mappings, checked when they are made: by the schema of their version, and that their expressions can be read. */
import { badRequest } from '@strata/toolkit/fault'
import type { Hooks } from '@strata/toolkit/resource'
import { compileSchema } from '@strata/toolkit/schema'
import { duplicate } from '../../contract/errors.ts'
import { type mapping, type Rule, rulesSchema, type SchemaVersion, schemaVersions } from '../../contract/mapping.ts'
import { findMapping } from '../../store/federation.ts'
import type { Parts } from '../parts.ts'
import { compilePattern } from '../rules/mapping/index.ts'
import { idIn } from './idp.ts'

const validators = new Map(
  schemaVersions.map(version => [
    version,
    compileSchema({ type: 'object', properties: { rules: rulesSchema(version) } }),
  ]),
)

export function mappingHooks(parts: Parts): Hooks<typeof mapping.fields> {
  return {
    restrict: () => [],
    async beforeCreate(body, { tx, request }) {
      const id = idIn(request)
      if (await findMapping(tx, id)) throw duplicate('mapping', `ID ${id}`)
      const version = body.schema_version ?? parts.config.attribute_mapping_default_schema_version
      checkRules(body.rules, version)
      return { id, schema_version: version }
    },
    beforeUpdate(row, body) {
      const version = body.schema_version ?? row.schema_version
      checkRules(body.rules ?? row.rules, version)
      return { schema_version: version }
    },
  }
}

/** Throws a 400 that says what is wrong where. */
function checkRules(rules: readonly Rule[], version: SchemaVersion): void {
  const wrong = validators.get(version)!({ rules })
  if (wrong.length > 0)
    throw badRequest(wrong.map(({ field, problem }) => `${field} ${problem}`).join('\n'), 'ValidationError')
  for (const one of rules.flatMap(rule => rule.remote)) {
    if (!one.regex) continue
    for (const source of [one.any_one_of, one.not_any_of, one.whitelist, one.blacklist].flatMap(list => list ?? []))
      try {
        compilePattern(source)
      } catch {
        throw badRequest(`Not a regular expression: ${source}`, 'ValidationError')
      }
  }
}
