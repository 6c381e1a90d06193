/**
 * The configuration: one `strata.yaml`, one section a service or part, each with a JSON Schema whose every option has a
 * `default` and a `description`. What the schema does not know is an error that names the option.
 */
import { readFileSync } from 'node:fs'
import { parseDocument } from 'yaml'
import { compileSchema, type JsonSchema } from '../schema/index.ts'

export interface ConfigSection<T> {
  readonly name: string
  readonly schema: JsonSchema
  /** Carries the type; never present. */
  readonly _type?: T
}

/** Declares a section. `options` gives each option's schema with `default` and `description`. */
export function configSection<T>(name: string, options: { readonly [K in keyof T]: JsonSchema }): ConfigSection<T> {
  return { name, schema: { type: 'object', additionalProperties: false, properties: options } }
}

export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

export interface Config {
  /** The section's options, checked, with defaults filled in. Throws `ConfigError` naming the option at fault. */
  section<T>(section: ConfigSection<T>): T
}

/** Reads a file (absent `path`: all defaults) and refuses sections that none of `known` declares. */
export function loadConfig(options: {
  readonly path?: string
  readonly known: readonly ConfigSection<unknown>[]
  /** Values that win over the file, by section: what was given on the command line. */
  readonly overrides?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}): Config {
  const given = options.path === undefined ? {} : readYaml(options.path)
  const names = new Set(options.known.map(section => section.name))
  for (const name of Object.keys(given))
    if (!names.has(name))
      throw new ConfigError(`${options.path}: there is no section "${name}" (known: ${[...names].sort().join(', ')})`)
  const source = options.path ?? 'the built-in configuration'
  for (const section of options.known) fill(section, given, options.overrides, source)
  return { section: section => fill(section, given, options.overrides, source) }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new ConfigError(`${path} cannot be read: ${(cause as Error).message}`, { cause })
  }
}

function readYaml(path: string): Record<string, unknown> {
  const document = parseDocument(readText(path))
  if (document.errors[0])
    throw new ConfigError(`${path}: ${document.errors[0].message.split('\n')[0]!.replace(/:$/, '')}`)
  const value: unknown = document.toJS() ?? {}
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ConfigError(`${path}: must be a mapping of sections`)
  return value as Record<string, unknown>
}

function fill<T>(
  section: ConfigSection<T>,
  given: Readonly<Record<string, unknown>>,
  overrides: Readonly<Record<string, Readonly<Record<string, unknown>>>> | undefined,
  source: string,
): T {
  const value = { ...(given[section.name] as object | undefined), ...overrides?.[section.name] }
  const [violation] = compileSchema(section.schema)(value)
  if (violation) throw new ConfigError(`${source}: ${section.name}.${violation.field} ${violation.problem}`)
  return withDefaults(section.schema, value) as T
}

function withDefaults(schema: JsonSchema, value: unknown): unknown {
  if (value === undefined) value = schema['default']
  const properties = schema['properties'] as Record<string, JsonSchema> | undefined
  if (!properties) return value
  const filled: Record<string, unknown> = { ...(value as object | undefined) }
  for (const [name, inner] of Object.entries(properties)) {
    const child = withDefaults(inner, filled[name])
    if (child !== undefined) filled[name] = child
  }
  return filled
}

/** The reference of all options, as a commented YAML file with every default. */
export function describeConfig(known: readonly ConfigSection<unknown>[]): string {
  const lines: string[] = []
  for (const section of known) {
    lines.push(`${section.name}:`)
    for (const [name, option] of Object.entries((section.schema['properties'] ?? {}) as Record<string, JsonSchema>)) {
      lines.push(
        `  # ${String(option['description'] ?? '')}${option['enum'] ? ` One of: ${(option['enum'] as unknown[]).join(', ')}.` : ''}`,
      )
      const value = option['default']
      lines.push(value === undefined ? `  # ${name}:` : `  ${name}: ${JSON.stringify(value)}`)
    }
    lines.push('')
  }
  return lines.join('\n')
}
