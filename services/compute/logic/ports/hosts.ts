/**
 * What compute asks of the machines under it. Drivers implement these; nothing here knows QMP, libvirt or OVSDB.
 *
 * Words: a *host* is a machine with a hypervisor; a *guest* is what the hypervisor runs for one server; a *VIF* is the
 * host's end of a guest's network card; a *disk* is a block device of a guest. Every call is idempotent: a call that is
 * repeated after a crash finds its work done and says so by succeeding. Sizes are in the unit of their name.
 */

/** How a guest is at this moment, as the hypervisor sees it. `crashed` is a guest whose process went away unasked. */
export type GuestState = 'running' | 'paused' | 'shutdown' | 'crashed'

export interface HostCapacity {
  readonly hypervisorType: string
  /** As Nova shows it: major * 1_000_000 + minor * 1_000 + micro. */
  readonly hypervisorVersion: number
  readonly vcpus: number
  readonly memoryMiB: number
  readonly diskGiB: number
  readonly diskFreeGiB: number
  readonly cpu: {
    readonly arch: string
    readonly model: string
    readonly vendor: string
    readonly features: readonly string[]
    readonly topology: { readonly sockets: number; readonly cores: number; readonly threads: number }
  }
  /** `kvm` only when a guest was seen running on it; else `tcg` (or `simulated`). */
  readonly acceleration: 'kvm' | 'tcg' | 'simulated'
  /** Placement traits this host has, such as `HW_CPU_X86_AVX2`, `COMPUTE_NET_ATTACH_INTERFACE`. */
  readonly traits: readonly string[]
  /** Where other hosts reach it; absent where that is this machine itself. */
  readonly hostIp?: string
  /** Since the machine was started, and the mean number of processes that ran over 1, 5 and 15 minutes. */
  readonly uptimeSeconds?: number
  readonly loadAverage?: readonly number[]
}

/** Where the first content of a disk comes from. `image` is a file in this host's image cache. */
export type DiskSource =
  | { readonly kind: 'image'; readonly imageId: string; readonly path: string; readonly format: 'qcow2' | 'raw' }
  | { readonly kind: 'blank' }
  | { readonly kind: 'volume'; readonly connection: VolumeConnection }

/** How to reach a volume that lives elsewhere. More kinds are added with their drivers. */
export type VolumeConnection =
  | { readonly protocol: 'file'; readonly path: string; readonly format: 'qcow2' | 'raw' }
  | { readonly protocol: 'nbd'; readonly socket: string; readonly exportName: string }

export interface GuestDisk {
  /** Unique in the guest and stable for life: `root`, `ephemeral0`, `swap`, or a volume's id. */
  readonly name: string
  readonly source: DiskSource
  /** 0 means the size of the source. A larger size grows the disk; a smaller one is an error. */
  readonly sizeGiB: number
  readonly bus: 'virtio' | 'scsi' | 'ide'
  readonly bootIndex?: number
  readonly serial?: string
}

export interface GuestNic {
  readonly portId: string
  readonly macAddress: string
  readonly mtu: number
  /** Name of the host's interface (a tap), at most 15 characters. */
  readonly vifName: string
  readonly model: 'virtio' | 'e1000'
}

/** All that is needed to make a guest run, now or again after any crash. It is kept by the caller, not by the driver. */
export interface GuestSpec {
  readonly serverId: string
  /** A name for people, as in `virsh list`: `instance-0000002a`. */
  readonly instanceName: string
  readonly hostname: string
  readonly projectId: string
  readonly userId: string
  readonly vcpus: number
  readonly memoryMiB: number
  readonly disks: readonly GuestDisk[]
  readonly nics: readonly GuestNic[]
  /** Files of the config drive by path (`openstack/latest/meta_data.json`); absent when none was asked for. */
  readonly configDrive?: Readonly<Record<string, Uint8Array>>
  /** Image properties that change the machine: `hw_disk_bus`, `hw_machine_type`, `hw_vif_model`, `hw_rng_model`, … */
  readonly properties: Readonly<Record<string, string>>
}

export interface GuestReport {
  readonly serverId: string
  readonly state: GuestState
}

/** Powers guests on and off. The base that each hypervisor driver must have. */
export interface Hypervisor {
  readonly name: string
  /** Prepares the host (directories, users, probing for KVM) and adopts guests that outlived an earlier process. */
  open(): Promise<void>
  /** Lets go of connections; guests go on. */
  close(): Promise<void>
  capacity(): Promise<HostCapacity>
  /** Every guest that has something on this host: a process, disks or both. */
  list(): Promise<readonly GuestReport[]>
  /** Tells of state changes that nobody asked for (the guest powered off, the process died). Returns the way to stop. */
  watch(listener: (report: GuestReport) => void): () => void
  /** Makes disks and starts the guest. Done already: nothing happens. Throws `GuestBuildError` with the cause. */
  spawn(spec: GuestSpec): Promise<void>
  /** Starts a guest whose disks exist (after `stop`, a crash, or the host's restart). */
  start(spec: GuestSpec): Promise<void>
  /** Asks the guest by ACPI to power off and cuts it off after `graceSeconds`; 0 cuts at once. Disks stay. */
  stop(serverId: string, graceSeconds: number): Promise<void>
  /** SOFT asks the guest and falls back to HARD after `graceSeconds`; HARD starts the machine anew from `spec`. */
  reboot(spec: GuestSpec, type: 'SOFT' | 'HARD', graceSeconds: number): Promise<void>
  pause(serverId: string): Promise<void>
  unpause(serverId: string): Promise<void>
  /** Ends the guest and removes every trace of it: process, disks, sockets, logs, cgroup. Absent: nothing happens. */
  destroy(serverId: string): Promise<void>
  /** The last `length` lines (all that is kept when undefined) of the serial console. Empty when there is none. */
  consoleOutput(serverId: string, length?: number): Promise<string>
  readonly nics?: HotPlugNics
  readonly disks?: HotPlugDisks
}

