/**
 * `strata conformance AREA`: OpenStack's own tests, Debian's Tempest and its plugins, against a simulated cloud that is started for
 * them, or against the one that `--cloud` names. Exit status: 0 nothing failed that is not known to, 1 something did, 2 misused,
 * 4 there is no Tempest here and it cannot be installed.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { installPackages, missingPackages } from '@strata/cli/install'
import { duration, Refusal, refusalOf, say, warn } from '@strata/cli/print'
import { parse as parseYaml } from 'yaml'
import { startTestCloud } from '../scenarios/cloud.ts'
import { type Api, connect, type Login, loginOf } from './api.ts'
import { AREAS, type Area, areaOf, areasNamed, TEMPEST_PACKAGES } from './areas.ts'
import { type CloudFacts, lookAt } from './look.ts'
import type { Outcome, Results } from './outcomes.ts'
import { type KnownFailure, report } from './report.ts'
import { nameOf, readList, select } from './selection.ts'
import { COMPLIANCE, settingsFor } from './settings.ts'
import { runTempest } from './tempest.ts'

const OPTIONS = {
  baseline: { type: 'boolean' },
  cloud: { type: 'string' },
  json: { type: 'string' },
  smoke: { type: 'boolean' },
  timeout: { type: 'string' },
  workers: { type: 'string', short: 'n' },
} as const

interface Wanted {
  readonly areas: readonly Area[]
  readonly words: readonly string[]
  readonly smoke: boolean
  readonly baseline: boolean
  readonly cloud: string | undefined
  readonly json: string | undefined
  readonly workers: number
  readonly timeoutSeconds: number
}

const NO_TEMPEST = 4
const BUILD_TIMEOUT_SECONDS = 60

/** Reads the command line; throws a `Refusal` that says what is wrong with it. */
export function wantedBy(args: readonly string[]): Wanted {
  const { values, positionals } = parseOrRefuse(args)
  const [name = '', ...words] = positionals
  const areas = areasNamed(name)
  const names = ['all', ...AREAS.map(area => area.name)].join(', ')
  if (areas.length === 0) throw new Refusal(`conformance takes one of ${names}; not "${name}"`, 2)
  return {
    areas,
    words,
    smoke: values.smoke ?? false,
    baseline: values.baseline ?? false,
    cloud: values.cloud,
    json: values.json,
    workers: whole('workers', values.workers, 2),
    timeoutSeconds: whole('timeout', values.timeout, 24 * 3600),
  }
}

function parseOrRefuse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true })
  } catch (error) {
    throw new Refusal(`${(error as Error).message.split('.')[0]}; see "./strata help conformance"`, 2)
  }
}

function whole(name: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text)
  throw new Refusal(`--${name} is a whole number from 1 on, not "${text}"`, 2)
}

/** Installs what is missing of Debian packages. Throws a `Refusal` with status 4 where that cannot be. */
async function install(packages: readonly string[]): Promise<void> {
  const missing = await missingPackages(packages)
  if (missing?.length === 0) return
  if (!missing)
    throw new Refusal('Tempest is installed from Debian packages, and this is no Debian or Ubuntu', NO_TEMPEST)
  if (process.getuid?.() !== 0)
    throw new Refusal(`as root, run: apt-get install --no-install-recommends ${missing.join(' ')}`, NO_TEMPEST)
  say(`installing ${missing.join(' ')} …`)
  const folder = mkdtempSync(join(tmpdir(), 'strata-install-'))
  const log = join(folder, 'install.log')
  await installPackages(missing, log).catch((error: Error) => {
    throw new Refusal(`${error.message} (see ${log})`, NO_TEMPEST)
  })
  rmSync(folder, { recursive: true })
}

const typesOf = (facts: CloudFacts) => Object.values(facts.services).map(service => service.type)

/** Areas whose service the cloud does not have: their tests are not handed to Tempest, for some fail instead of skipping. */
const isThere = (area: Area, facts: CloudFacts): boolean => area.types.some(type => typesOf(facts).includes(type))

