/**
 * The operator's command: `strata up`, `down`, `status`, … Each command is loaded only when it is called, so that `help`
 * and `status` stay quick. Exit status: 0 done, 1 failed, 2 misused, 3 (status only) not running.
 */
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { helpFor, overview } from './help.ts'
import { Refusal, refusalOf, say, warn } from './print.ts'
import { type Mode, root, type State, stateAt, stateFolder } from './state.ts'

const OPTIONS = {
  all: { type: 'boolean' },
  check: { type: 'string' },
  config: { type: 'string' },
  engine: { type: 'string' },
  follow: { type: 'boolean', short: 'f' },
  foreground: { type: 'boolean' },
  from: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
  host: { type: 'string' },
  json: { type: 'boolean' },
  lines: { type: 'string', short: 'n' },
  mode: { type: 'string' },
  port: { type: 'string' },
  simulated: { type: 'boolean' },
  state: { type: 'string' },
  to: { type: 'string' },
  version: { type: 'boolean' },
} as const

interface Command {
  /** Options beside `--state` and `--help`; any other is refused rather than ignored. */
  readonly takes: readonly (keyof typeof OPTIONS)[]
  /** Resolves to the exit status, when that is not 0. */
  readonly run: (given: Arguments, state: State) => Promise<number | undefined> | Promise<void>
}

const COMMANDS: Readonly<Record<string, Command>> = {
  up: {
    takes: ['config', 'foreground', 'host', 'port', 'simulated'],
    run: async ({ simulated = false, foreground = false, ...given }, state) =>
      (await import('./commands/up.ts')).up({ ...listening(given), state, simulated, foreground }),
  },
  down: {
    takes: ['all'],
    run: async ({ all = false }, state) => (await import('./commands/down.ts')).down({ state, all }),
  },
  status: {
    takes: ['json'],
    run: async ({ json = false }, state) => (await import('./commands/status.ts')).status({ state, json }),
  },
  doctor: {
    takes: ['host', 'port'],
    run: async ({ host, port }, state) => (await import('./commands/doctor.ts')).doctor({ state, host, port }),
  },
  purge: {
    takes: [],
    run: async (_, state) => (await import('./commands/purge.ts')).purge({ state }),
  },
  compile: {
    takes: [],
    run: async () => (await import('./commands/compile.ts')).compile(),
  },
  serve: {
    takes: ['config', 'host', 'mode', 'port'],
    run: async (given, state) =>
      (await import('./commands/serve.ts')).serve({ ...listening(given), state, mode: modeOf(given.mode) }),
  },
  config: {
    takes: ['check'],
    run: async ({ check }) => (await import('./commands/config.ts')).config({ check: check && resolve(check) }),
  },
  db: {
    takes: ['config', 'from', 'json', 'to'],
    run: async ({ json = false, config, from, to, rest: [verb] }, state) =>
      (await import('./commands/db.ts')).db({ state, verb, configFile: config && resolve(config), from, to, json }),
  },
  keys: {
    takes: ['json'],
    run: async ({ json = false, rest: [verb, name] }, state) =>
      (await import('./commands/keys.ts')).keys({ state, verb, name, json }),
  },
  logs: {
    takes: ['follow', 'lines'],
    run: async ({ lines = 100, follow = false, rest: [name = 'strata'] }, state) =>
      (await import('./commands/logs.ts')).logs({ state, name, lines, follow }),
  },
  test: {
    takes: ['engine'],
    run: async ({ rest: [part], words, engine }) => (await import('./commands/test.ts')).test({ part, words, engine }),
  },
  conformance: {
    takes: [],
    run: async () => (await import('./commands/conformance.ts')).conformance([]),
  },
  version: {
    takes: [],
    run: async () => (await import('./commands/version.ts')).version(),
  },
  help: {
    takes: [],
    run: async ({ rest: [command] }) => say(command ? helpFor(command) : overview()),
  },
}

/** Commands that take words of their own, and how many. */
const TAKES_WORDS: Readonly<Record<string, number>> = { db: 1, keys: 2, logs: 1, test: 1, help: 1 }

