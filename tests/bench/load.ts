/**
 * A load generator: keep-alive connections, each with one request in flight, in a process of its own. It speaks just enough
 * HTTP/1.1 to cost far less than any server that it measures.
 */
import { spawn } from 'node:child_process'
import { createConnection, type Socket } from 'node:net'

export interface LoadOptions {
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON by `POST`; without one, `GET`s are sent. */
  readonly body?: unknown
  readonly connections?: number
  readonly seconds?: number
}

export interface Load {
  readonly perSecond: number
  /** Milliseconds. */
  readonly median: number
  readonly p99: number
  /** Answers that were not 2xx. */
  readonly errors: number
}

/** Sends the same request for some seconds, after one in which the server warms up. */
export async function load(options: LoadOptions): Promise<Load> {
  const words = [import.meta.filename, JSON.stringify(options)]
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  for await (const chunk of child.stdout) output += `${chunk}`
  return JSON.parse(output) as Load
}

/** The value below which a share of the sorted numbers lies. */
export function percentile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

export interface Comparison {
  /** Answers a second, medians. */
  readonly strata: number
  readonly bare: number
  /** Median of the turns' own ratios: what slows the machine slows both of a turn. */
  readonly ratio: number
}

/** The same load on both in turns. Throws when Strata refuses a request. */
export async function compareLoad(
  options: Omit<LoadOptions, 'url'> & { strata: string; bare: string },
): Promise<Comparison> {
  const { strata, bare, ...request } = options
  const turns: { readonly strata: number; readonly bare: number }[] = []
  for (let turn = 0; turn < 5; turn++) {
    const other = await load({ url: bare, seconds: 2, ...request })
    const own = await load({ url: strata, seconds: 2, ...request })
    if (own.errors > 0) throw new Error(`${own.errors} errors at ${strata}`)
    turns.push({ strata: own.perSecond, bare: other.perSecond })
  }
  const median = (of: (turn: (typeof turns)[number]) => number) => percentile(turns.map(of), 0.5)
  return {
    strata: median(one => one.strata),
    bare: median(one => one.bare),
    ratio: median(one => one.strata / one.bare),
  }
}

interface Tally {
  readonly times: number[]
  errors: number
  counting: boolean
  over: boolean
}

/** Asks again and again on one connection, until `tally.over`. */
function hammer(socket: Socket, request: string, tally: Tally): void {
  let held = Buffer.alloc(0)
  let missing = -1
  let sent = 0
  const ask = () => {
    sent = performance.now()
    socket.write(request)
  }
  socket.setNoDelay(true)
  socket.on('connect', ask)
  socket.on('data', data => {
    if (missing < 0) {
      held = held.length === 0 ? data : Buffer.concat([held, data])
      const end = held.indexOf('\r\n\r\n')
      if (end < 0) return
      const head = held.toString('latin1', 0, end)
      if (!/^HTTP\/1\.1 2/.test(head)) tally.errors++
      missing = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0) - (held.length - end - 4)
      held = Buffer.alloc(0)
    } else missing -= data.length
    if (missing > 0) return
    missing = -1
    if (tally.counting) tally.times.push(performance.now() - sent)
    if (tally.over) socket.end()
    else ask()
  })
}

async function measure({ url, headers = {}, body, connections = 16, seconds = 3 }: LoadOptions): Promise<Load> {
  const { hostname, port, pathname, search, host } = new URL(url)
  const sent = body === undefined ? '' : JSON.stringify(body)
  const about = sent && { 'content-type': 'application/json', 'content-length': `${Buffer.byteLength(sent)}` }
  const lines = Object.entries({ host, ...headers, ...about }).map(([name, value]) => `${name}: ${value}\r\n`)
  const method = sent ? 'POST' : 'GET'
  const request = `${method} ${pathname}${search} HTTP/1.1\r\n${lines.join('')}\r\n${sent}`
  const tally: Tally = { times: [], errors: 0, counting: false, over: false }
  const wait = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))
  for (let n = 0; n < connections; n++) hammer(createConnection({ host: hostname, port: Number(port) }), request, tally)
  await wait(1000)
  const start = performance.now()
  tally.counting = true
  await wait(seconds * 1000)
  tally.counting = false
  tally.over = true
  const { times, errors } = tally
  const perSecond = times.length / ((performance.now() - start) / 1000)
  return { perSecond, median: percentile(times, 0.5), p99: percentile(times, 0.99), errors }
}

if (import.meta.main) {
  process.stdout.write(JSON.stringify(await measure(JSON.parse(process.argv[2]!) as LoadOptions)))
  process.exit(0)
}
