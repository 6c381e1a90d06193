/**
 * Structured logs: one JSON object a line, by pino. Secrets should never be passed to a logger; members of logged objects that
 * are called like secrets are censored in case, at any depth, also inside of errors.
 */
import pino from 'pino'

export type Log = Pick<pino.Logger, 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'child' | 'level'>
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'

/** Ends of member names, in small letters and without hyphens and underscores: `adminPass`, `x-auth-token`, `new_password`. */
const secretName = /(password|adminpass|secret|token|tokentext|userdata|privatekey|authorization|cookie)s?$/

/** Few names come again and again. What users make up may come, too: beyond so many, names are looked at each time. */
const looked = new Map<string, boolean>()
const mostLooked = 2000

function isSecret(name: string): boolean {
  const known = looked.get(name)
  if (known !== undefined) return known
  const secret = secretName.test(name.replace(/[-_]/g, '').toLowerCase())
  if (looked.size < mostLooked) looked.set(name, secret)
  return secret
}

/** Deeper than any of our objects; what lies below is left out. */
const maxDepth = 12

/** The same value with secrets replaced. Objects with a way of their own to become JSON (dates, buffers) are left to it. */
function censor(value: unknown, depth = 0): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function') return value
  if (depth > maxDepth) return '…'
  if (Array.isArray(value)) return value.map(one => censor(one, depth + 1))
  if (value instanceof Error) return censorError(value)
  return censorMembers(value, depth)
}

/** Made by hand: each request that changes something is logged. */
function censorMembers(value: object, depth: number): Record<string, unknown> {
  const censored: Record<string, unknown> = {}
  for (const name of Object.keys(value)) {
    const one = (value as Record<string, unknown>)[name]
    const shown = isSecret(name) && one != null ? '***' : censor(one, depth + 1)
    // A plain assignment to this name would set what the object inherits from.
    if (name === '__proto__') Object.defineProperty(censored, name, { value: shown, enumerable: true })
    else censored[name] = shown
  }
  return censored
}

const censorError = (thrown: unknown): unknown =>
  thrown instanceof Error ? censorMembers(pino.stdSerializers.err(thrown), 0) : censor(thrown)

/** A logger to a file (made if absent, appended to) or, without one, to standard output. */
export function createLog(options: { level?: LogLevel; file?: string } = {}): Log {
  const destination = pino.destination({ dest: options.file ?? 1, mkdir: true, sync: false, minLength: 0 })
  const log = pino(
    {
      level: options.level ?? 'info',
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: censorError },
      formatters: {
        level: label => ({ level: label }),
        log: ({ err, ...rest }) => ({ ...censorMembers(rest, 0), ...(err === undefined ? {} : { err }) }),
      },
    },
    destination,
  )
  // Pino has no formatter for the bindings of children; children inherit this method.
  const child = log.child as (this: Log, bindings: object, ...rest: []) => Log
  log.child = function (this: Log, bindings: object, ...rest: []) {
    return child.call(this, censorMembers(bindings, 0), ...rest)
  } as typeof log.child
  return log
}

export const silentLog: Log = pino({ level: 'silent' })
