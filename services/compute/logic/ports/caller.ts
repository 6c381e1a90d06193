/**
 * What the image and network services show to whoever is calling compute: asked with the caller's own token, so that each of
 * them decides itself what the caller may see. The driver in `drivers/neighbours` asks their APIs.
 */

export interface CallerImage {
  readonly id: string
  readonly name: string | null
  readonly status: string
  /** Bytes of the data. */
  readonly size: number | null
  /** Bytes of the disk that a guest sees. */
  readonly virtualSize: number | null
  /** GiB. */
  readonly minDisk: number
  /** MiB. */
  readonly minRam: number
  readonly properties: Readonly<Record<string, string>>
}

export interface CallerNetwork {
  readonly id: string
  readonly name: string
  readonly external: boolean
  readonly shared: boolean
  readonly subnets: readonly string[]
}

export interface CallerPort {
  readonly id: string
  readonly networkId: string
  readonly macAddress: string
  readonly status: string
  /** Empty when nothing uses the port. */
  readonly deviceId: string
  readonly fixedIps: readonly { readonly subnet_id: string; readonly ip_address: string }[]
  readonly securityGroups: readonly string[]
}

export interface CallerSecurityGroup {
  readonly id: string
  readonly name: string
  readonly description: string
  readonly projectId: string
  readonly rules: readonly CallerSecurityRule[]
}

export interface CallerSecurityRule {
  readonly id: string
  readonly direction: 'ingress' | 'egress'
  readonly protocol: string | null
  readonly portMin: number | null
  readonly portMax: number | null
  /** In CIDR notation; null for any, or where a group is meant. */
  readonly remotePrefix: string | null
  readonly remoteGroupId: string | null
}

export interface CallerFloatingIp {
  readonly id: string
  readonly address: string
  readonly portId: string | null
}

/** `undefined` is said of what there is not, and of what the caller may not see. */
export interface CallerServices {
  image(id: string): Promise<CallerImage | undefined>
  network(id: string): Promise<CallerNetwork | undefined>
  /** Those that servers of the project can have a port on: its own and shared ones, external ones apart. */
  networks(projectId: string): Promise<readonly CallerNetwork[]>
  port(id: string): Promise<CallerPort | undefined>
  portsOf(serverId: string): Promise<readonly CallerPort[]>
  securityGroups(projectId: string): Promise<readonly CallerSecurityGroup[]>
  setSecurityGroups(portId: string, groupIds: readonly string[]): Promise<void>
  floatingIp(address: string): Promise<CallerFloatingIp | undefined>
  /** `null` takes it away from its port. */
  assignFloatingIp(id: string, to: { readonly portId: string; readonly fixedIp?: string } | null): Promise<void>
}

/** For whoever the token is of. */
export type AsCaller = (caller: { readonly tokenText?: string }) => CallerServices
