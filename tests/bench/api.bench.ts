/** The control plane alone, on simulated hosts: its start, its size, its requests, its servers. */
import { startTestCloud } from '../scenarios/cloud.ts'
import { type Api, logIn } from '../scenarios/http.ts'
import { bareServer } from './bare.ts'
import { compareLoad, load, percentile } from './load.ts'
import { atRest, type Rest } from './rest.ts'
import { createServers, type Ground, prepareGround } from './servers.ts'
import { mebibytes, ms, percent, perSecond, printTable, type Row } from './table.ts'

const rows: Row[] = []
const cloud = await startTestCloud({ mode: 'simulated', settings: { simulated: { vcpus: 256 } } })
try {
  await measureStart()
  const admin = await logIn(cloud, 'strata')
  await measureRest(admin)
  const ground = await prepareGround(admin)
  const id = await measureCreates(admin, ground)
  const identity = '/identity/v3/auth/tokens'
  await compareRequests({ api: admin, path: identity, headers: { 'x-subject-token': admin.token } })
  await compareRequests({ api: admin, path: `/compute/v2.1/servers/${id}` })
  await measureList(admin, ground)
} finally {
  await cloud.purge()
}
printTable(rows)

/** From the shell's `./strata up` until it has said that the cloud is ready. */
async function measureStart(): Promise<void> {
  const times: number[] = []
  for (let n = 0; n < 5; n++) {
    await cloud.strata('down')
    const start = performance.now()
    await cloud.up()
    times.push(performance.now() - start)
  }
  const bare = await bareServer({ headers: new Headers(), text: '{}' })
  await bare.stop()
  const what = '`./strata up` until all APIs answer, simulated'
  rows.push({ what, strata: ms(percentile(times, 0.5)), bare: ms(bare.startedIn), aim: '≤ 2 s' })
}

async function measureRest(admin: Api): Promise<void> {
  const answer = await admin.call('GET', '/identity/v3')
  const bare = await bareServer(answer)
  await fetch(bare.url)
  const [strata, node] = await atRest([cloud.pid()!, bare.pid], 10)
  await bare.stop()
  const figures = (rest: Rest) => `${mebibytes(rest.bytes)}, ${percent(rest.processor)}`
  rows.push({ what: 'at rest', strata: figures(strata!), bare: figures(node!), aim: '≤ 150 MB, ≤ 0.5 %' })
}

/** Gives the id of one of the servers. */
async function measureCreates(api: Api, ground: Ground): Promise<string> {
  await createServers({ api, ground, count: 50, inFlight: 8 })
  const { created, perSecond: rate } = await createServers({ api, ground, count: 400, inFlight: 8 })
  const times = created.map(one => one.milliseconds)
  rows.push({ what: 'server create until ACTIVE, 8 in flight, median', strata: ms(percentile(times, 0.5)) })
  rows.push({ what: '… p99', strata: ms(percentile(times, 0.99)), aim: '≤ 250 ms' })
  rows.push({ what: 'server creates sustained', strata: perSecond(rate), aim: '≥ 50/s' })
  return created[0]!.id
}

/** Strata and a bare server in turns, so that what else goes on hits both. */
async function compareRequests(options: {
  readonly api: Api
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
}): Promise<void> {
  const { api, path } = options
  const headers = { 'x-auth-token': api.token, ...options.headers }
  const bare = await bareServer(await api.call('GET', path, { headers }))
  const { strata, bare: other, ratio } = await compareLoad({ strata: `${cloud.url}${path}`, bare: bare.url, headers })
  await bare.stop()
  const what = `GET ${path.replace(/[0-9a-f-]{36}/, '{id}')}`
  rows.push({ what, strata: perSecond(strata), bare: perSecond(other), ratio: percent(ratio), aim: '≥ 40 %' })
}

/** The whole list of 1,000 servers, one request at a time. */
async function measureList(api: Api, ground: Ground): Promise<void> {
  const path = '/compute/v2.1/servers/detail'
  const there = (await api.call('GET', path)).json.servers.length
  await createServers({ api, ground, count: 1000 - there, inFlight: 8 })
  const answer = await api.call('GET', path)
  if (answer.json.servers.length !== 1000) throw new Error(`${answer.json.servers.length} servers are listed`)
  const headers = { 'x-auth-token': api.token }
  const bare = await bareServer(answer)
  const once = { headers, connections: 1, seconds: 5 }
  const other = await load({ url: bare.url, ...once })
  const own = await load({ url: `${cloud.url}${path}`, ...once })
  await bare.stop()
  const what = 'GET /compute/v2.1/servers/detail of 1,000 servers, median'
  rows.push({ what, strata: ms(own.median), bare: ms(other.median), aim: '≤ 60 ms' })
}
