/** A server as the latest version shows it. Older versions show less; `versions/` says what. */

export interface Link {
  readonly rel: 'self' | 'bookmark'
  readonly href: string
}

export interface ShownAddress {
  readonly version: 4 | 6
  readonly addr: string
  readonly 'OS-EXT-IPS:type'?: 'fixed' | 'floating'
  readonly 'OS-EXT-IPS-MAC:mac_addr'?: string
}

/** The flavor as it was at the build. */
export interface EmbeddedFlavor {
  readonly vcpus: number
  readonly ram: number
  readonly disk: number
  readonly ephemeral: number
  readonly swap: number
  readonly original_name: string
  readonly extra_specs?: Readonly<Record<string, string>>
}

export interface LinkedResource {
  readonly id: string
  readonly links: readonly Link[]
}

export interface ShownFault {
  readonly code: number
  readonly created: string
  readonly message: string
  readonly details?: string
}

export interface BasicServerView {
  readonly id: string
  readonly name: string
  readonly links: readonly Link[]
}

/** Members that are `undefined` are not sent: not the caller's to see, or not there in this state. */
export interface ServerView extends BasicServerView {
  readonly status: string
  readonly tenant_id: string
  readonly user_id: string
  readonly metadata: Readonly<Record<string, string>>
  readonly hostId: string
  /** The empty string of a server without an image. */
  readonly image: LinkedResource | ''
  readonly flavor: EmbeddedFlavor | LinkedResource
  /** `2026-11-20T12:34:56Z`. */
  readonly created: string
  readonly updated: string
  readonly addresses: Readonly<Record<string, readonly ShownAddress[]>>
  readonly accessIPv4: string
  readonly accessIPv6: string
  readonly 'OS-DCF:diskConfig': string
  readonly fault?: ShownFault
  readonly progress?: number
  readonly 'OS-EXT-AZ:availability_zone'?: string
  readonly pinned_availability_zone?: string | null
  /** `True` or empty. */
  readonly config_drive?: string
  readonly key_name?: string | null
  readonly 'OS-SRV-USG:launched_at'?: string | null
  readonly 'OS-SRV-USG:terminated_at'?: string | null
  readonly security_groups?: readonly { readonly name: string }[]
  readonly 'OS-EXT-SRV-ATTR:host'?: string | null
  readonly 'OS-EXT-SRV-ATTR:instance_name'?: string
  readonly 'OS-EXT-SRV-ATTR:hypervisor_hostname'?: string | null
  readonly 'OS-EXT-SRV-ATTR:reservation_id'?: string
  readonly 'OS-EXT-SRV-ATTR:launch_index'?: number
  readonly 'OS-EXT-SRV-ATTR:hostname'?: string
  readonly 'OS-EXT-SRV-ATTR:kernel_id'?: string
  readonly 'OS-EXT-SRV-ATTR:ramdisk_id'?: string
  readonly 'OS-EXT-SRV-ATTR:root_device_name'?: string
  readonly 'OS-EXT-SRV-ATTR:user_data'?: string | null
  readonly 'OS-EXT-STS:task_state'?: string | null
  readonly 'OS-EXT-STS:vm_state'?: string
  readonly 'OS-EXT-STS:power_state'?: number
  readonly 'os-extended-volumes:volumes_attached'?: readonly {
    readonly id: string
    readonly delete_on_termination?: boolean
  }[]
  readonly host_status?: string
  readonly locked?: boolean
  readonly locked_reason?: string | null
  readonly description?: string | null
  readonly tags?: readonly string[]
  readonly trusted_image_certificates?: readonly string[] | null
  readonly server_groups?: readonly string[]
  /** Of a rebuild's answer alone. */
  readonly user_data?: string | null
  readonly adminPass?: string
}

/** What `POST /servers` answers. */
export interface CreatedServer {
  readonly id: string
  readonly links: readonly Link[]
  readonly 'OS-DCF:diskConfig': string
  readonly security_groups: readonly { readonly name: string }[]
  readonly adminPass?: string
}
