/** `policy.yaml`: check strings that replace the default ones, by service type and rule. */
import { readFileSync } from 'node:fs'
import * as compute from '@strata/compute/contract'
import * as identity from '@strata/identity/contract'
import * as image from '@strata/image/contract'
import * as network from '@strata/network/contract'
import * as placement from '@strata/placement/contract'
import { ConfigError } from '@strata/toolkit/config'
import { compilePolicy, misspelling, type PolicyRule } from '@strata/toolkit/policy'
import { compileSchema } from '@strata/toolkit/schema'
import { parse } from 'yaml'

export type PolicyFile = Readonly<Record<string, Readonly<Record<string, string>>>>

/** What a service's contract exports: its default policies, resources, and much that is of no interest here. */
type Contract = Readonly<Record<string, unknown>> & { readonly policies: readonly PolicyRule[] }

const contracts: Readonly<Record<string, Contract>> = { identity, image, placement, network, compute }
const checkStrings = { type: 'object', additionalProperties: { type: 'string' } }
const check = compileSchema({
  type: 'object',
  additionalProperties: false,
  properties: Object.fromEntries(Object.keys(contracts).map(service => [service, checkStrings])),
})

/** Throws `ConfigError` naming what is wrong with the file: the service and the rule, where it is one of these. */
export function readPolicyFile(path: string | undefined): PolicyFile {
  if (path === undefined) return {}
  const content: unknown = parseYaml(path) ?? {}
  const [violation] = check(content)
  if (violation) throw new ConfigError(`${path}: ${violation.field || 'the file'} ${violation.problem}`)
  const file = content as PolicyFile
  for (const [service, overrides] of Object.entries(file)) {
    const problem = problemOf(contracts[service]!, overrides)
    if (problem) throw new ConfigError(`${path}: ${service}: ${problem}`)
  }
  return file
}

function problemOf(contract: Contract, overrides: Readonly<Record<string, string>>): string | undefined {
  const names = [...contract.policies.map(rule => rule.name), ...fieldRules(contract)]
  const misspelt = misspelling(names, overrides)
  if (misspelt) return misspelt
  try {
    compilePolicy(contract.policies, overrides)
    return undefined
  } catch (thrown) {
    return (thrown as Error).message
  }
}

/** Rules of single fields, which are asked for when there are any: few have defaults. */
function fieldRules(contract: Contract): string[] {
  const verbs = ['get', 'create', 'update'] as const
  return Object.values(contract).flatMap(value => {
    const { fieldRule, fields } = (value ?? {}) as {
      fieldRule?: (verb: (typeof verbs)[number], field: string) => string
      fields?: object
    }
    if (!fieldRule || !fields) return []
    return verbs.flatMap(verb => Object.keys(fields).map(field => fieldRule(verb, field)))
  })
}

function parseYaml(path: string): unknown {
  try {
    return parse(readFileSync(path, 'utf8'))
  } catch (cause) {
    throw new ConfigError(`${path}: ${(cause as Error).message.split('\n')[0]!.replace(/:$/, '')}`, { cause })
  }
}
