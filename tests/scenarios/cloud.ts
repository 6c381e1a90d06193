/**
 * A cloud for one test file: `./strata` as an operator types it, with a state folder, a home and a port of its own.
 * Whatever happens, the cloud is purged at the end.
 */
import { type ExecFileException, execFile, spawnSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { buildTinyLinux } from '@strata/tools/tiny-linux'

const root = join(import.meta.dirname, '..', '..')
const launcher = join(root, 'strata')
/** Debian's own programs: a client of another make, first on somebody's PATH, must not be what is tested. */
const PATH = '/usr/bin:/bin:/usr/sbin:/sbin'

export interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface TestCloud {
  readonly url: string
  readonly state: string
  /** A folder for what the test itself needs. */
  readonly scratch: string
  readonly env: NodeJS.ProcessEnv
  /** This machine's address on the network `public`, without prefix. */
  readonly outside: string
  /** Runs `./strata WORDS` and gives what came of it, also when it failed. */
  strata(...words: string[]): Promise<Ended>
  /** `./strata up` with this cloud's mode and port; rejects with its output when it fails. */
  up(): Promise<string>
  /** The server process; undefined when it is down. */
  pid(): number | undefined
  /** SIGKILL to the server process, and waits until it is gone. */
  kill(): Promise<void>
  purge(): Promise<void>
}

/** Runs a program to its end; never rejects for its exit status. */
export function run(options: {
  readonly program: string
  readonly words: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly timeoutMs?: number
}): Promise<Ended> {
  const { program, words, env, timeoutMs = 300_000 } = options
  const limits = { env, timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: 64 * 2 ** 20 } as const
  return new Promise(resolve => {
    const child = execFile(program, [...words], limits, (error: ExecFileException | null, stdout, stderr) => {
      const code = typeof error?.code === 'number' ? error.code : error ? -1 : 0
      resolve({ code, stdout, stderr: error && code === -1 ? `${error.message}\n${stderr}` : stderr })
    })
    child.stdin?.end()
  })
}

/** Starts a cloud that is ready to be used. `settings` is what its strata.yaml says beside the outside network. */
export async function startTestCloud(options: {
  readonly mode: 'real' | 'simulated'
  readonly settings?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}): Promise<TestCloud> {
  const { mode, settings = {} } = options
  const base = mkdtempSync(join(tmpdir(), 'strata-'))
  // Guests run as an unprivileged user and must be able to pass through.
  chmodSync(base, 0o711)
  const [state, home, scratch] = [join(base, 'state'), join(base, 'home'), join(base, 'scratch')]
  for (const folder of [home, scratch]) mkdirSync(folder)
  const outside = freeOutsideAddress()
  const config = join(base, 'strata.yaml')
  // JSON is YAML.
  writeFileSync(config, JSON.stringify({ ovn: { external_cidr: `${outside}/24` }, ...settings }))
  if (mode === 'real') await bringGuestImage(state)
  const port = await freePort()
  const env = { PATH, HOME: home, STRATA_STATE: state, LANG: 'C.UTF-8' }
  const strata = (...words: string[]) => run({ program: launcher, words, env, timeoutMs: 600_000 })
  const upWords = ['up', '--port', `${port}`, '--config', config, ...(mode === 'simulated' ? ['--simulated'] : [])]
  const pid = () => serverPid(state)
  const purgeAtOnce = () => {
    spawnSync(launcher, ['purge'], { env, stdio: 'ignore' })
    rmSync(base, { recursive: true, force: true })
    process.exit(130)
  }
  process.once('SIGINT', purgeAtOnce).once('SIGTERM', purgeAtOnce)
  const cloud: TestCloud = {
    url: `http://127.0.0.1:${port}`,
    ...{ state, scratch, env, outside, strata, pid },
    async up() {
      const { code, stdout, stderr } = await strata(...upWords)
      if (code !== 0) throw new Error(`strata up: exit ${code}\n${stdout}${stderr}`)
      return stdout
    },
    async kill() {
      const found = pid()
      if (found === undefined) throw new Error('there is no server to kill')
      process.kill(found, 'SIGKILL')
      await eventually('the server is gone', () => pid() === undefined)
    },
    async purge() {
      const { code, stdout, stderr } = await strata('purge')
      process.off('SIGINT', purgeAtOnce).off('SIGTERM', purgeAtOnce)
      rmSync(base, { recursive: true, force: true })
      if (code !== 0) throw new Error(`strata purge: exit ${code}\n${stdout}${stderr}`)
    },
  }
  try {
    await cloud.up()
    return cloud
  } catch (thrown) {
    await cloud.purge().catch(() => {})
    throw thrown
  }
}

/** Why there can be no real cloud here; undefined where there can. */
export function whyNotReal(): string | undefined {
  if (process.getuid?.() !== 0) return 'not root'
  if (!existsSync('/dev/net/tun')) return 'no /dev/net/tun'
  const missing = ['/usr/bin/qemu-system-x86_64', '/usr/bin/ovn-controller', '/usr/bin/ovs-vsctl'].filter(
    file => !existsSync(file),
  )
  return missing.length > 0 ? `not installed: ${missing.join(' ')}` : undefined
}

/** Why there is no client here; undefined where there is. */
export const whyNoClient = (): string | undefined =>
  existsSync('/usr/bin/openstack') ? undefined : 'not installed: python3-openstackclient'

/** Waits until `look` gives something; rejects with what it looked for after `timeoutMs`. Errors of `look` count as no. */
export async function eventually<T>(
  what: string,
  look: () => T | Promise<T>,
  timeoutMs = 30_000,
): Promise<Exclude<T, false | undefined>> {
  const end = performance.now() + timeoutMs
  let problem = ''
  for (;;) {
    try {
      const found = await look()
      if (found !== undefined && found !== false) return found as Exclude<T, false | undefined>
    } catch (thrown) {
      problem = `: ${(thrown as Error).message}`
    }
    if (performance.now() >= end) throw new Error(`not within ${timeoutMs / 1000} s: ${what}${problem}`)
    await sleep(50)
  }
}

/** A port that nobody listens on now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}

/** The first address of a /24 that no interface of this machine is in, so that clouds can stand side by side. */
function freeOutsideAddress(): string {
  const taken = Object.values(networkInterfaces()).flatMap(list => list?.map(one => one.address) ?? [])
  for (let third = 100 + (process.pid % 100); third < 255; third++) {
    const prefix = `172.24.${third}.`
    if (!taken.some(address => address.startsWith(prefix))) return `${prefix}1`
  }
  throw new Error('every network from 172.24.100.0/24 on is taken')
}

/** The image is made once for all test files: each cloud finds it made from the same packages. */
async function bringGuestImage(state: string): Promise<void> {
  const outDir = join(root, 'node_modules', '.cache', 'strata', 'tiny-linux')
  await buildTinyLinux({ outDir, cacheDir: join(outDir, 'packages'), log: () => {} })
  mkdirSync(state, { mode: 0o711 })
  cpSync(outDir, join(state, 'tiny-linux'), { recursive: true })
}

function serverPid(state: string): number | undefined {
  try {
    const { pid } = JSON.parse(readFileSync(join(state, 'run', 'server.json'), 'utf8')) as { pid: number }
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
    return stat.includes(') Z ') || !command.includes(state) ? undefined : pid
  } catch {
    return undefined
  }
}
