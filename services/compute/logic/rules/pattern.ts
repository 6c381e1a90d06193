/**
 * Regular expressions of strangers, matched in linear time whatever they are: JavaScript's own engine takes exponential time
 * for some. Supported are literals, `.`, classes, groups, `|`, `*`, `+`, `?`, `{m,n}`, `^`, `$` and `\d \w \s`; look-around
 * and back references are not.
 *
 * A pattern is compiled to a nondeterministic automaton (Thompson, 1968), all of whose states are followed at once.
 */

export class PatternError extends Error {
  override readonly name = 'PatternError'
}

type CharTest = (code: number) => boolean
type Node =
  | { readonly kind: 'char'; readonly test: CharTest }
  | { readonly kind: 'start' | 'end' }
  | { readonly kind: 'all' | 'any'; readonly parts: readonly Node[] }
  | { readonly kind: 'repeat'; readonly of: Node; readonly min: number; readonly max: number }

/** One state: what it needs (undefined: nothing) and where it leads. */
interface State {
  test?: CharTest
  assert?: 'start' | 'end'
  next: number[]
}

const maxLength = 255
const maxStates = 5000
const digit: CharTest = c => c >= 48 && c <= 57
const word: CharTest = c => digit(c) || c === 95 || (c >= 65 && c <= 90) || (c >= 97 && c <= 122)
const space: CharTest = c => c === 32 || (c >= 9 && c <= 13) || c === 160
const classes: Readonly<Record<string, CharTest>> = { d: digit, w: word, s: space }
const controls: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, f: 12, v: 11 }

/** True when the pattern is only letters, digits and such, so that a plain search does. */
export const isPlain = (pattern: string): boolean => !/[\\^$.*+?()[\]{}|]/.test(pattern)

/** Returns a search (not anchored, capitals count). Throws `PatternError` for what is no pattern, or not one of these. */
export function compilePattern(source: string): (text: string) => boolean {
  if (source.length > maxLength) throw new PatternError(`is longer than ${maxLength} characters`)
  const states: State[] = []
  const start = build(parse(source), addState(states, { next: [] }), states)
  return text => run(states, start, text)
}

function parse(source: string): Node {
  let at = 0
  const peek = () => source[at]
  const fail = (problem: string): never => {
    throw new PatternError(`${problem} at character ${at + 1}`)
  }
  const any = (): Node => {
    const parts = [all()]
    while (peek() === '|') {
      at++
      parts.push(all())
    }
    return parts.length === 1 ? parts[0]! : { kind: 'any', parts }
  }
  const all = (): Node => {
    const parts: Node[] = []
    while (at < source.length && peek() !== '|' && peek() !== ')') parts.push(repeated())
    return { kind: 'all', parts }
  }
  const repeated = (): Node => {
    let node = atom()
    for (let range = quantifier(); range; range = quantifier()) {
      node = { kind: 'repeat', of: node, min: range[0], max: range[1] }
      // Lazy or greedy makes no difference to whether there is a match.
      if (peek() === '?') at++
    }
    return node
  }
  const quantifier = (): readonly [number, number] | undefined => {
    const braces = /^\{(\d{1,3})(,(\d{0,3}))?\}/.exec(source.slice(at, at + 10))
    if (braces) {
      at += braces[0].length
      const min = Number(braces[1])
      const max = braces[2] === undefined ? min : braces[3] ? Number(braces[3]) : Number.POSITIVE_INFINITY
      return max < min ? fail('a range of repetitions ends before it begins') : [min, max]
    }
    const found = { '*': [0, Number.POSITIVE_INFINITY], '+': [1, Number.POSITIVE_INFINITY], '?': [0, 1] } as const
    const range = found[peek() as keyof typeof found]
    if (range) at++
    return range
  }
  const atom = (): Node => {
    const char = source[at++]!
    if (char === '^') return { kind: 'start' }
    if (char === '$') return { kind: 'end' }
    if (char === '.') return { kind: 'char', test: c => c !== 10 }
    if (char === '[') return { kind: 'char', test: bracket() }
    if (char === '\\') return { kind: 'char', test: escaped() }
    if (char === '(') return group()
    if ('*+?'.includes(char)) fail('nothing to repeat')
    return { kind: 'char', test: literal(char) }
  }
  const group = (): Node => {
    if (peek() === '?') {
      if (source[at + 1] !== ':') fail('look-around and named groups are not supported')
      at += 2
    }
    const node = any()
    if (source[at++] !== ')') fail('a parenthesis is missing')
    return node
  }
  const escaped = (): CharTest => {
    const char = source[at++] ?? fail('a character is missing after the backslash')
    const lower = char.toLowerCase()
    const known = classes[lower]
    if (known) return char === lower ? known : c => !known(c)
    if (/[1-9bBAzZkpP]/.test(char)) fail(`\\${char} is not supported`)
    return literal(controls[char] === undefined ? char : String.fromCharCode(controls[char]))
  }
  const bracket = (): CharTest => {
    const negated = peek() === '^'
    if (negated) at++
    const tests: CharTest[] = []
    for (let first = true; first || peek() !== ']'; first = false) {
      if (at >= source.length) fail('a bracket is missing')
      const low = source[at++]!
      if (low === '\\') tests.push(escaped())
      else if (peek() === '-' && source[at + 1] !== ']' && source[at + 1] !== undefined) {
        const [from, to] = [low.charCodeAt(0), source.charCodeAt(at + 1)]
        if (to < from) fail('a range of characters ends before it begins')
        at += 2
        tests.push(c => c >= from && c <= to)
      } else tests.push(literal(low))
    }
    at++
    return c => tests.some(test => test(c)) !== negated
  }
  const node = any()
  return at < source.length ? fail('a parenthesis has no partner') : node
}

