/** Identity: tokens beside a bare server, lists of a large company, and what is felt of logins that hash. */
import { join } from 'node:path'
import { identity } from '@strata/identity/service'
import { startService } from '@strata/toolkit/testing'
import { cachingVerifier } from '@strata/toolkit/tokens'
import { startTestCloud } from '../scenarios/cloud.ts'
import { type Api, call, logIn } from '../scenarios/http.ts'
import { bareServer } from './bare.ts'
import { type Directory, seedDirectory } from './identity.seed.ts'
import { compareLoad, load, percentile } from './load.ts'
import { ms, percent, perSecond, printTable, type Row } from './table.ts'

const rows: Row[] = []
const cloud = await startTestCloud({ mode: 'simulated' })
const tokens = `${cloud.url}/identity/v3/auth/tokens`
try {
  await cloud.strata('down')
  const directory = seedDirectory(join(cloud.state, 'identity.db'))
  await cloud.up()
  const admin = await logIn(cloud, 'strata')
  await measureLists(admin, directory)
  await measureTokens(admin)
  await measureBesideLogins(admin, directory)
} finally {
  await cloud.purge()
}
await measureInProcess()
printTable(rows)

/** First pages of a hundred, one request at a time. */
async function measureLists(admin: Api, { domain, user, group, project, role, counts }: Directory): Promise<void> {
  const assignments = [
    ...['', 'include_names', `user.id=${user}`, `group.id=${group}`, `role.id=${role}`, `scope.project.id=${project}`],
    ...[`scope.project.id=${project}&include_subtree`, `scope.domain.id=${domain}`],
    ...['scope.OS-INHERIT:inherited_to=projects', 'effective', 'effective&include_names', `effective&role.id=${role}`],
    ...[`effective&user.id=${user}`, `effective&scope.project.id=${project}`],
    `effective&scope.project.id=${project}&include_subtree`,
  ]
  const lists: readonly (readonly [string, ...string[]])[] = [
    ['users', '', `domain_id=${domain}`, 'name=user-77', 'enabled=false', `domain_id=${domain}&enabled=false`],
    ['projects', '', `domain_id=${domain}`, `parent_id=${project}`, 'name=project-77', 'enabled=true'],
    ['groups', '', `domain_id=${domain}`],
    ['role_assignments', ...assignments],
    [`users/${user}/projects`, ''],
    [`users/${user}/groups`, ''],
    [`groups/${group}/users`, ''],
  ]
  rows.push({
    what: `${counts.users} users, ${counts.projects} projects, ${counts.assignments} assignments: median of a page`,
    strata: '',
  })
  for (const [list, ...filters] of lists)
    for (const filter of filters) await comparePages(admin, `${list}?limit=100${filter && `&${filter}`}`)
  const second = (await admin.call('GET', '/identity/v3/users?limit=100')).json.links.next as string
  await comparePages(admin, second.slice(second.indexOf('users?')))
}

