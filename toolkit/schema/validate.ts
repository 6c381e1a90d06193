/** Checking values against JSON Schema (TypeBox's compiler), with messages that name the field and what is wrong with it. */
import ipaddr from 'ipaddr.js'
import { Compile } from 'typebox/compile'
import { Set as setFormat } from 'typebox/format'

export type JsonSchema = { readonly [keyword: string]: unknown }

export interface Violation {
  /** Where, as a path of names: `server.networks.0.port`; empty for the whole value. */
  readonly field: string
  /** What is wrong, to be read after the field's name: `must be an integer`. */
  readonly problem: string
}

/** Returns what is wrong with `value`, worst first; an empty list when nothing is. */
export type Validator = (value: unknown) => readonly Violation[]

const uuidPattern = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i

/** True for a UUID with or without its hyphens, as OpenStack takes them. */
export const isUuid = (value: string): boolean => uuidPattern.test(value)

setFormat('uuid', isUuid)
setFormat('ipv4', value => ipaddr.IPv4.isValidFourPartDecimal(value))
const isIpv6 = (value: string): boolean => ipaddr.IPv6.isValid(value) && !value.includes('%')
setFormat('ipv6', isIpv6)
const isIp = (value: string): boolean => ipaddr.IPv4.isValidFourPartDecimal(value) || isIpv6(value)
setFormat('ip', isIp)
setFormat('cidr', value => isIp(value.split('/', 1)[0]!) && ipaddr.isValidCIDR(value))
setFormat('mac-address', value => /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(value))
setFormat('base64', value => /^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(value))
setFormat('hostname', value => value.length <= 255 && /^[a-zA-Z0-9]([a-zA-Z0-9-.]*[a-zA-Z0-9])?$/.test(value))

/** Compiles a schema. Compiling is slow (about a millisecond), checking is fast: keep what this returns. */
export function compileSchema(schema: JsonSchema): Validator {
  let compiled: ReturnType<typeof Compile> | undefined
  return value => {
    compiled ??= Compile(schema)
    if (compiled.Check(value)) return []
    const errors = compiled.Errors(value) as unknown as SchemaError[]
    // `additionalProperties: false` is reported twice; the second report only says that false is false.
    const violations = errors.filter(error => error.keyword !== 'boolean').map(describe)
    // Of alternatives (`anyOf`, `oneOf`) the deepest failure tells most.
    return violations.sort((a, b) => depth(b.field) - depth(a.field))
  }
}

interface SchemaError {
  readonly keyword: string
  readonly instancePath: string
  readonly params: Readonly<Record<string, unknown>>
  readonly message: string
}

const depth = (path: string): number => (path === '' ? 0 : path.split('.').length)

function describe(error: SchemaError): Violation {
  const at = error.instancePath
    .split('/')
    .slice(1)
    .map(part => part.replaceAll('~1', '/').replaceAll('~0', '~'))
  const child = (names: unknown): string => [...at, String(Array.isArray(names) ? names[0] : names)].join('.')
  const field = at.join('.')
  switch (error.keyword) {
    case 'required':
      return { field: child(error.params['requiredProperties']), problem: 'is required' }
    case 'additionalProperties':
      return { field: child(error.params['additionalProperties']), problem: 'is not allowed here' }
    case 'enum':
      return { field, problem: `must be one of ${list(error.params['allowedValues'])}` }
    case 'type':
      return { field, problem: `must be of type ${list(error.params['type'])}` }
    case 'format':
      return { field, problem: `is not a valid ${error.params['format']}` }
    case 'pattern':
      return { field, problem: `does not match ${error.params['pattern']}` }
    default:
      return { field, problem: error.message }
  }
}

const list = (values: unknown): string => (Array.isArray(values) ? values.join(', ') : String(values))
