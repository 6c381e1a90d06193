/**
 * What became of each chosen test. A class whose fixture fails or skips reports none of its tests: they get the fixture's
 * outcome here. A test of which nothing was heard did not run, which counts as badly as a failure.
 */
import { classOf, nameOf } from './selection.ts'
import type { Packet } from './subunit.ts'

export interface Outcome {
  readonly result: 'passed' | 'failed' | 'skipped' | 'not run'
  readonly seconds: number
  /** Why, in one line; empty when it passed. */
  readonly reason: string
  /** Of a failure: the last request, `404 GET /identity/v3/users`. */
  readonly request?: string
}

/** What is heard of one test until its last packet. */
interface Heard {
  begun?: number
  readonly files: Map<string, string>
}

const REASON_LENGTH = 300
/** Enough of a test's log to hold its last request. */
const LOG_TAIL = 64 * 1024

const oneLine = (text: string): string => text.split(/\s+/).join(' ').trim().slice(0, REASON_LENGTH)

/** The exception of a Python traceback with its message; of several, the last. */
export function reasonOfTraceback(text: string): string {
  const block = text.split('Traceback (most recent call last)').at(-1)!
  const lines = block.split('\n')
  const at = lines.findIndex((line, index) => index > 0 && /^[A-Za-z_][\w.]*(:|$)/.test(line))
  const said = at < 0 ? lines.filter(line => line.trim() !== '').slice(-1) : lines.slice(at, at + 8)
  return oneLine(said.join(' ').replace(/^(?:\w+\.)+(?=\w)/, ''))
}

/** Tempest logs each request as `Request (Class:test): 404 GET http://… 0.012s`. */
export function lastRequestOf(log: string): string | undefined {
  const found = [...log.matchAll(/Request \([^)]*\): (\d{3}) (\w+) (\S+)/g)].at(-1)
  return found && `${found[1]} ${found[2]} ${found[3]!.replace(/^https?:\/\/[^/]+/, '')}`
}

function fileStarting(files: ReadonlyMap<string, string>, name: string): string {
  for (const [key, text] of files) if (key.startsWith(name) && text.trim() !== '') return text
  return ''
}

function outcomeOf(packet: Packet, { begun, files }: Heard): Outcome {
  const seconds = begun === undefined || packet.at === undefined ? 0 : Math.max(0, packet.at - begun)
  if (packet.status === 'success' || packet.status === 'xfail') return { result: 'passed', seconds, reason: '' }
  if (packet.status === 'skip')
    return { result: 'skipped', seconds, reason: oneLine(fileStarting(files, 'reason')) || 'no reason given' }
  const traceback = fileStarting(files, 'traceback') || fileStarting(files, 'reason')
  const request = lastRequestOf(fileStarting(files, 'pythonlogging'))
  const reason = reasonOfTraceback(traceback) || 'no reason given'
  return { result: 'failed', seconds, reason, ...(request !== undefined && { request }) }
}

export interface Results {
  readonly outcomes: ReadonlyMap<string, Outcome>
  /** Fixtures that failed while they cleaned up: something was left on the cloud. */
  readonly leaks: readonly string[]
}

/** Listens to a run's packets to their end. `tell` hears of each test as it ends. */
export async function collect(options: {
  readonly packets: AsyncIterable<Packet>
  readonly chosen: readonly string[]
  readonly tell: (id: string, outcome: Outcome) => void
}): Promise<Results> {
  const { packets, chosen, tell } = options
  const heard = new Map<string, Heard>()
  const ended = new Map<string, Outcome>()
  for await (const packet of packets) {
    const { test, status, file } = packet
    if (test === undefined) continue
    const one: Heard = heard.get(test) ?? { files: new Map() }
    heard.set(test, one)
    if (file) one.files.set(file.name, `${one.files.get(file.name) ?? ''}${file.content}`.slice(-LOG_TAIL))
    if (status === 'inprogress' && packet.at !== undefined) one.begun = packet.at
    if (status === undefined || status === 'exists' || status === 'inprogress') continue
    const outcome = outcomeOf(packet, one)
    ended.set(test, outcome)
    heard.delete(test)
    tell(test, outcome)
  }
  return { outcomes: new Map(chosen.map(id => [id, outcomeFor(id, ended, heard.has(id))])), leaks: leaksOf(ended) }
}

function outcomeFor(id: string, ended: ReadonlyMap<string, Outcome>, begun: boolean): Outcome {
  const own = ended.get(id)
  if (own) return own
  const fixture = ended.get(`setUpClass (${classOf(id)})`)
  if (fixture && fixture.result !== 'passed')
    return {
      ...fixture,
      seconds: 0,
      reason: fixture.result === 'failed' ? `setUpClass: ${fixture.reason}` : fixture.reason,
    }
  const module = classOf(classOf(id))
  const failed = [...ended].find(
    ([name]) => name.endsWith(`_FailedTest.${module}`) || name.endsWith(`Failure.${module}`),
  )
  if (failed) return { ...failed[1], result: 'failed', reason: `import: ${failed[1].reason}` }
  return { result: 'not run', seconds: 0, reason: begun ? 'begun and not ended' : 'nothing was heard of it' }
}

const leaksOf = (ended: ReadonlyMap<string, Outcome>): string[] =>
  [...ended].flatMap(([name, { result, reason }]) =>
    result === 'failed' && /^tearDown(Class|Module) /.test(name) ? [`${nameOf(name)}: ${reason}`] : [],
  )
