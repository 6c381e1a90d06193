/** What servers have used over a period, in hours of their flavor's size. Pure: times are milliseconds since 1970. */

export interface UsedServer {
  readonly id: string
  readonly name: string
  readonly projectId: string
  readonly state: string
  readonly flavor: { readonly name: string; readonly vcpus: number; readonly ram: number; readonly disk: number }
  readonly launchedAt: number
}

export interface Period {
  readonly start: number
  readonly end: number
}

export interface ServerUsage {
  readonly server: UsedServer
  /** Inside of the period. */
  readonly hours: number
}

export interface ProjectUsage {
  readonly projectId: string
  readonly servers: readonly ServerUsage[]
  readonly hours: number
  /** Each times hours. */
  readonly vcpus: number
  readonly memoryMiB: number
  readonly diskGiB: number
}

export function hoursIn(launchedAt: number, { start, end }: Period): number {
  return Math.max(0, end - Math.max(launchedAt, start)) / 3_600_000
}

/** By project, in the order in which their first servers come. */
export function usageByProject(servers: readonly UsedServer[], period: Period): readonly ProjectUsage[] {
  const projects = Map.groupBy(servers, server => server.projectId)
  return [...projects].map(([projectId, own]) => {
    const usages = own.map(server => ({ server, hours: hoursIn(server.launchedAt, period) }))
    const sum = (weight: (server: UsedServer) => number) =>
      usages.reduce((total, { server, hours }) => total + weight(server) * hours, 0)
    return {
      projectId,
      servers: usages,
      hours: sum(() => 1),
      vcpus: sum(server => server.flavor.vcpus),
      memoryMiB: sum(server => server.flavor.ram),
      diskGiB: sum(server => server.flavor.disk),
    }
  })
}
