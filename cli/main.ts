/**
 * The operator's command: `strata up`, `down`, `status`, … Each command is loaded only when it is called, so that `help`
 * and `status` stay quick. Exit status: 0 done, 1 failed, 2 misused, 3 (status only) not running.
 */
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { helpFor, overview } from './help.ts'
import { Refusal, say, warn } from './print.ts'
import { type Mode, root, stateAt, stateFolder } from './state.ts'

const OPTIONS = {
  all: { type: 'boolean' },
  config: { type: 'string' },
  follow: { type: 'boolean', short: 'f' },
  foreground: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  host: { type: 'string' },
  json: { type: 'boolean' },
  lines: { type: 'string', short: 'n' },
  mode: { type: 'string' },
  port: { type: 'string' },
  simulated: { type: 'boolean' },
  state: { type: 'string' },
  version: { type: 'boolean' },
} as const

/** Options of each command, beside `--state` and `--help`; any other is refused rather than ignored. */
const TAKES: Readonly<Record<string, readonly (keyof typeof OPTIONS)[]>> = {
  up: ['config', 'foreground', 'host', 'port', 'simulated'],
  down: ['all'],
  status: ['json'],
  doctor: ['host', 'port'],
  purge: [],
  serve: ['config', 'host', 'mode', 'port'],
  config: [],
  logs: ['follow', 'lines'],
  test: [],
  version: [],
  help: [],
}

export type Arguments = ReturnType<typeof parse>

/** Parses a command line; throws a `Refusal` (exit status 2) that says what is wrong with it. */
export function parse(words: readonly string[]) {
  const parsed = parseOrRefuse(words)
  const terminator = parsed.tokens.find(token => token.kind === 'option-terminator')?.index ?? Infinity
  const positionals = (after: boolean) =>
    parsed.tokens.flatMap(one => (one.kind === 'positional' && one.index > terminator === after ? [one.value] : []))
  const [first, ...rest] = positionals(false)
  const command = parsed.values.version ? 'version' : (first ?? 'help')
  const takes = TAKES[command]
  if (!takes) throw new Refusal(`there is no command "${command}"; "strata help" lists them`, 2)
  for (const name of Object.keys(parsed.values)) {
    if (!['state', 'help', 'version', ...takes].includes(name)) throw new Refusal(`${command} takes no --${name}`, 2)
  }
  if (rest.length > 0 && !['logs', 'test', 'help'].includes(command)) {
    throw new Refusal(`${command} takes no "${rest[0]}"`, 2)
  }
  const { port, lines, ...values } = parsed.values
  return {
    ...values,
    command,
    rest,
    /** What follows `--`. */
    words: positionals(true),
    port: integer('port', port, 0, 65_535),
    lines: integer('lines', lines, 0, 1_000_000),
  }
}

function parseOrRefuse(words: readonly string[]) {
  try {
    return parseArgs({ args: [...words], options: OPTIONS, allowPositionals: true, tokens: true })
  } catch (error) {
    throw new Refusal((error as Error).message, 2)
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
  const given = parse(words)
  if (given.help || given.command === 'help') {
    const about = given.command === 'help' ? given.rest[0] : given.command
    say(about ? helpFor(about) : overview())
    return 0
  }
  const status = await runCommand(given)
  return typeof status === 'number' ? status : 0
}

async function runCommand(given: Arguments): Promise<unknown> {
  const state = stateAt(stateFolder({ flag: given.state, env: process.env['STRATA_STATE'], root }))
  const { host, port } = given
  // The server works in its state folder, where a relative path would mean another file.
  const configFile = given.config && resolve(given.config)
  switch (given.command) {
    case 'up': {
      const { simulated = false, foreground = false } = given
      return (await import('./commands/up.ts')).up({ state, simulated, foreground, host, port, configFile })
    }
    case 'down':
      return (await import('./commands/down.ts')).down({ state, all: given.all ?? false })
    case 'status':
      return (await import('./commands/status.ts')).status({ state, json: given.json ?? false })
    case 'doctor':
      return (await import('./commands/doctor.ts')).doctor({ state, host, port })
    case 'purge':
      return (await import('./commands/purge.ts')).purge({ state })
    case 'serve':
      return (await import('./commands/serve.ts')).serve({ state, mode: modeOf(given.mode), host, port, configFile })
    case 'config':
      return (await import('./commands/config.ts')).config()
    case 'logs': {
      const [name = 'strata'] = given.rest
      const { lines = 100, follow = false } = given
      return (await import('./commands/logs.ts')).logs({ state, name, lines, follow })
    }
    case 'test':
      return (await import('./commands/test.ts')).test({ part: given.rest[0], words: given.words })
    case 'version':
      return (await import('./commands/version.ts')).version()
  }
}

function modeOf(text: string | undefined): Mode {
  if (text === 'real' || text === 'simulated') return text
  throw new Refusal('serve needs --mode real or --mode simulated', 2)
}

if (import.meta.main) {
  try {
    process.exitCode = await main(process.argv.slice(2))
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    warn(error.message)
    process.exitCode = error.status
  }
}
