/** `strata status`: what runs, since when, with how much memory. Exit status 0 when ready, 3 when down, 1 otherwise. */
import { askHealth, type Health } from '../health.ts'
import { duration, mebibytes, say, table } from '../print.ts'
import { inspect, pidFiles } from '../process.ts'
import { type Mode, readServer, type State } from '../state.ts'

/** What `--json` prints. Memory in bytes. */
export interface StatusReport {
  readonly status: Health['status'] | 'down' | 'failed' | 'silent'
  readonly state: string
  readonly mode?: Mode
  readonly url?: string
  readonly error?: string
  readonly process?: { readonly pid: number; readonly rss: number; readonly uptimeSeconds: number }
  readonly health?: Health
  /** Daemons and guests with a pid file in the state folder. */
  readonly daemons: readonly { readonly name: string; readonly pid: number; readonly rss: number }[]
}

const DOWN = 3

export async function collectStatus(state: State): Promise<StatusReport> {
  const daemons = pidFiles(state.folder).flatMap(({ name, process }) => {
    return process ? [{ name, pid: process.pid, rss: process.rss }] : []
  })
  const base = { state: state.folder, daemons }
  const server = readServer(state)
  const found = server ? inspect(server.pid) : undefined
  if (server?.phase === 'failed' || !server || !found || found.startTicks !== server.startTicks) {
    return {
      ...base,
      status: server?.phase === 'failed' ? 'failed' : 'down',
      ...(server?.error && { error: server.error }),
    }
  }
  const health = server.url ? await askHealth(server.url) : undefined
  const { pid, rss, uptimeSeconds } = found
  return {
    ...base,
    status: health?.status ?? (server.phase === 'ready' ? 'silent' : 'starting'),
    mode: server.mode,
    ...(server.url && { url: server.url }),
    process: { pid, rss, uptimeSeconds },
    ...(health && { health }),
  }
}

export function formatStatus(report: StatusReport): string {
  const { process: server, health } = report
  const rows = [['cloud', report.status + (report.mode ? ` (${report.mode})` : '')]]
  if (report.error) rows.push(['error', report.error])
  if (report.url) rows.push(['url', report.url])
  rows.push(['state', report.state])
  if (server) {
    rows.push(['process', `${server.pid}, up ${duration(server.uptimeSeconds)}, ${mebibytes(server.rss)}`])
  }
  for (const [name, engine] of Object.entries(health?.engines ?? {})) rows.push([name, engine])
  if (health?.guests) rows.push(['guests', `${health.guests.running} running of ${health.guests.total}`])
  const parts = Object.entries(health?.services ?? {}).map(([name, { status, detail }]) => [name, status, detail ?? ''])
  const daemons = report.daemons.map(({ name, pid, rss }) => [name, `${pid}`, mebibytes(rss)])
  return [
    table(rows),
    ...(parts.length > 0 ? ['', table([['SERVICE', 'STATUS', ''], ...parts])] : []),
    ...(daemons.length > 0 ? ['', table([['DAEMON OR GUEST', 'PID', 'MEMORY'], ...daemons])] : []),
  ].join('\n')
}

export async function status({ state, json }: { state: State; json: boolean }): Promise<number> {
  const report = await collectStatus(state)
  say(json ? JSON.stringify(report, null, 2) : formatStatus(report))
  if (report.status === 'ready') return 0
  return report.status === 'down' ? DOWN : 1
}