/** Files for tests that fetch an image by its address. */
async function serveImage(): Promise<{ url: string; close(): void }> {
  const server = createServer((_, response) => response.end(Buffer.alloc(1 << 20)))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/image`, close: () => server.close() }
}

interface Run {
  readonly wanted: Wanted
  readonly login: Login
  readonly folder: string
}

const chosenBy = (wanted: Wanted) => select({ ids: readList('open.txt'), ...wanted })

/** Runs the tests of the wanted areas; those that need other settings run after one another. */
async function runAll({ wanted, login, folder }: Run): Promise<Results> {
  const api: Api = await connect(login)
  const facts = await lookAt(api)
  const image = await serveImage()
  const chosen = chosenBy(wanted)
  const absent = chosen.filter(id => !isThere(areaOf(id)!, facts))
  const tests = chosen.filter(id => !absent.includes(id))
  await install([...new Set(tests.flatMap(id => areaOf(id)!.packages))])
  say(`${chosen.length} tests, ${absent.length} of them of services that the cloud does not have`)
  const scope = wanted.areas[0]!.scope
  const settings = settingsFor({
    ...{ login, domainId: api.domainId, facts, scope, folder },
    imageUrl: image.url,
    ...{ buildTimeoutSeconds: BUILD_TIMEOUT_SECONDS, compliant: wanted.cloud === undefined },
  })
  try {
    const { workers, timeoutSeconds } = wanted
    const ran = await runTempest({ folder, settings, tests, workers, timeoutSeconds, tell: progress(tests.length) })
    const skipped = absent.map(id => [id, absence(areaOf(id)!)] as const)
    return { ...ran, outcomes: new Map([...ran.outcomes, ...skipped]) }
  } finally {
    image.close()
  }
}

const absence = (area: Area): Outcome => ({
  result: 'skipped',
  seconds: 0,
  reason: `the cloud has no ${area.types[0]} service`,
})

/** Says each failure when it comes, and how far it is every fifty tests. */
function progress(total: number): (id: string, outcome: Outcome) => void {
  let done = 0
  return (id, { result, reason }) => {
    done++
    if (result === 'failed') say(`✖ ${nameOf(id)}: ${reason}`)
    else if (done % 50 === 0) say(`  ${done} of ${total}`)
  }
}

function readKnown(): KnownFailure[] {
  return parseYaml(readFileSync(join(import.meta.dirname, 'known-failures.yaml'), 'utf8')) as KnownFailure[]
}

function ownCloud({ areas }: Wanted) {
  const { policyFile } = areas[0]!
  const cloud = policyFile === undefined ? {} : { policy_file: join(import.meta.dirname, policyFile) }
  return { mode: 'simulated', settings: { identity: COMPLIANCE, cloud } } as const
}

async function conformance(wanted: Wanted): Promise<number> {
  if (chosenBy(wanted).length === 0) throw new Refusal('no test was chosen', 2)
  await install(TEMPEST_PACKAGES)
  const start = performance.now()
  const folder = mkdtempSync(join(tmpdir(), 'strata-conformance-'))
  const own = wanted.cloud === undefined ? await startTestCloud(ownCloud(wanted)) : undefined
  try {
    const login = own ? loginOf('strata', join(own.state, 'clouds.yaml')) : loginOf(wanted.cloud!)
    const results = await runAll({ wanted, login, folder })
    const baseline = wanted.baseline ? readList('passed.txt') : []
    const { text, totals, good, json } = report({ results, areas: wanted.areas, known: readKnown(), baseline })
    say(text)
    if (wanted.json) writeFileSync(wanted.json, `${JSON.stringify(json, null, 1)}\n`)
    if (good) rmSync(folder, { recursive: true })
    else say(`\nTempest's log and settings: ${folder}`)
    say(`took ${duration((performance.now() - start) / 1000)}`)
    say(`${totals.passed} passed, ${totals.failed} failed, ${totals.known} known to fail, ${totals.skipped} skipped`)
    return good ? 0 : 1
  } finally {
    await own?.purge()
  }
}

if (import.meta.main) {
  try {
    process.exitCode = await conformance(wantedBy(process.argv.slice(2)))
  } catch (error) {
    const refusal = refusalOf(error)
    if (!refusal) throw error
    warn(refusal.message)
    process.exitCode = refusal.status
  }
}
