/** `policy.yaml`: check strings that replace the default ones, by service type and rule. */
import { readFileSync } from 'node:fs'
import { ConfigError } from '@strata/toolkit/config'
import { compileSchema } from '@strata/toolkit/schema'
import { parse } from 'yaml'

export type PolicyFile = Readonly<Record<string, Readonly<Record<string, string>>>>

const rules = { type: 'object', additionalProperties: { type: 'string' } }

/** Throws `ConfigError` naming what is wrong with the file. A check string itself is judged by the service that uses it. */
export function readPolicyFile(path: string | undefined, services: readonly string[]): PolicyFile {
  if (path === undefined) return {}
  const check = compileSchema({
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(services.map(service => [service, rules])),
  })
  const content: unknown = parseYaml(path) ?? {}
  const [violation] = check(content)
  if (violation) throw new ConfigError(`${path}: ${violation.field || 'the file'} ${violation.problem}`)
  return content as PolicyFile
}

function parseYaml(path: string): unknown {
  try {
    return parse(readFileSync(path, 'utf8'))
  } catch (cause) {
    throw new ConfigError(`${path}: ${(cause as Error).message}`, { cause })
  }
}
