/** Plain requests to a cloud by its catalog, as the administrator that a clouds.yaml names. */
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'

export interface Login {
  readonly authUrl: string
  readonly username: string
  readonly password: string
  readonly project: string
  readonly userDomain: string
  readonly projectDomain: string
  readonly region: string
}

export interface CatalogEntry {
  readonly type: string
  readonly endpoints: readonly {
    readonly interface: string
    readonly region_id?: string
    readonly url: string
  }[]
}

export interface Reply {
  readonly status: number
  /** The parsed body; undefined when it is no JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: what other clouds answer is looked into, never relied upon
  readonly json: any
}

export interface Api {
  readonly login: Login
  readonly userId: string
  readonly domainId: string
  readonly catalog: readonly CatalogEntry[]
  call(method: string, url: string, body?: object | Uint8Array<ArrayBuffer>): Promise<Reply>
  /** The body of a GET; undefined when it is refused. */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  get(url: string): Promise<any>
}

/** A cloud of the clouds.yaml that the OpenStack client would find, or of the given file. */
export function loginOf(name: string, file?: string): Login {
  const candidates = [
    file,
    process.env['OS_CLIENT_CONFIG_FILE'],
    'clouds.yaml',
    process.env['STRATA_STATE'] && join(process.env['STRATA_STATE'], 'clouds.yaml'),
    join(homedir(), '.config', 'openstack', 'clouds.yaml'),
    '/etc/openstack/clouds.yaml',
  ].filter(one => one !== undefined && one !== '' && existsSync(one)) as string[]
  for (const candidate of candidates) {
    const entry = parse(readFileSync(candidate, 'utf8'))?.clouds?.[name]
    if (entry) return loginFrom(entry)
  }
  throw new Error(
    `no clouds.yaml has a cloud "${name}" (looked into ${candidates.join(', ') || 'none: there is no such file'})`,
  )
}

// biome-ignore lint/suspicious/noExplicitAny: a file of the user's
function loginFrom({ auth, region_name = '' }: any): Login {
  return {
    authUrl: `${auth.auth_url}`.replace(/\/$/, '').replace(/(\/v3)?$/, '/v3'),
    username: auth.username,
    password: auth.password,
    project: auth.project_name,
    userDomain: auth.user_domain_name ?? 'Default',
    projectDomain: auth.project_domain_name ?? 'Default',
    region: region_name,
  }
}

/** Logs in. Throws when the cloud does not let the administrator in. */
export async function connect(login: Login): Promise<Api> {
  const { authUrl, username, password, project, userDomain, projectDomain } = login
  const user = { name: username, password, domain: { name: userDomain } }
  const scope = { project: { name: project, domain: { name: projectDomain } } }
  const body = { auth: { identity: { methods: ['password'], password: { user } }, scope } }
  const answer = await send('POST', `${authUrl}/auth/tokens`, {}, body)
  if (answer.status !== 201)
    throw new Error(`no token from ${authUrl}: ${answer.status} ${JSON.stringify(answer.json)}`)
  const { token } = answer.json
  const headers = { 'x-auth-token': answer.headers.get('x-subject-token')! }
  const call = (method: string, url: string, given?: object | Uint8Array<ArrayBuffer>) =>
    send(method, url, headers, given)
  return {
    login,
    userId: token.user.id,
    domainId: token.user.domain.id,
    catalog: token.catalog ?? [],
    call,
    async get(url) {
      const { status, json } = await call('GET', url)
      return status === 200 || status === 300 ? json : undefined
    },
  }
}

async function send(
  method: string,
  url: string,
  headers: Readonly<Record<string, string>>,
  body?: object | Uint8Array<ArrayBuffer>,
): Promise<Reply & { readonly headers: Headers }> {
  const raw = body instanceof Uint8Array
  const type = body === undefined ? {} : { 'content-type': raw ? 'application/octet-stream' : 'application/json' }
  const answer = await fetch(url, {
    method,
    headers: { accept: 'application/json', ...type, ...headers } as Record<string, string>,
    ...(body !== undefined && { body: raw ? body : JSON.stringify(body) }),
  })
  const text = await answer.text()
  const isJson = text !== '' && answer.headers.get('content-type')?.includes('json')
  return { status: answer.status, headers: answer.headers, json: isJson ? JSON.parse(text) : undefined }
}
