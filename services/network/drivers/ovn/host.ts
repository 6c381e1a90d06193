/**
 * One machine's part in the network: the daemons (Strata's own, unless the system's databases are named), the chassis'
 * settings, the integration and the provider bridge, and the metadata namespaces. Closing lets all of it go on;
 * stopping takes it from the machine.
 */

import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { hostname as machineName } from 'node:os'
import { createOvsdbClient, type LocalSwitch, openLocalSwitch } from '@strata/toolkit/ovsdb'
import { completedChassis, ownChassis, withoutMapping } from './chassis.ts'
import { createDaemons, type Daemons } from './daemons.ts'
import {
  type DatapathType,
  datapathDevices,
  deleteDevices,
  detectDatapathType,
  makeRoomForDatapath,
  renameDatapathDevice,
} from './datapath.ts'
import { clearRunFolder, type OvnRemotes, ovnLayout } from './layout.ts'
import { type MetadataHost, openMetadataHost, removeMetadata } from './metadata.ts'
import { configureProviderBridge, unconfigureProviderBridge } from './provider-bridge.ts'

export interface OvnHostOptions {
  /** The cloud's state folder. */
  readonly stateDir: string
  /** Name of the chassis and of the host in the API; default: the machine's name. */
  readonly host?: string
  /** The system's databases; Strata's own daemons are started when absent. */
  readonly remotes?: OvnRemotes
  /** Default: found by looking. */
  readonly datapathType?: DatapathType
  /** Default: a name of this cloud's own, or `br-int` with the system's databases. */
  readonly integrationBridge?: string
  /** The external network of this machine; null when the machine carries none. */
  readonly external?: ExternalOptions | null
  /** Tunnel endpoint. Default `127.0.0.1`, right for a cloud of one machine. */
  readonly encapIp?: string
  /** Default: the layout's. */
  readonly metadataSocket?: string
  readonly log?: (message: string) => void
  readonly watchMs?: number
}

export interface ExternalOptions {
  /** Default `public`; the `provider:physical_network` of the API's external network. */
  readonly physicalNetwork?: string
  /** Default `172.24.4.1/24`. */
  readonly gatewayCidr?: string
  /** Let guests reach beyond this machine; default true. */
  readonly masquerade?: boolean
}

export interface OvnHost {
  readonly remotes: OvnRemotes
  readonly integrationBridge: string
  readonly metadataSocket: string
  /** Starts or adopts everything; resolves when ports can be plugged. */
  start(): Promise<void>
  pids(): ReturnType<Daemons['pids']>
  /** Lets go; the data plane goes on. */
  close(): Promise<void>
  /** Removes everything from the machine except the databases' files; `start` need not have been called. */
  stop(): Promise<void>
}

/** A locally administered MAC that stays the same for a name. */
function stableMac(name: string): string {
  const digest = createHash('sha256').update(name).digest('hex')
  return `0a:${digest.slice(0, 10).match(/../g)!.join(':')}`
}

/** The datapath once found stays, since bridges cannot change it under running guests. */
async function datapathType(file: string, configured: DatapathType | undefined): Promise<DatapathType> {
  const remembered = await readFile(file, 'utf8').catch(() => '')
  if (remembered === 'system' || remembered === 'netdev') return remembered
  const found = configured ?? (await detectDatapathType())
  await writeFile(file, found)
  return found
}

