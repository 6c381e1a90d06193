/**
 * What the scheduler decides over: a snapshot of the hosts and what is asked of them. Nothing here does I/O; the decision is
 * checked again by Placement when it is applied.
 */
import type { FlavorCopy } from '../../store/database.ts'
import type { HostCapacity } from '../ports/hosts.ts'

export interface HostState {
  readonly id: string
  readonly hostname: string
  readonly availabilityZone: string
  readonly enabled: boolean
  readonly up: boolean
  readonly capacity: HostCapacity
  readonly aggregates: readonly { readonly name: string; readonly metadata: Readonly<Record<string, string>> }[]
  /** What the servers on the host hold of it. */
  readonly used: { readonly vcpus: number; readonly memoryMiB: number; readonly diskGiB: number }
  readonly servers: readonly { readonly id: string; readonly groupId: string | null; readonly building: boolean }[]
}

export interface ServerGroupRequest {
  readonly id: string
  readonly policy: 'affinity' | 'anti-affinity' | 'soft-affinity' | 'soft-anti-affinity'
  /** True when another server of the group has a host already. */
  readonly hasMembers: boolean
  /** With anti-affinity: servers of the group that one host may have; 1 unless set. */
  readonly maxServersPerHost?: number
}

export interface ScheduleRequest {
  readonly serverId: string
  readonly projectId: string
  readonly flavor: FlavorCopy
  readonly imageProperties: Readonly<Record<string, string>>
  readonly availabilityZone?: string
  /** Only this host will do (`az:host`, `host` of 2.74). */
  readonly forcedHost?: string
  /** Hosts on which a build has failed already. */
  readonly excludedHosts: readonly string[]
  readonly group?: ServerGroupRequest
  readonly sameHostAs: readonly string[]
  readonly differentHostFrom: readonly string[]
}

export interface Filter {
  /** As OpenStack's operators know it. */
  readonly name: string
  accepts(host: HostState, request: ScheduleRequest): boolean
}

export interface Weigher {
  readonly name: string
  /** More is better; scaled to [0, 1] over the hosts and multiplied. */
  readonly multiplier: number
  weigh(host: HostState, request: ScheduleRequest): number
}
