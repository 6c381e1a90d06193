/** What a composition puts under the services: the network's backend and the hosts. */

import type { HostAgent } from '@strata/compute/ports'
import type { NetworkBackend } from '@strata/network/ports'
import type { Config } from '@strata/toolkit/config'
import type { Log } from '@strata/toolkit/log'
import type { Runtime } from '@strata/toolkit/runtime'

export interface Engine {
  readonly backend: NetworkBackend
  readonly hosts: readonly HostAgent[]
  /** Where the metadata service listens, and for whom; undefined where no guest could ask. */
  readonly metadata?: { readonly socket: string; readonly group: string }
  /** For `status`: `{ hypervisor: 'QEMU 7.2 (tcg)', network: 'OVN' }`. */
  describe(): Promise<Readonly<Record<string, string>>>
  /** What of it does not work, each in a sentence; empty when all is well. */
  problems(): readonly string[]
  /** Lets go of all that goes on without us. */
  close(): Promise<void>
}

export interface EngineOptions {
  readonly state: string
  readonly config: Config
  readonly runtime: Runtime
  readonly log: Log
  /** The content of an image, from the image service. */
  readonly openImage: (imageId: string, signal?: AbortSignal) => Promise<AsyncIterable<Uint8Array>>
}
