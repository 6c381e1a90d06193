/**
 * The image and network services behind compute's *proxy APIs*: paths under which old clients reach images, security groups
 * and floating IPs through compute, up to version 2.35. Everything is asked with the caller's own token; what those services
 * refuse is thrown as a `Fault` with their status and words. The driver in `drivers/neighbours` asks their APIs.
 */
import type { CallerFloatingIp, CallerImage, CallerSecurityGroup, CallerSecurityRule } from './caller.ts'

export interface ProxiedImage extends CallerImage {
  /** ISO 8601. */
  readonly createdAt: string
  readonly updatedAt: string
}

/** Names are the image service's: `status=in:queued,saving`, `updated_at=gte:…`, or a property's. */
export type ImageFilters = Readonly<Record<string, string>>

export interface NewSecurityRule {
  readonly groupId: string
  readonly protocol: string | null
  readonly portMin: number | null
  readonly portMax: number | null
  readonly remotePrefix: string | null
  readonly remoteGroupId: string | null
}

export interface ProxiedFloatingIp extends CallerFloatingIp {
  readonly networkId: string
  readonly fixedAddress: string | null
}

export interface Proxies {
  /** `more`: another page follows. The image service has a limit of its own, so that a page may be shorter than `limit`. */
  images(page: {
    readonly filters: ImageFilters
    readonly limit: number
    readonly marker?: string
  }): Promise<{ readonly images: readonly ProxiedImage[]; readonly more: boolean }>
  image(id: string): Promise<ProxiedImage>
  removeImage(id: string): Promise<void>
  /** Properties of these values are set, those of undefined are removed. */
  changeImage(id: string, properties: Readonly<Record<string, string | undefined>>): Promise<ProxiedImage>
  /** Of every project that the caller may see without `projectId`. */
  securityGroups(projectId: string | undefined): Promise<readonly CallerSecurityGroup[]>
  securityGroup(id: string): Promise<CallerSecurityGroup>
  createSecurityGroup(given: NamedGroup): Promise<CallerSecurityGroup>
  updateSecurityGroup(id: string, given: NamedGroup): Promise<CallerSecurityGroup>
  removeSecurityGroup(id: string): Promise<void>
  createRule(rule: NewSecurityRule): Promise<CallerSecurityRule>
  removeRule(id: string): Promise<void>
  /** Networks that floating IPs are taken from. */
  pools(): Promise<readonly { readonly id: string; readonly name: string }[]>
  floatingIps(projectId: string): Promise<readonly ProxiedFloatingIp[]>
  floatingIp(id: string): Promise<ProxiedFloatingIp>
  createFloatingIp(networkId: string): Promise<ProxiedFloatingIp>
  removeFloatingIp(id: string): Promise<void>
  /** Ids of the servers that the ports belong to, by the port's id. */
  serversOf(portIds: readonly string[]): Promise<ReadonlyMap<string, string>>
}

export interface NamedGroup {
  readonly name: string
  readonly description: string
}

/** For whoever the token is of. */
export type ProxiesFor = (caller: { readonly tokenText?: string }) => Proxies
