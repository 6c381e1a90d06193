/** What compute asks of the other services, in its own words. The drivers in `drivers/neighbours` ask their APIs. */
import type { Nic } from '../../contract/nic.ts'

/** A network card as the caller asked for it. */
export interface RequestedNic {
  /** Exactly one of the two is set. */
  readonly networkId?: string
  readonly portId?: string
  readonly fixedIp?: string
  readonly tag: string | null
}

export interface PortOwner {
  readonly serverId: string
  readonly projectId: string
  readonly host: string
  readonly availabilityZone: string
}

export interface Networks {
  /** Makes a port for a server and binds it to its host; the same `key` finds what an earlier call made. */
  createPort(request: {
    readonly key: string
    readonly owner: PortOwner
    readonly nic: RequestedNic
    readonly securityGroups: readonly string[]
  }): Promise<Nic>
  /** Takes a port that exists and binds it to the server's host. */
  claimPort(request: { readonly owner: PortOwner; readonly nic: RequestedNic }): Promise<Nic>
  /** Binds ports that the server has to another host. */
  bindPorts(portIds: readonly string[], host: string): Promise<void>
  /** Lets go of all ports of the server: `given` ones are unbound, the others removed. Having none is fine. */
  releasePorts(serverId: string, given: readonly string[]): Promise<void>
  /** Removes the server's ports that are none of `known`: made by a step whose answer was lost. */
  releaseStrangers(serverId: string, known: readonly string[]): Promise<void>
  removePort(portId: string): Promise<void>
  unbindPort(portId: string): Promise<void>
  /** Which of these ports are up. */
  portsUp(portIds: readonly string[]): Promise<ReadonlySet<string>>
  /** The server's cards as the network service has them now, in the order of `portIds`. */
  describe(nics: readonly Nic[]): Promise<readonly Nic[]>
  /** The ports that these floating IPs are mapped to now. */
  portsOfFloatingIps(ids: readonly string[]): Promise<readonly string[]>
  /** The server whose port has this address on this network. */
  serverAt(place: { readonly networkId: string; readonly address: string }): Promise<string | undefined>
}

/** What a host has of one resource. */
export interface HostInventory {
  readonly total: number
  readonly reserved: number
  readonly min_unit: number
  readonly max_unit: number
  readonly step_size: number
  readonly allocation_ratio: number
}

/** Free units of one resource on one host. */
export interface ProviderRoom {
  readonly providerId: string
  readonly free: number
}

export interface Placement {
  /** Ids of the providers that have room for all of it, with the traits. */
  candidates(
    resources: Readonly<Record<string, number>>,
    traits: { readonly required: readonly string[]; readonly forbidden: readonly string[] },
  ): Promise<readonly string[]>
  /** False when the room was taken by somebody else meanwhile. */
  claim(request: {
    readonly serverId: string
    readonly providerId: string
    readonly projectId: string
    readonly userId: string
    readonly resources: Readonly<Record<string, number>>
  }): Promise<boolean>
  /** Having none is fine. */
  release(serverId: string): Promise<void>
  /** What each provider has left of a resource. */
  room(resource: string): Promise<readonly ProviderRoom[]>
  /** Makes a host's provider be as given: name, inventories and traits. Equal already: nothing is written. */
  setProvider(provider: {
    readonly id: string
    readonly name: string
    readonly inventories: Readonly<Record<string, HostInventory>>
    readonly traits: readonly string[]
  }): Promise<void>
  /** Who holds something of a provider. */
  consumersOf(providerId: string): Promise<readonly string[]>
}