export interface Arguments
  extends Partial<Record<'all' | 'follow' | 'foreground' | 'help' | 'json' | 'simulated', boolean>> {
  readonly command: string
  readonly rest: readonly string[]
  /** What follows `--`. */
  readonly words: readonly string[]
  readonly check?: string
  readonly config?: string
  readonly engine?: string
  readonly from?: string
  readonly to?: string
  readonly host?: string
  readonly mode?: string
  readonly state?: string
  readonly port?: number | undefined
  readonly lines?: number | undefined
}

/** Parses a command line; throws a `Refusal` (exit status 2) that says what is wrong with it. */
export function parse(words: readonly string[]): Arguments {
  const parsed = parseOrRefuse(words)
  const terminator = parsed.tokens.find(token => token.kind === 'option-terminator')?.index ?? Infinity
  const positionals = (after: boolean) =>
    parsed.tokens.flatMap(one => (one.kind === 'positional' && one.index > terminator === after ? [one.value] : []))
  const [first, ...rest] = positionals(false)
  const command = parsed.values.version ? 'version' : (first ?? 'help')
  const takes = Object.hasOwn(COMMANDS, command) ? COMMANDS[command]!.takes : undefined
  if (!takes) throw new Refusal(`there is no command "${command}"; "strata help" lists them`, 2)
  for (const name of Object.keys(parsed.values)) {
    if (!['state', 'help', 'version', ...takes].includes(name))
      throw new Refusal(`${command} takes no --${name}; see "./strata help ${command}"`, 2)
  }
  const extra = rest[TAKES_WORDS[command] ?? 0]
  if (extra !== undefined) throw new Refusal(`${command} takes no "${extra}"`, 2)
  const { port, lines, ...values } = parsed.values
  return {
    ...values,
    command,
    rest,
    words: positionals(true),
    port: integer('port', port, 0, 65_535),
    lines: integer('lines', lines, 0, 1_000_000),
  }
}

function parseOrRefuse(words: readonly string[]) {
  try {
    return parseArgs({ args: [...words], options: OPTIONS, allowPositionals: true, tokens: true })
  } catch (error) {
    const [sentence = ''] = (error as Error).message.split(/[.\n]/)
    const problem = sentence.replace(/^Unknown option '(.*)'$/, 'there is no option $1')
    const command = words.find(word => Object.hasOwn(COMMANDS, word))
    throw new Refusal(`${problem}; see "./strata help${command ? ` ${command}` : ''}"`, 2)
  }
}

function integer(name: string, text: string | undefined, least: number, most: number): number | undefined {
  if (text === undefined) return
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= least && value <= most) return value
  throw new Refusal(`--${name} is a whole number from ${least} to ${most}, not "${text}"`, 2)
}

/** Runs a command; resolves to its exit status. */
export async function main(words: readonly string[]): Promise<number> {
  // It has options of its own, which it reads itself.
  if (words[0] === 'conformance' && !words.includes('--help') && !words.includes('-h'))
    return (await import('./commands/conformance.ts')).conformance(words.slice(1))
  const given = parse(words)
  if (given.help) {
    say(given.command === 'help' ? overview() : helpFor(given.command))
    return 0
  }
  const state = stateAt(stateFolder({ flag: given.state, env: process.env['STRATA_STATE'], root }))
  return (await COMMANDS[given.command]!.run(given, state)) ?? 0
}

/** The server works in its state folder, where a relative path would mean another file. */
function listening({ host, port, config }: Pick<Arguments, 'host' | 'port' | 'config'>) {
  return { host, port, configFile: config && resolve(config) }
}

function modeOf(text: string | undefined): Mode {
  if (text === 'real' || text === 'simulated') return text
  throw new Refusal('serve needs --mode real or --mode simulated', 2)
}

if (import.meta.main) {
  try {
    // Not process.exitCode: a handle that a cloud forgot to close must not keep a stopped server alive.
    process.exit(await main(process.argv.slice(2)))
  } catch (error) {
    const refusal = refusalOf(error)
    if (!refusal) throw error
    warn(refusal.message)
    process.exit(refusal.status)
  }
}