/** The same page of Strata and of a bare server in turns, so that what else goes on hits both. */
async function comparePages(api: Api, list: string): Promise<void> {
  const path = `/identity/v3/${list}`
  const answer = await api.call('GET', path)
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${answer.text}`)
  const bare = await bareServer(answer)
  const times: { own: number[]; other: number[] } = { own: [], other: [] }
  const timed = async (ask: () => Promise<unknown>) => {
    const start = performance.now()
    await ask()
    return performance.now() - start
  }
  for (let n = 0; n < 25; n++) {
    const own = await timed(() => api.call('GET', path))
    const other = await timed(() => call(bare.url, 'GET'))
    if (n < 5) continue
    times.own.push(own)
    times.other.push(other)
  }
  await bare.stop()
  rows.push({
    what: `GET ${list.replace(/\?limit=100(&|$)/, (_, more) => (more ? '?' : '')).replace(/\b[a-d]0{9,}\w*|\b[0-9a-f]{32}/g, '{id}')}`,
    strata: ms(percentile(times.own, 0.5)),
    bare: ms(percentile(times.other, 0.5)),
    aim: '≤ 20 ms',
  })
}

async function measureTokens(admin: Api): Promise<void> {
  const { json } = await admin.call('GET', '/identity/v3/auth/tokens', { headers: { 'x-subject-token': admin.token } })
  const made = await admin.call('POST', `/identity/v3/users/${json.token.user.id}/application_credentials`, {
    body: { application_credential: { name: 'bench', unrestricted: true } },
  })
  const { id, secret } = made.json.application_credential
  const project = { project: { id: admin.projectId } }
  await ownUser(admin, 'bench', 'correct horse')
  const user = { name: 'bench', domain: { id: 'default' }, password: 'correct horse' }
  const login = (method: string, given: object, scope?: object) => ({
    auth: { identity: { methods: [method], [method]: given }, ...(scope && { scope }) },
  })
  const subject = { 'x-auth-token': admin.token, 'x-subject-token': admin.token }
  await compare({ what: 'token validated', headers: subject, aim: '≥ 60 %' })
  await compare({ what: '… without the catalog', headers: subject, query: '?nocatalog', aim: '≥ 60 %' })
  const issue = [
    {
      what: 'token by an application credential',
      body: login('application_credential', { id, secret }),
      aim: '≥ 30 %',
    },
    { what: 'token by a token', body: login('token', { id: admin.token }, project), aim: '≥ 30 %' },
    { what: 'token by a password that was right before', body: login('password', { user }, project), aim: '≥ 20 %' },
  ]
  for (const one of issue) await compare(one)
}

async function ownUser(admin: Api, name: string, password: string): Promise<void> {
  const { json, status, text } = await admin.call('POST', '/identity/v3/users', {
    body: { user: { name, password, domain_id: 'default' } },
  })
  if (status !== 201) throw new Error(text)
  const { roles } = (await admin.call('GET', '/identity/v3/roles?name=member')).json
  const path = `/identity/v3/projects/${admin.projectId}/users/${json.user.id}/roles/${roles[0].id}`
  const given = await admin.call('PUT', path)
  if (given.status !== 204) throw new Error(given.text)
}

/** Strata and a bare server in turns, so that what else goes on hits both. */
async function compare(options: {
  readonly what: string
  readonly aim: string
  readonly query?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}): Promise<void> {
  const { what, aim, query = '', ...request } = options
  const answer = await call(`${tokens}${query}`, request.body === undefined ? 'GET' : 'POST', request)
  if (answer.status >= 300) throw new Error(`${what}: ${answer.status} ${answer.text}`)
  const bare = await bareServer(answer)
  const { strata, bare: other, ratio } = await compareLoad({ strata: `${tokens}${query}`, bare: bare.url, ...request })
  await bare.stop()
  rows.push({ what, strata: perSecond(strata), bare: perSecond(other), ratio: percent(ratio), aim })
}

/** Thirty-two log in at any time, each with a password that is not remembered, while somebody validates tokens. */
async function measureBesideLogins(admin: Api, { hashed, domain }: Directory): Promise<void> {
  const headers = { 'x-auth-token': admin.token, 'x-subject-token': admin.token }
  const quiet = await load({ url: tokens, headers, connections: 1 })
  let over = false
  let next = 0
  const start = performance.now()
  const log = async () => {
    while (!over) {
      const user = { name: hashed.names[next++], domain: { id: domain }, password: hashed.password }
      const body = { auth: { identity: { methods: ['password'], password: { user } }, scope: 'unscoped' } }
      const { status, text } = await call(tokens, 'POST', { body })
      if (status !== 201) throw new Error(`login: ${status} ${text}`)
    }
  }
  const all = Promise.all(Array.from({ length: 32 }, log))
  const beside = await load({ url: tokens, headers, connections: 1, seconds: 5 })
  over = true
  await all
  const rate = next / ((performance.now() - start) / 1000)
  rows.push({ what: 'p99 of a validation, one at a time', strata: ms(quiet.p99) })
  rows.push({ what: `… while 32 logins hash (${perSecond(rate)})`, strata: ms(beside.p99), aim: '< 20 ms' })
}

/** As a service checks a token in the same process, and how soon it hears that one was revoked. */
async function measureInProcess(): Promise<void> {
  const password = 'correct horse'
  const plan = {
    publicUrl: 'http://cloud.example',
    adminPassword: password,
    demoPassword: password,
    services: [],
    servicePassword: () => password,
  }
  const service = await startService(identity, { bootstrap: plan })
  const user = { name: 'admin', domain: { id: 'default' }, password }
  const scope = { project: { name: 'admin', domain: { id: 'default' } } }
  const issue = async () => {
    const body = { auth: { identity: { methods: ['password'], password: { user } }, scope } }
    const { headers } = await service.request('POST', '/v3/auth/tokens', { as: '', body })
    return String(headers['x-subject-token'])
  }
  const { environment, instance } = service
  const fetch = instance.verifyToken!
  const verify = cachingVerifier({ fetch, runtime: environment.runtime, bus: environment.bus })
  const token = await issue()
  const count = 500_000
  for (let n = 0; n < count / 5; n++) await verify(token)
  const start = performance.now()
  for (let n = 0; n < count; n++) await verify(token)
  const rate = count / ((performance.now() - start) / 1000)
  rows.push({ what: 'validations in the process', strata: perSecond(rate), aim: '≥ 200000/s' })
  const times: number[] = []
  for (let n = 0; n < 20; n++) {
    const one = await issue()
    if (!(await verify(one))) throw new Error('a new token is not valid')
    const begun = performance.now()
    await service.request('DELETE', '/v3/auth/tokens', { as: token, headers: { 'x-subject-token': one } })
    while (await verify(one)) await new Promise(setImmediate)
    times.push(performance.now() - begun)
  }
  rows.push({
    what: '… from the request to revoke until it is refused',
    strata: ms(Math.max(...times)),
    aim: '≤ 100 ms',
  })
  await service.close()
}
