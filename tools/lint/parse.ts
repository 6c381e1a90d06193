/** Reads out of one TypeScript file what the layer lint judges: its imports, and the calls that some places forbid. */
import { parseSync } from 'oxc-parser'

export interface Import {
  readonly specifier: string
  readonly line: number
  /** Names taken from the module; empty for a namespace, a default, or an import for effect. */
  readonly names: readonly string[]
  /** Local name of `import * as x`, or of `import x`. */
  readonly whole?: string | undefined
}

export interface Find {
  readonly kind: 'clock' | 'shell' | 'syntax'
  readonly what: string
  readonly line: number
}

/** A constant that the file exports and that is neither a function nor a literal. */
export interface Constant {
  readonly name: string
  readonly line: number
}

export interface Facts {
  readonly imports: readonly Import[]
  readonly constants: readonly Constant[]
  readonly finds: readonly Find[]
}

/** A node of the syntax tree (ESTree with TypeScript's nodes), as much as is read here. */
interface Node {
  readonly type: string
  readonly start: number
  readonly [key: string]: unknown
}

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string'

const nameOf = (value: unknown): string => (isNode(value) ? String(value['name'] ?? value['value'] ?? '') : '')

/** Dotted name of an identifier or a plain member access; '' for anything else. */
function dotted(value: unknown): string {
  if (!isNode(value)) return ''
  if (value.type === 'Identifier') return String(value['name'])
  if (value.type !== 'MemberExpression') return ''
  const owner = dotted(value['object'])
  return owner ? `${owner}.${nameOf(value['property'])}` : ''
}

const CLOCK_CALLS = /^(globalThis\.)?(Date\.now|Math\.random|(\w+\.)?randomUUID)$/
const SHELL_NAMES = new Set(['exec', 'execSync'])
/** `true`, or the name or path of a shell. */
const SHELL_VALUE = /^(true|[\w./-]*sh)$/
const CHILD_PROCESS = /^(node:)?child_process$/

function importOf(node: Node, line: number): Import | undefined {
  const source = node['source']
  const literal = isNode(source) && typeof source['value'] === 'string' ? source['value'] : undefined
  if (literal === undefined || !/^(Import|Export\w+)(Declaration|Expression)$|^TSImportType$/.test(node.type)) return
  const specifiers = (Array.isArray(node['specifiers']) ? node['specifiers'] : []) as Node[]
  const whole = specifiers.find(one => one.type === 'ImportNamespaceSpecifier' || one.type === 'ImportDefaultSpecifier')
  return {
    specifier: literal,
    line,
    names: specifiers.map(one => nameOf(one['imported'] ?? one['local'])),
    whole: whole && nameOf(whole['local']),
  }
}

function findOf(node: Node, line: number, shells: ReadonlySet<string>): Find | undefined {
  if (node.type === 'CallExpression') {
    const callee = dotted(node['callee'])
    if (CLOCK_CALLS.test(callee)) return { kind: 'clock', what: `${callee}()`, line }
    if (shells.has(callee)) return { kind: 'shell', what: `${callee}()`, line }
  }
  if (node.type === 'NewExpression' && nameOf(node['callee']) === 'Date' && (node['arguments'] as []).length === 0) {
    return { kind: 'clock', what: 'new Date()', line }
  }
  if (node.type === 'Property' && nameOf(node['key']) === 'shell' && SHELL_VALUE.test(nameOf(node['value']))) {
    return { kind: 'shell', what: 'the option shell', line }
  }
  return
}

const PLAIN = new Set(['ArrowFunctionExpression', 'FunctionExpression', 'Literal', 'TemplateLiteral'])

function constantsOf(node: Node, line: number): Constant[] {
  const declaration = node['declaration']
  if (node.type !== 'ExportNamedDeclaration' || !isNode(declaration)) return []
  const declared = (Array.isArray(declaration['declarations']) ? declaration['declarations'] : []) as Node[]
  return declared
    .filter(({ init }) => isNode(init) && !PLAIN.has(init.type))
    .map(({ id }) => ({ name: nameOf(id), line }))
}

function visit(value: unknown, see: (node: Node) => void): void {
  if (Array.isArray(value)) for (const one of value) visit(one, see)
  else if (isNode(value)) {
    see(value)
    for (const key of Object.keys(value)) if (typeof value[key] === 'object') visit(value[key], see)
  }
}

/** Facts of a file; a file that does not parse yields one `syntax` find. */
export function parse(file: string, text: string): Facts {
  const { program, errors } = parseSync(file, text)
  const starts = [0]
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  const lineOf = (offset: number) => {
    const next = starts.findIndex(start => start > offset)
    return next < 0 ? starts.length : next
  }
  if (errors.length > 0) {
    const finds = errors.map(one => {
      return { kind: 'syntax' as const, what: one.message, line: lineOf(one.labels[0]?.start ?? 0) }
    })
    return { imports: [], constants: [], finds }
  }

  const nodes: Node[] = []
  visit(program.body, node => nodes.push(node))
  const imports = nodes.flatMap(node => importOf(node, lineOf(node.start)) ?? [])
  const shells = new Set(
    imports
      .filter(one => CHILD_PROCESS.test(one.specifier))
      .flatMap(one => [
        ...one.names.filter(name => SHELL_NAMES.has(name)),
        ...(one.whole ? [...SHELL_NAMES].map(name => `${one.whole}.${name}`) : []),
      ]),
  )
  const finds = nodes.flatMap(node => findOf(node, lineOf(node.start), shells) ?? [])
  const constants = nodes.flatMap(node => constantsOf(node, lineOf(node.start)))
  return { imports, constants, finds }
}
