/**
 * A client of QMP, the JSON protocol of a QEMU process: one JSON object a line over a unix socket.
 *
 * Words: the *greeting* is what QEMU says first; a *command* has one reply; an *event* comes unasked. One monitor socket
 * serves one client at a time (a second one is left waiting for its greeting), so a guest is given several monitors.
 *
 * Source: QEMU's "QEMU Machine Protocol Specification".
 */
import { closeSync, openSync } from 'node:fs'
import { connect as connectSocket, type Socket } from 'node:net'
import { basename, dirname } from 'node:path'

export interface QmpEvent {
  readonly event: string
  readonly data: Readonly<Record<string, unknown>>
}

/** QEMU refused a command. `reason` is QMP's error class, such as `GenericError` or `DeviceNotFound`. */
export class QmpError extends Error {
  override readonly name = 'QmpError'
  readonly command: string
  readonly reason: string
  constructor(command: string, reason: string, description: string) {
    super(`${command}: ${description}`)
    this.command = command
    this.reason = reason
  }
}

/** The monitor did not answer in time, or went away before it answered. */
export class QmpGone extends Error {
  override readonly name = 'QmpGone'
}

export interface Qmp {
  /** Runs a command. Throws `QmpError` when QEMU refuses and `QmpGone` when there is no answer in `timeoutMs`. */
  execute<T = unknown>(command: string, args?: Readonly<Record<string, unknown>>, timeoutMs?: number): Promise<T>
  /** Calls `listener` for each event; returns the way to stop. */
  onEvent(listener: (event: QmpEvent) => void): () => void
  /** The next event that fits, counted from this call: call it before the command that causes the event. */
  until(predicate: (event: QmpEvent) => boolean, timeoutMs: number, signal?: AbortSignal): Promise<QmpEvent>
  /** Resolves when the connection has ended, for whatever reason. */
  readonly closed: Promise<void>
  close(): void
}

const defaultTimeoutMs = 10_000
/** The kernel's limit for the path of a unix socket (`sun_path`), its final NUL left out. */
const longestSocketPath = 107

/** Connects to a unix socket of any path length: a long one is reached through an open descriptor of its folder. */
export function connectUnix(path: string): Socket {
  if (Buffer.byteLength(path) <= longestSocketPath) return connectSocket(path)
  const folder = openSync(dirname(path), 'r')
  const socket = connectSocket(`/proc/self/fd/${folder}/${basename(path)}`)
  const release = () => closeSync(folder)
  let held = true
  const once = () => {
    if (held) release()
    held = false
  }
  socket.once('connect', once).once('close', once)
  return socket
}

interface Waiting {
  readonly command: string
  resolve(value: unknown): void
  reject(error: Error): void
}

interface Message {
  readonly QMP?: unknown
  readonly event?: string
  readonly data?: Record<string, unknown>
  readonly id?: number
  readonly return?: unknown
  readonly error?: { class: string; desc: string }
}

/** Connects to the monitor at `path` and negotiates. Throws `QmpGone` unless QEMU greets within `timeoutMs`. */
export async function connectQmp(path: string, timeoutMs = defaultTimeoutMs): Promise<Qmp> {
  const socket = connectUnix(path)
  const waiting = new Map<number, Waiting>()
  const listeners = new Set<(event: QmpEvent) => void>()
  const greeted = Promise.withResolvers<void>()
  const closed = Promise.withResolvers<void>()
  let lastId = 0
  let unread = ''
  let failure = ''

  const receive = (message: Message) => {
    if (message.QMP !== undefined) return greeted.resolve()
    if (message.event !== undefined) {
      const event = { event: message.event, data: message.data ?? {} }
      for (const listener of [...listeners]) listener(event)
      return
    }
    const call = waiting.get(message.id ?? -1)
    if (!call) return
    waiting.delete(message.id ?? -1)
    if (message.error) call.reject(new QmpError(call.command, message.error.class, message.error.desc))
    else call.resolve(message.return)
  }

  socket.setEncoding('utf8')
  socket.on('data', (text: string) => {
    unread += text
    const lines = unread.split('\n')
    unread = lines.pop() ?? ''
    try {
      for (const line of lines) if (line.trim()) receive(JSON.parse(line) as Message)
    } catch (error) {
      socket.destroy(error as Error)
    }
  })
  socket.on('error', error => {
    failure = error.message
  })
  socket.on('close', () => {
    const gone = new QmpGone(`the monitor ${path} has gone away${failure && `: ${failure}`}`)
    greeted.reject(gone)
    for (const call of waiting.values()) call.reject(gone)
    waiting.clear()
    closed.resolve()
  })

  const execute = <T>(
    command: string,
    args?: Readonly<Record<string, unknown>>,
    limitMs = defaultTimeoutMs,
  ): Promise<T> => {
    if (socket.destroyed) return Promise.reject(new QmpGone(`${command}: the monitor ${path} is closed`))
    const id = ++lastId
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => {
        waiting.delete(id)
        reject(new QmpGone(`${command}: no answer from ${path} in ${limitMs} ms`))
      }, limitMs)
      const settle = <A>(fn: (value: A) => void) => {
        return (value: A) => {
          clearTimeout(timer)
          fn(value)
        }
      }
      waiting.set(id, { command, resolve: settle(value => resolve(value as T)), reject: settle(reject) })
      socket.write(`${JSON.stringify({ execute: command, arguments: args, id })}\n`)
    })
  }

  const onEvent = (listener: (event: QmpEvent) => void) => {
    listeners.add(listener)
    return () => void listeners.delete(listener)
  }

  const until = (predicate: (event: QmpEvent) => boolean, limitMs: number, signal?: AbortSignal): Promise<QmpEvent> =>
    new Promise((resolve, reject) => {
      const end = (error?: Error) => {
        clearTimeout(timer)
        stop()
        signal?.removeEventListener('abort', aborted)
        if (error) reject(error)
      }
      const aborted = () => end(new QmpGone('the wait was given up'))
      const timer = setTimeout(() => end(new QmpGone(`no such event from ${path} in ${limitMs} ms`)), limitMs)
      const stop = onEvent(event => {
        if (!predicate(event)) return
        end()
        resolve(event)
      })
      closed.promise.then(() => end(new QmpGone(`the monitor ${path} went away during the wait`)))
      signal?.addEventListener('abort', aborted, { once: true })
      if (signal?.aborted) aborted()
    })

  const close = () => {
    socket.destroy()
  }
  const deadline = setTimeout(
    () => greeted.reject(new QmpGone(`no greeting from ${path} in ${timeoutMs} ms`)),
    timeoutMs,
  )
  try {
    await greeted.promise
    await execute('qmp_capabilities', undefined, timeoutMs)
  } catch (error) {
    close()
    throw error
  } finally {
    clearTimeout(deadline)
  }
  return { execute, onEvent, until, closed: closed.promise, close }
}
