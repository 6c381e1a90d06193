/**
 * Strata's own OVN and Open vSwitch: the two OVN databases, `ovn-northd`, the local switch database, `ovs-vswitchd` and
 * `ovn-controller`. They are started detached and go on when Strata ends; the next Strata finds them and goes on
 * watching them. Where the configuration names the system's databases, none of this is used.
 */

import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { run } from './commands.ts'
import type { OvnLayout } from './layout.ts'
import { boundLog, type DaemonSpec, runningPid, startDaemon, stopDaemon } from './processes.ts'

const SCHEMAS = {
  nb: '/usr/share/ovn/ovn-nb.ovsschema',
  sb: '/usr/share/ovn/ovn-sb.ovsschema',
  conf: '/usr/share/openvswitch/vswitch.ovsschema',
} as const
const PROGRAMS = [
  '/usr/sbin/ovsdb-server',
  '/usr/sbin/ovs-vswitchd',
  '/usr/bin/ovn-northd',
  '/usr/bin/ovn-controller',
  '/usr/sbin/haproxy',
  '/usr/sbin/ethtool',
  '/usr/sbin/ip',
]
const DEBIAN_PACKAGES = 'ovn-central ovn-host openvswitch-switch haproxy ethtool iproute2 nftables'

export type DaemonName = 'nb' | 'sb' | 'conf' | 'northd' | 'vswitchd' | 'controller'

export interface Daemons {
  /** Starts what does not run, in the order of need, and begins to watch. Resolves with the names that were started. */
  start(): Promise<readonly DaemonName[]>
  /** Pids of those that run. */
  pids(): Readonly<Partial<Record<DaemonName, number>>>
  /** Lets go: watching ends, the daemons go on. */
  close(): void
  /** Ends all of them and takes their bridges and the datapath from the machine; the databases' files stay. */
  stop(): Promise<void>
}

export interface DaemonsOptions {
  readonly layout: OvnLayout
  readonly log: (message: string) => void
  /** How often is looked for dead daemons; default 2,000 ms. */
  readonly watchMs?: number
  /** Called before `ovs-vswitchd` may start and after it did, for what it needs or makes; `started` is false when it ran. */
  readonly beforeSwitch: () => Promise<void>
  readonly afterSwitch: (started: boolean) => Promise<void>
}

/** Why this machine cannot run the OVN driver, in words, or undefined when it can. */
export function whyNotOvn(): string | undefined {
  if (process.getuid?.() !== 0) return 'OVN and Open vSwitch need root'
  const missing = [...PROGRAMS, ...Object.values(SCHEMAS)].filter(path => !existsSync(path))
  return missing.length === 0 ? undefined : `${missing.join(', ')} missing: install ${DEBIAN_PACKAGES}`
}

function daemonSpecs({ runDir, logDir, stateDir, remotes }: OvnLayout): Record<DaemonName, DaemonSpec> {
  const spec = (name: DaemonName, file: string, args: readonly string[], ownControl = true): DaemonSpec => {
    const pidFile = `${runDir}/${name}.pid`
    const logFile = `${logDir}/${name}.log`
    const control = `${runDir}/${name}.ctl`
    const marker = `--pidfile=${pidFile}`
    return {
      name,
      file,
      pidFile,
      marker,
      logFile,
      env: { OVS_RUNDIR: runDir, OVN_RUNDIR: runDir, OVS_LOGDIR: logDir, OVN_LOGDIR: logDir },
      // ovn-controller of OVN 23.03 takes no --unixctl; it listens under its run folder, by name and pid.
      control: ownControl ? () => control : pid => `${runDir}/ovn-controller.${pid}.ctl`,
      args: [
        ...args,
        ...(ownControl ? [`--unixctl=${control}`] : []),
        marker,
        `--log-file=${logFile}`,
        '-vconsole:off',
        '-vsyslog:off',
        '-vfile:info',
        '--detach',
        '--no-chdir',
      ],
    }
  }
  const database = (name: 'nb' | 'sb' | 'conf') =>
    spec(name, '/usr/sbin/ovsdb-server', [`${stateDir}/${name}.db`, `--remote=punix:${runDir}/${name}.sock`])
  const { northbound, southbound, openVSwitch } = remotes
  return {
    nb: database('nb'),
    sb: database('sb'),
    conf: database('conf'),
    northd: spec('northd', '/usr/bin/ovn-northd', [`--ovnnb-db=${northbound}`, `--ovnsb-db=${southbound}`]),
    vswitchd: spec('vswitchd', '/usr/sbin/ovs-vswitchd', [openVSwitch]),
    controller: spec('controller', '/usr/bin/ovn-controller', [openVSwitch], false),
  }
}

