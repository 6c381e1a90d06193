/**
 * What the command asks of a cloud. `@strata/clouds` implements this; nothing else of the command knows services,
 * hypervisors or networks.
 */
import type { Mode } from './state.ts'

/** One login, as a client needs it. */
export interface Login {
  readonly username: string
  readonly password: string
  readonly project: string
  /** Name of the domain of both user and project. */
  readonly domain: string
}

export interface Cloud {
  /** Base address: `http://127.0.0.1:5000`. Below it `/healthz` and a path for each service. */
  readonly url: string
  readonly region: string
  readonly admin: Login
  readonly demo: Login
  /** Ends the control plane: listeners, sagas, reconcilers. Instances, networks and volumes go on. */
  stop(): Promise<void>
}

export interface CloudOptions {
  readonly state: string
  readonly mode: Mode
  /** `strata.yaml`; its values give way to `host` and `port` here. */
  readonly configFile?: string | undefined
  readonly host?: string | undefined
  readonly port?: number | undefined
  /** Makes the first guest image and gives its file. */
  readonly guestImage?: (log: (message: string) => void) => Promise<string>
}

export interface CloudModule {
  /** Resolves when every API answers and the first-run resources exist. Rejects with a sentence for the operator. */
  startCloud(options: CloudOptions): Promise<Cloud>
  /** Ends guests and data plane daemons. The control plane must be down. Finding nothing is success. */
  stopDataPlane(options: { state: string }): Promise<void>
  /** Removes what is on the machine outside the state folder: namespaces, bridges, taps, cgroups. */
  removeDataPlane(options: { state: string }): Promise<void>
  /** Loads the modules that otherwise wait until a mode is chosen. */
  loadEngines(): Promise<void>
  /** Every option of `strata.yaml` with its default and help, as text. */
  configReference(): string
}

/** Loads the composition, only in the commands that need it: it brings every service with it. */
export async function loadCloud(): Promise<CloudModule> {
  return import('@strata/clouds')
}