export interface HotPlugNics {
  attachNic(serverId: string, nic: GuestNic): Promise<void>
  detachNic(serverId: string, portId: string): Promise<void>
}

export interface HotPlugDisks {
  attachDisk(serverId: string, disk: GuestDisk): Promise<void>
  detachDisk(serverId: string, name: string): Promise<void>
}

/** Connects the host's end of a port to the network (an OVS integration bridge, say). */
export interface VifDriver {
  /** Makes the interface, owned so that the hypervisor's user may open it, and binds it to the port. Done: nothing happens. */
  plug(vif: VifSpec): Promise<void>
  /** Removes the interface. Absent: nothing happens. */
  unplug(vif: Pick<VifSpec, 'portId' | 'vifName'>): Promise<void>
  /** All interfaces that this driver made on this host, with their port and server; leftovers are found by it. */
  list(): Promise<readonly { portId: string; vifName: string; serverId: string }[]>
}

export interface VifSpec {
  readonly portId: string
  readonly vifName: string
  readonly macAddress: string
  readonly mtu: number
  readonly serverId: string
}

/** Files of images on this host, fetched once and shared as the base of copy-on-write disks. */
export interface ImageCache {
  /**
   * Fetches the image unless it is here, checks it against its hash and that it is what it says, and returns its file.
   * Two calls for one image share the work. Throws `GuestBuildError` when the content is corrupt.
   */
  ensure(
    image: CachedImage,
    open: () => Promise<AsyncIterable<Uint8Array>>,
  ): Promise<{ path: string; format: 'qcow2' | 'raw'; virtualSizeBytes: number }>
  /** Removes files that no guest's disk is based on and that are none of `keep`. Returns the ids removed. */
  prune(keep: ReadonlySet<string>): Promise<readonly string[]>
}

export interface CachedImage {
  readonly id: string
  readonly diskFormat: string
  readonly sizeBytes: number
  readonly hashAlgorithm?: string
  readonly hashValue?: string
}

/** A guest as the control plane plans it: the image is told by what it is, not by where a host keeps it. */
export interface GuestPlan extends Omit<GuestSpec, 'disks'> {
  readonly disks: readonly (Omit<GuestDisk, 'source'> & { readonly source: PlannedSource })[]
}

export type PlannedSource =
  | { readonly kind: 'image'; readonly image: CachedImage }
  | Exclude<DiskSource, { readonly kind: 'image' }>

/**
 * The control plane's view of one host. In one process it is the agent itself; on many machines it is a client of it. Calls
 * are idempotent like those of the drivers under it, and reject with `GuestBuildError` where the owner should read the cause.
 */
export interface HostAgent {
  /** Stable for the host's life: also its resource provider in Placement. */
  readonly id: string
  readonly hostname: string
  open(): Promise<void>
  close(): Promise<void>
  capacity(): Promise<HostCapacity>
  guests(): Promise<readonly GuestReport[]>
  watch(listener: (report: GuestReport) => void): () => void
  /** Fetches the image, connects the cards, makes the disks and starts the guest. */
  build(plan: GuestPlan, signal: AbortSignal): Promise<void>
  /** Removes the guest and its cards, whatever of them there is. */
  destroy(serverId: string): Promise<void>
  start(plan: GuestPlan): Promise<void>
  stop(serverId: string, graceSeconds: number): Promise<void>
  reboot(plan: GuestPlan, type: 'SOFT' | 'HARD', graceSeconds: number): Promise<void>
  pause(serverId: string): Promise<void>
  unpause(serverId: string): Promise<void>
  consoleOutput(serverId: string, length?: number): Promise<string>
  attachNic(serverId: string, nic: GuestNic): Promise<void>
  detachNic(serverId: string, nic: Pick<GuestNic, 'portId' | 'vifName'>): Promise<void>
  /**
   * Removes what belongs to no server: guests, cards, cached images. `known` is asked after the host was looked at, so that
   * what was built meanwhile is not taken for a stray. Returns what was removed, in words.
   */
  removeStrays(
    known: () => Promise<{ readonly servers: ReadonlySet<string>; readonly images: ReadonlySet<string> }>,
  ): Promise<readonly string[]>
}

/** A guest could not be built; `message` is fit for the server's owner to read. */
export class GuestBuildError extends Error {
  override readonly name = 'GuestBuildError'
}
