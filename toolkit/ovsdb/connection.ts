/**
 * One JSON-RPC connection to an OVSDB server (RFC 7047 section 4) that comes back by itself: it connects, answers
 * `echo`, matches replies with calls, and after a loss tries again with growing delays, going round the remotes given.
 * What was in flight at a loss is rejected, because nobody knows whether it was done.
 */

import { connect as connectSocket, type Socket } from 'node:net'
import { createFrameReader } from './framing.ts'

export class OvsdbError extends Error {
  override readonly name: string = 'OvsdbError'
  /** `disconnected`, `closed`, `timeout`, or the server's own error word (RFC 7047 section 3.1). */
  readonly code: string
  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

export interface ConnectionOptions {
  /** `unix:/path` or `tcp:host:port` (`tcp:[::1]:6641`), several separated by commas. */
  readonly remote: string
  /** First and largest delay between attempts; defaults 100 and 5,000 ms. */
  readonly retryMs?: number
  readonly maxRetryMs?: number
  /** TCP peers that are silent for this long are probed, and dropped after as long again; default 30,000 ms. */
  readonly probeMs?: number
  readonly log?: (message: string) => void
}

export interface Connection {
  readonly connected: boolean
  /** Begins to connect unless that was done, resolves when connected; rejects with `timeout` but tries on. */
  open(timeoutMs: number): Promise<void>
  /** Calls `onReply` in the very turn in which the reply is read, so that no notification can overtake it. */
  send(method: string, params: unknown, onReply: (error: OvsdbError | undefined, result: unknown) => void): void
  close(): void
}

export interface ConnectionEvents {
  onConnect(): void
  onDisconnect(): void
  onNotification(method: string, params: readonly unknown[]): void
}

type Target = { readonly path: string } | { readonly host: string; readonly port: number }

/** The addresses of a remote. Throws `TypeError` for forms that are not supported (`ssl:`, say). */
export function parseRemote(remote: string): readonly Target[] {
  return remote.split(',').map(part => {
    const text = part.trim()
    if (text.startsWith('unix:')) return { path: text.slice(5) }
    const tcp = /^tcp:(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(text)
    if (tcp === null) throw new TypeError(`an OVSDB remote must be unix:PATH or tcp:HOST:PORT, not '${text}'`)
    return { host: (tcp[1] ?? tcp[2])!, port: Number(tcp[3]) }
  })
}

interface Message {
  readonly id?: unknown
  readonly method?: string
  readonly params?: readonly unknown[]
  readonly result?: unknown
  readonly error?: unknown
}

function replyError(raw: unknown): OvsdbError {
  const { error, details } = (typeof raw === 'object' && raw !== null ? raw : { error: String(raw) }) as {
    error?: string
    details?: string
  }
  return new OvsdbError(error ?? 'error', details ?? error ?? JSON.stringify(raw))
}

export function createConnection(options: ConnectionOptions, events: ConnectionEvents): Connection {
  const { retryMs = 100, maxRetryMs = 5_000, probeMs = 30_000, log = () => {} } = options
  const targets = parseRemote(options.remote)
  const waiting = new Map<number, (error: OvsdbError | undefined, result: unknown) => void>()
  let socket: Socket | undefined
  let connected = false
  let closed = false
  let attempts = 0
  let lastId = 0
  let retryTimer: NodeJS.Timeout | undefined
  let started = false
  const openers = new Set<() => void>()

  const rejectAll = (error: OvsdbError): void => {
    const calls = [...waiting.values()]
    waiting.clear()
    for (const call of calls) call(error, undefined)
  }

  const receive = (message: Message): void => {
    if (typeof message.method === 'string') {
      if (message.method === 'echo')
        socket?.write(JSON.stringify({ id: message.id, result: message.params ?? [], error: null }))
      else events.onNotification(message.method, message.params ?? [])
      return
    }
    const call = waiting.get(message.id as number)
    if (call === undefined) return
    waiting.delete(message.id as number)
    if (message.error !== null && message.error !== undefined) call(replyError(message.error), undefined)
    else call(undefined, message.result)
  }

  const send: Connection['send'] = (method, params, onReply) => {
    if (!connected || socket === undefined) {
      onReply(new OvsdbError(closed ? 'closed' : 'disconnected', `no connection to ${options.remote}`), undefined)
      return
    }
    const id = ++lastId
    waiting.set(id, onReply)
    socket.write(JSON.stringify({ method, params, id }))
  }

  const scheduleRetry = (): void => {
    if (closed) return
    retryTimer = setTimeout(start, Math.min(maxRetryMs, retryMs * 2 ** Math.min(attempts++, 10)))
  }

  const watchSilence = (opened: Socket): void => {
    let probing = false
    opened.setTimeout(probeMs)
    opened.on('timeout', () => {
      if (probing) return void opened.destroy(new Error('the server does not answer'))
      probing = true
      send('echo', [], () => {
        probing = false
      })
    })
  }

  function start(): void {
    const target = targets[attempts % targets.length]!
    const opened = connectSocket(target)
    socket = opened
    const read = createFrameReader(message => receive(message as Message))
    opened.on('connect', () => {
      connected = true
      attempts = 0
      if ('host' in target) watchSilence(opened)
      events.onConnect()
      for (const opener of openers) opener()
    })
    opened.on('data', chunk => {
      try {
        read(chunk)
      } catch (error) {
        opened.destroy(error as Error)
      }
    })
    opened.on('error', error => log(`OVSDB ${options.remote}: ${error.message}`))
    opened.on('close', () => {
      const was = connected
      connected = false
      rejectAll(new OvsdbError('disconnected', `lost the connection to ${options.remote}`))
      if (was) events.onDisconnect()
      scheduleRetry()
    })
  }

  return {
    get connected() {
      return connected
    },
    send,
    open: timeoutMs =>
      new Promise((resolve, reject) => {
        if (connected) return resolve()
        const opener = (): void => {
          clearTimeout(timer)
          openers.delete(opener)
          resolve()
        }
        const timer = setTimeout(() => {
          openers.delete(opener)
          reject(new OvsdbError('timeout', `no OVSDB server answers at ${options.remote}`))
        }, timeoutMs)
        openers.add(opener)
        if (!started) start()
        started = true
      }),
    close() {
      closed = true
      clearTimeout(retryTimer)
      socket?.destroy()
      rejectAll(new OvsdbError('closed', 'the OVSDB connection was closed'))
    },
  }
}
