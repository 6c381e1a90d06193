/**
 * One connection to one of the servers of a directory: found, encrypted where asked, bound. It never comes back after it was
 * lost (a client that reconnects by itself would go on without encryption and without a name).
 */
import { readdirSync, readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import type { Runtime } from '@strata/toolkit/runtime'
import { Client } from 'ldapts'
import type { LdapOptions } from '../../contract/domain-config.ts'
import type { Connection } from './pool.ts'

export interface LdapConnection extends Connection {
  readonly client: Client
}

/** Milliseconds for an answer of the server. */
const operationTimeout = 15_000
const seconds = (given: number) => (given < 0 ? 5 : given) * 1000

export interface Server {
  readonly url: string
  readonly host: string
}

/** Throws an `Error` that says what is wrong with the options. */
export function serversOf({ url, use_tls }: LdapOptions): Server[] {
  const servers = url
    .split(/[\s,]+/)
    .filter(one => one !== '')
    .map(one => {
      const parsed = URL.canParse(one) ? new URL(one) : undefined
      if (!parsed || !/^ldaps?:$/.test(parsed.protocol)) throw new Error('url must be ldap:// or ldaps:// URLs')
      if (use_tls && parsed.protocol === 'ldaps:')
        throw new Error('use_tls is for ldap:// URLs: ldaps:// is encrypted by itself')
      const host = parsed.hostname.replace(/^\[|\]$/g, '') || 'localhost'
      return { url: `${parsed.protocol}//${parsed.hostname || 'localhost'}${parsed.port && `:${parsed.port}`}`, host }
    })
  if (servers.length === 0) throw new Error('url names no server')
  return servers
}

/** Throws an `Error` for files that cannot be read. */
export function tlsOf(options: LdapOptions): ConnectionOptions {
  const { tls_cacertfile: file, tls_cacertdir: folder, tls_req_cert } = options
  const files = [
    ...(file ? [file] : []),
    ...(folder
      ? readdirSync(folder)
          .filter(name => /\.(pem|crt|cer)$|\.\d+$/.test(name))
          .map(name => join(folder, name))
      : []),
  ]
  return {
    rejectUnauthorized: tls_req_cert === 'demand',
    ...(files.length > 0 && { ca: files.map(one => readFileSync(one)) }),
  }
}

export interface Dial {
  readonly options: LdapOptions
  readonly servers: readonly Server[]
  readonly tls: ConnectionOptions
  readonly runtime: Runtime
  /** Bind as the searching DN. */
  readonly bind: boolean
}

/** Tries each server in turn, for `pool_retry_max` rounds; throws what the last one said. */
export async function dial(kit: Dial): Promise<LdapConnection> {
  const { options, runtime } = kit
  const deadline = runtime.now() + seconds(options.connection_timeout) * kit.servers.length
  let last: unknown
  for (let round = 0; round < options.pool_retry_max && (round === 0 || runtime.now() < deadline); round++) {
    if (round > 0) await new Promise<void>(resolve => void runtime.timer(options.pool_retry_delay * 1000, resolve))
    for (const server of options.randomize_urls ? shuffled(kit.servers, runtime) : kit.servers)
      try {
        return await connectTo(server, kit)
      } catch (thrown) {
        last = thrown
      }
  }
  throw last
}

function shuffled<T>(items: readonly T[], runtime: Runtime): T[] {
  const keyed = items.map(item => ({ item, key: Buffer.from(runtime.bytes(4)).readUInt32BE() }))
  return keyed.sort((a, b) => a.key - b.key).map(({ item }) => item)
}

async function connectTo(server: Server, { options, tls, runtime, bind }: Dial): Promise<LdapConnection> {
  const secure = server.url.startsWith('ldaps:')
  const timeout = seconds(options.connection_timeout)
  let socket: Socket | undefined
  const once = (make: () => Socket) => {
    if (socket) throw new Error('the connection was lost')
    socket = make()
    return socket
  }
  const client = new Client({
    url: server.url,
    connectTimeout: timeout,
    timeout: operationTimeout,
    ...(secure && { tlsOptions: { ...tls, host: server.host } }),
    createConnection: ((port: number, host: string) => once(() => connect(port, host))) as typeof connect,
    ...(secure && {
      createSecureConnection: ((port: number, host: string, more: ConnectionOptions) =>
        once(() => connectTls(port, host, more))) as typeof connectTls,
    }),
  })
  const connection: LdapConnection = {
    client,
    get alive() {
      return client.isConnected
    },
    close() {
      client.unbind().catch(() => {})
      socket?.destroy()
    },
  }
  let cancel = () => {}
  const late = new Promise<never>((_, reject) => {
    cancel = runtime.timer(timeout, () => reject(new Error(`${server.host} did not answer within ${timeout} ms`)))
  })
  try {
    await Promise.race([late, settle(client, server, { options, tls, bind })])
    return connection
  } catch (thrown) {
    connection.close()
    throw thrown
  } finally {
    cancel()
  }
}

async function settle(
  client: Client,
  server: Server,
  { options, tls, bind }: Pick<Dial, 'options' | 'tls' | 'bind'>,
): Promise<void> {
  if (options.use_tls) await client.startTLS({ ...tls, host: server.host })
  if (bind && options.user) await client.bind(options.user, options.password ?? '')
}
