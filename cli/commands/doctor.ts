/** `strata doctor`: what is wrong with this machine or this cloud, each with the command that mends it. */
import { accessSync, constants, existsSync, readFileSync, statfsSync } from 'node:fs'
import { createServer } from 'node:net'
import { freemem, homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseDocument } from 'yaml'
import { userCloudsFile } from '../credentials.ts'
import { dataPlanePackages, lookAtMachine, type Machine, missingPackages } from '../install.ts'
import { duration, mebibytes, say, table } from '../print.ts'
import { readJson, type State } from '../state.ts'
import { collectStatus, type StatusReport } from './status.ts'

export interface Finding {
  /** `bad` keeps the cloud from working; `note` limits it. */
  readonly level: 'ok' | 'note' | 'bad'
  readonly what: string
  readonly mend?: string
}

const LEAST_DISK = 2 * 2 ** 30
const LEAST_MEMORY = 512 * 2 ** 20

export function judgeMachine(machine: Machine, missing: readonly string[] | undefined): Finding[] {
  const note = (there: boolean, what: string, lack: string, mend?: string): Finding =>
    there ? { level: 'ok', what } : { level: 'note', what: lack, ...(mend && { mend }) }
  return [
    note(machine.root, 'root', 'not root: guests and networks are simulated', 'sudo ./strata up'),
    note(machine.networkAdmin, 'may make network interfaces', 'no CAP_NET_ADMIN: guests and networks are simulated'),
    note(machine.tun, '/dev/net/tun', 'no /dev/net/tun: guests and networks are simulated', 'modprobe tun'),
    missing
      ? note(
          missing.length === 0,
          'Debian packages of the data plane',
          `packages are missing: ${missing.join(' ')}`,
          `apt-get install ${missing.join(' ')}`,
        )
      : { level: 'note', what: 'no Debian or Ubuntu: install QEMU, OVN and Open vSwitch by hand' },
  ]
}

/** What guests run on: as the cloud found it by running one, for a `/dev/kvm` that is there may still not work. */
export function judgeAcceleration(found: string | undefined, device: boolean): Finding {
  if (found === 'kvm') return { level: 'ok', what: 'guests run on KVM' }
  const slowly = 'guests run on TCG, an emulated processor: ten times slower or more'
  if (found === 'tcg')
    return {
      level: 'note',
      what: device ? `KVM does not work here (a guest hung on it): ${slowly}` : `no KVM: ${slowly}`,
    }
  if (!device) return { level: 'note', what: `no /dev/kvm: ${slowly}` }
  return { level: 'ok', what: '/dev/kvm is there; whether guests run on it is tried at the first start' }
}

/** Of a cloud that runs, from what it says of its hypervisor, `QEMU 7.2 (tcg)`; else what its last start found. */
function accelerationOf(state: State, report: StatusReport): string | undefined {
  const running = /\((kvm|tcg)\)/.exec(report.health?.engines?.['hypervisor'] ?? '')?.[1]
  return (
    running ?? readJson<{ acceleration?: string }>(join(state.folder, 'compute', 'acceleration.json'))?.acceleration
  )
}

export function judgeCloud(report: StatusReport): Finding[] {
  if (report.status === 'down') return [{ level: 'note', what: 'the cloud is down', mend: './strata up' }]
  if (report.status === 'failed') {
    return [{ level: 'bad', what: `the last start failed: ${report.error ?? 'see the log'}`, mend: './strata logs' }]
  }
  if (report.status === 'silent') {
    const what = `process ${report.process?.pid} runs, and ${report.url} does not answer`
    return [{ level: 'bad', what, mend: './strata down && ./strata up' }]
  }
  const services = Object.entries(report.health?.services ?? {})
  return [
    ...services.map(
      ([name, { status, detail }]): Finding =>
        status === 'ready'
          ? { level: 'ok', what: `${name} answers` }
          : { level: 'bad', what: `${name} is ${status}${detail ? `: ${detail}` : ''}`, mend: './strata logs' },
    ),
    ...services.flatMap(([name, { details }]) => judgeSagas(name, details?.sagas)),
    ...(report.health?.problems ?? []).map((what): Finding => ({ level: 'bad', what, mend: './strata logs' })),
  ]
}

/** Builds and migrations may take minutes; what takes more is waiting for something. */
const STUCK_MS = 5 * 60_000

function judgeSagas(service: string, sagas: { unfinished: number; oldestMs: number } | undefined): Finding[] {
  if (!sagas || sagas.oldestMs < STUCK_MS) return []
  const oldest = duration(sagas.oldestMs / 1000)
  const what = `${service} has ${sagas.unfinished} unfinished operations, the oldest for ${oldest}`
  return [{ level: 'note', what, mend: './strata logs' }]
}

function judgeState(state: State): Finding[] {
  let folder = state.folder
  while (!existsSync(folder)) folder = dirname(folder)
  const { bavail, bsize } = statfsSync(folder)
  const disk = bavail * bsize
  return [
    writable(folder)
      ? { level: 'ok', what: `${folder} is writable` }
      : { level: 'bad', what: `${folder} is not writable`, mend: './strata --state DIR up' },
    disk >= LEAST_DISK
      ? { level: 'ok', what: `${mebibytes(disk)} of disk free` }
      : { level: 'bad', what: `only ${mebibytes(disk)} of disk free at ${folder}` },
    freemem() >= LEAST_MEMORY
      ? { level: 'ok', what: `${mebibytes(freemem())} of memory free` }
      : { level: 'note', what: `only ${mebibytes(freemem())} of memory free: few guests will fit` },
  ]
}

function writable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK)
    return true
  } catch {
    return false
  }
}

function judgeUserClouds(file: string): Finding[] {
  if (!existsSync(file)) return []
  const [error] = parseDocument(readFileSync(file, 'utf8')).errors
  if (!error) return [{ level: 'ok', what: file }]
  return [{ level: 'bad', what: `${file} is not YAML: ${error.message.split('\n')[0]}`, mend: `$EDITOR ${file}` }]
}

async function judgePort(host: string, port: number, report: StatusReport): Promise<Finding[]> {
  if (report.process) return []
  const free = await new Promise<boolean>(resolve => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, host, () => server.close(() => resolve(true)))
  })
  if (free) return [{ level: 'ok', what: `port ${port} is free` }]
  return [{ level: 'bad', what: `port ${port} is taken by another program`, mend: './strata up --port 5050' }]
}

/** Prints all findings; the exit status is 1 when one is bad. */
export async function doctor(options: { state: State; host?: string | undefined; port?: number | undefined }) {
  const { state, host = '127.0.0.1', port = 5000 } = options
  const report = await collectStatus(state)
  const findings = [
    ...judgeMachine(lookAtMachine(), await missingPackages(await dataPlanePackages())),
    ...(report.mode === 'simulated' ? [] : [judgeAcceleration(accelerationOf(state, report), existsSync('/dev/kvm'))]),
    ...judgeState(state),
    ...judgeUserClouds(userCloudsFile(homedir())),
    ...(await judgePort(host, port, report)),
    ...judgeCloud(report),
  ]
  say(table(findings.map(({ level, what, mend }) => [level, what, mend ? `→ ${mend}` : ''])))
  return findings.some(one => one.level === 'bad') ? 1 : 0
}