export function createOvnHost(options: OvnHostOptions): OvnHost {
  const { stateDir, host = machineName(), encapIp = '127.0.0.1', log = () => {}, watchMs } = options
  const layout = ovnLayout(stateDir)
  const managed = options.remotes === undefined
  const remotes = options.remotes ?? layout.remotes
  const integrationBridge = options.integrationBridge ?? (managed ? layout.integrationBridge : 'br-int')
  const metadataSocket = options.metadataSocket ?? layout.metadataSocket
  const { physicalNetwork = 'public', gatewayCidr = '172.24.4.1/24', masquerade = true } = options.external ?? {}
  const hasExternal = options.external !== null
  const bridgeMapping = hasExternal ? `${physicalNetwork}:${layout.providerBridge}` : undefined
  const switchClient = createOvsdbClient({ remote: remotes.openVSwitch, log })
  const southbound = createOvsdbClient({ remote: remotes.southbound, log })
  let type: DatapathType = 'netdev'
  let localSwitch: LocalSwitch | undefined
  let metadata: MetadataHost | undefined

  const openSwitch = async (): Promise<LocalSwitch> => {
    await switchClient.connect()
    return openLocalSwitch(switchClient)
  }

  const configureChassis = async (): Promise<void> => {
    localSwitch ??= await openSwitch()
    const settings = {
      chassis: host,
      southbound: remotes.southbound,
      encapIp,
      integrationBridge,
      datapathType: type,
      bridgeMapping,
    }
    const held = localSwitch.externalIds()
    await localSwitch.configure(managed ? ownChassis(settings) : completedChassis(held, settings))
  }

  const ensureBridges = async (switchStarted: boolean): Promise<void> => {
    const bridge = (name: string, failMode: 'secure' | 'standalone') =>
      localSwitch!.ensureBridge({ name, datapathType: type, failMode, macAddress: stableMac(`${layout.tag} ${name}`) })
    if (managed || !localSwitch!.hasBridge(integrationBridge)) await bridge(integrationBridge, 'secure')
    if (switchStarted) await renameDatapathDevice(type, layout.tag)
    if (!hasExternal) return
    await bridge(layout.providerBridge, 'standalone')
    await configureProviderBridge({ layout, gatewayCidr, masquerade, log })
  }

  const daemons = createDaemons({
    layout,
    log,
    ...(watchMs === undefined ? {} : { watchMs }),
    beforeSwitch: async () => {
      await makeRoomForDatapath(type, layout.tag)
      await configureChassis()
    },
    afterSwitch: async started => {
      await configureChassis()
      await ensureBridges(started)
    },
  })

  const letGo = async (): Promise<void> => {
    daemons.close()
    await metadata?.close()
    switchClient.close()
    southbound.close()
  }

  return {
    remotes,
    integrationBridge,
    metadataSocket,
    async start() {
      await mkdir(layout.stateDir, { recursive: true, mode: 0o755 })
      await mkdir(layout.runDir, { recursive: true, mode: 0o755 })
      type = await datapathType(`${layout.stateDir}/datapath-type`, options.datapathType)
      if (managed) {
        const started = await daemons.start()
        log(started.length === 0 ? 'found OVN and Open vSwitch running' : `started ${started.join(', ')}`)
      } else {
        await configureChassis()
        await ensureBridges(false)
      }
      await southbound.connect()
      metadata = await openMetadataHost({
        southbound,
        localSwitch: localSwitch!,
        chassis: localSwitch!.externalIds()['system-id'] ?? host,
        integrationBridge,
        runDir: layout.runDir,
        metadataSocket,
        log,
      })
      await metadata.reconcile()
    },
    pids: () => daemons.pids(),
    close: letGo,
    async stop() {
      await metadata?.close()
      // A process that only came to stop has not opened the switch, and where the switch is dead there is nothing to open.
      if (localSwitch === undefined && (!managed || daemons.pids().conf !== undefined)) localSwitch = await openSwitch()
      if (managed && daemons.pids().vswitchd === undefined) localSwitch = undefined
      await removeMetadata(layout.runDir, localSwitch)
      if (!managed && bridgeMapping !== undefined) {
        await localSwitch?.configure(withoutMapping(localSwitch.externalIds(), bridgeMapping))
        await localSwitch?.removeBridge(layout.providerBridge)
      }
      await unconfigureProviderBridge(layout)
      await letGo()
      if (managed) {
        await daemons.stop()
        await deleteDevices([...datapathDevices(layout.tag), integrationBridge, layout.providerBridge])
      }
      await clearRunFolder(layout)
    },
  }
}
