/** Structured logs: one JSON object a line, by pino. Secrets are never passed to a logger; a few well-known keys are censored in case. */
import pino from 'pino'

export type Log = Pick<pino.Logger, 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'child' | 'level'>
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'

const secrets = ['password', 'adminPass', 'admin_pass', 'secret', 'token', 'headers["x-auth-token"]', 'user_data']

/** A logger to a file (made if absent, appended to) or, without one, to standard output. */
export function createLog(options: { level?: LogLevel; file?: string } = {}): Log {
  const destination = pino.destination({ dest: options.file ?? 1, mkdir: true, sync: false, minLength: 0 })
  return pino(
    {
      level: options.level ?? 'info',
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: secrets, censor: '***' },
      formatters: { level: label => ({ level: label }) },
    },
    destination,
  )
}

export const silentLog: Log = pino({ level: 'silent' })