function literal(char: string): CharTest {
  const code = char.charCodeAt(0)
  return c => c === code
}

function addState(states: State[], state: State): number {
  if (states.length >= maxStates) throw new PatternError('is too large')
  return states.push(state) - 1
}

/** Adds the states of a node that lead to `to`; returns the first. State 0 is the end. */
function build(node: Node, to: number, states: State[]): number {
  switch (node.kind) {
    case 'char':
      return addState(states, { test: node.test, next: [to] })
    case 'start':
    case 'end':
      return addState(states, { assert: node.kind, next: [to] })
    case 'all':
      return node.parts.reduceRight((next, part) => build(part, next, states), to)
    case 'any':
      return addState(states, { next: node.parts.map(part => build(part, to, states)) })
    case 'repeat':
      return buildRepeat(node, to, states)
  }
}

function buildRepeat(node: Extract<Node, { kind: 'repeat' }>, to: number, states: State[]): number {
  let next = to
  if (node.max === Number.POSITIVE_INFINITY) {
    const loop = addState(states, { next: [to] })
    states[loop]!.next.push(build(node.of, loop, states))
    next = loop
  } else for (let i = node.min; i < node.max; i++) next = addState(states, { next: [to, build(node.of, next, states)] })
  for (let i = 0; i < node.min; i++) next = build(node.of, next, states)
  return next
}

function run(states: readonly State[], start: number, text: string): boolean {
  let current = new Set<number>()
  const enter = (first: number, at: number, into: Set<number>) => {
    const pending = [first]
    for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
      if (into.has(id)) continue
      const state = states[id]!
      if (state.assert === 'start' && at !== 0) continue
      if (state.assert === 'end' && at !== text.length) continue
      into.add(id)
      if (!state.test) pending.push(...state.next)
    }
  }
  for (let at = 0; ; at++) {
    enter(start, at, current)
    if (current.has(0)) return true
    if (at >= text.length) return false
    const code = text.charCodeAt(at)
    const following = new Set<number>()
    for (const id of current) {
      const state = states[id]!
      if (state.test?.(code)) for (const next of state.next) enter(next, at + 1, following)
    }
    current = following
  }
}