/** Makes the database's file, or brings an older one to the schema that is installed now. */
async function ensureDatabase(file: string, schema: string): Promise<void> {
  if (!existsSync(file)) return void (await run('ovsdb-tool', ['create', file, schema]))
  const needed = await run('ovsdb-tool', ['needs-conversion', file, schema])
  if (needed.trim() === 'yes') await run('ovsdb-tool', ['convert', file, schema])
}

export function createDaemons(options: DaemonsOptions): Daemons {
  const { layout, log, watchMs = 2_000, beforeSwitch, afterSwitch } = options
  const specs = daemonSpecs(layout)
  const names = Object.keys(specs) as DaemonName[]
  let timer: NodeJS.Timeout | undefined
  let busy: Promise<unknown> = Promise.resolve()

  const startOne = async (name: DaemonName): Promise<DaemonName[]> =>
    (await startDaemon(specs[name])) === 'started' ? [name] : []

  const startDatabase = async (name: 'nb' | 'sb' | 'conf'): Promise<DaemonName[]> => {
    if (runningPid(specs[name]) !== undefined) return []
    await ensureDatabase(`${layout.stateDir}/${name}.db`, SCHEMAS[name])
    return startOne(name)
  }

  const startSwitch = async (): Promise<DaemonName[]> => {
    if (runningPid(specs.vswitchd) === undefined) await beforeSwitch()
    const started = await startOne('vswitchd')
    await afterSwitch(started.length > 0)
    return [...started, ...(await startOne('controller'))]
  }

  const startAll = async (): Promise<DaemonName[]> => {
    const databases = await Promise.all((['nb', 'sb', 'conf'] as const).map(startDatabase))
    const rest = await Promise.all([startOne('northd'), startSwitch()])
    return [...databases, ...rest].flat()
  }

  const watch = async (): Promise<void> => {
    if (names.some(name => runningPid(specs[name]) === undefined)) {
      const restarted = await startAll()
      if (restarted.length > 0) log(`restarted after their death: ${restarted.join(', ')}`)
    }
    for (const name of names) await boundLog(specs[name])
  }

  const scheduleWatch = (): void => {
    timer = setTimeout(() => {
      busy = watch()
        .catch(error => log(`watching OVN's daemons: ${(error as Error).message}`))
        .then(() => {
          if (timer !== undefined) scheduleWatch()
        })
    }, watchMs)
    timer.unref()
  }

  const close = (): void => {
    clearTimeout(timer)
    timer = undefined
  }

  return {
    async start() {
      const missing = whyNotOvn()
      if (missing !== undefined) throw new Error(missing)
      await mkdir(layout.logDir, { recursive: true })
      await mkdir(layout.runDir, { recursive: true, mode: 0o755 })
      const started = await startAll()
      scheduleWatch()
      return started
    },
    pids() {
      const running = names.map(name => [name, runningPid(specs[name])] as const)
      return Object.fromEntries(running.filter(([, pid]) => pid !== undefined))
    },
    close,
    async stop() {
      close()
      await busy
      await stopDaemon(specs.controller, ['exit'])
      await stopDaemon(specs.vswitchd, ['exit', '--cleanup'])
      await Promise.all([stopDaemon(specs.northd, ['exit']), stopDaemon(specs.conf, ['exit'])])
      await Promise.all([stopDaemon(specs.nb, ['exit']), stopDaemon(specs.sb, ['exit'])])
    },
  }
}
