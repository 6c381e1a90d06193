/**
 * Brings the machine what a real data plane needs: Debian packages, installed without a question and without starting
 * Debian's own copies of the daemons, because Strata runs its own.
 */
import { execFile, spawn } from 'node:child_process'
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { Refusal } from './print.ts'
import type { Mode } from './state.ts'

/** What runs guests and networks. */
const DATA_PLANE_PACKAGES: readonly string[] = [
  ...['qemu-system-x86', 'qemu-utils', 'ovn-central', 'ovn-host', 'openvswitch-switch', 'haproxy'],
  ...['genisoimage', 'nftables', 'iproute2', 'ethtool'],
]

/** What the tests use as an operator would. */
export const TEST_PACKAGES: readonly string[] = [
  ...['python3-openstackclient', 'openssh-client', 'curl', 'openssl'],
  // Directories that identity is tried with: LDAP, and PAM by way of saslauthd.
  ...['slapd', 'sasl2-bin'],
]

/** Debian packages that real guests need here: the data plane's, and what `tiny-linux` is made from. */
export async function dataPlanePackages(): Promise<readonly string[]> {
  const { buildPackages } = await import('@strata/tools/tiny-linux')
  return [...DATA_PLANE_PACKAGES, ...buildPackages]
}

/** Those of `wanted` that `dpkg-query -W -f '${Package} ${db:Status-Status}\n'` does not call installed. */
export function notInstalled(wanted: readonly string[], listing: string): string[] {
  const installed = new Set(
    listing.split('\n').flatMap(line => {
      const [name, status] = line.split(' ')
      return name && status === 'installed' ? [name] : []
    }),
  )
  return wanted.filter(name => !installed.has(name))
}

/** Debian packages that are missing; undefined where there is no dpkg. */
export async function missingPackages(wanted: readonly string[]): Promise<string[] | undefined> {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's own placeholders
  const command = ['-W', '-f', '${Package} ${db:Status-Status}\n', ...wanted]
  try {
    // dpkg-query exits 1 when it does not know one of the names, and still lists the others.
    const { stdout } = await promisify(execFile)('dpkg-query', command).catch(
      (error: { code: unknown; stdout: string }) => {
        if (error.code === 1) return error
        throw error
      },
    )
    return notInstalled(wanted, stdout)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
}

const POLICY = '/usr/sbin/policy-rc.d'
const POLICY_MARK = '# written by strata while it installs packages'

/**
 * Runs `work` while maintainer scripts may start no service (invoke-rc.d asks policy-rc.d; 101 means "forbidden").
 * A policy of the machine's own is left as it is; one of ours from an installation that was cut off is cleared away.
 */
export async function withoutServiceStarts<T>(work: () => Promise<T>, policy = POLICY): Promise<T> {
  const ours = () => existsSync(policy) && readFileSync(policy, 'utf8').includes(POLICY_MARK)
  if (existsSync(policy) && !ours()) return await work()
  const remove = () => {
    if (ours()) rmSync(policy, { force: true })
  }
  const stopped = () => {
    remove()
    process.exit(130)
  }
  writeFileSync(policy, `#!/bin/sh\n${POLICY_MARK}\nexit 101\n`, { mode: 0o755 })
  process.once('SIGINT', stopped).once('SIGTERM', stopped)
  try {
    return await work()
  } finally {
    process.off('SIGINT', stopped).off('SIGTERM', stopped)
    remove()
  }
}

/** Runs apt-get with its output in a log; rejects with the last line of what it said. */
function aptGet(log: string, ...words: string[]): Promise<void> {
  return new Promise((done, fail) => {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', NEEDRESTART_MODE: 'l' }
    const child = spawn('apt-get', ['-y', '-o', 'DPkg::Lock::Timeout=300', ...words], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let last = ''
    const keep = (chunk: Buffer) => {
      appendFileSync(log, chunk, { mode: 0o600 })
      last = chunk.toString().trim().split('\n').at(-1) || last
    }
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    child.once('error', fail)
    child.once('close', code =>
      code === 0 ? done() : fail(new Error(`apt-get ${words[0]}: ${last || `exit ${code}`}`)),
    )
  })
}

/** Installs packages; on a machine whose lists are missing or old, fetches the lists and tries once more. */
export async function installPackages(packages: readonly string[], log: string): Promise<void> {
  const install = () => aptGet(log, 'install', '--no-install-recommends', ...packages)
  await withoutServiceStarts(async () => {
    try {
      await install()
    } catch {
      await aptGet(log, 'update')
      await install()
    }
  })
}

/** What the choice between real and simulated rests on. */
export interface Machine {
  readonly root: boolean
  /** May make network interfaces (CAP_NET_ADMIN): false for root in most containers. */
  readonly networkAdmin: boolean
  readonly tun: boolean
  readonly debian: boolean
  readonly arch: string
}

const CAP_NET_ADMIN = 12n

export function hasCapability(status: string, bit: bigint): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1]
  return effective !== undefined && ((BigInt(`0x${effective}`) >> bit) & 1n) === 1n
}

export function lookAtMachine(): Machine {
  return {
    root: process.getuid?.() === 0,
    networkAdmin: hasCapability(readFileSync('/proc/self/status', 'utf8'), CAP_NET_ADMIN),
    tun: existsSync('/dev/net/tun'),
    debian: existsSync('/usr/bin/apt-get'),
    arch: process.arch,
  }
}

/** Real where it can be, simulated elsewhere; `why` is for the operator. A state keeps the mode it was made with. */
export function chooseMode(options: { machine: Machine; asked: boolean; made: Mode | undefined }): {
  mode: Mode
  why?: string
} {
  const { machine, asked, made } = options
  if (made === 'simulated' && !asked)
    return { mode: 'simulated', why: 'this state was made so ("strata purge" makes room for another)' }
  if (made === 'real' && asked)
    throw new Refusal('this state was made with real guests; use another --state to simulate')
  if (asked) return { mode: 'simulated', why: 'as asked' }
  const lacks = [
    [machine.root, 'not root'],
    [machine.arch === 'x64', `no data plane for ${machine.arch} yet`],
    [machine.networkAdmin, 'no right to make network interfaces (CAP_NET_ADMIN)'],
    [machine.tun, 'no /dev/net/tun'],
  ] as const
  const lack = lacks.find(([there]) => !there)
  if (!lack) return { mode: 'real' }
  if (made === 'real') throw new Refusal(`this state was made with real guests, and now: ${lack[1]}`)
  return { mode: 'simulated', why: lack[1] }
}
