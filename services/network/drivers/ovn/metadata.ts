/**
 * The way from guests to the metadata service on one host, as `ovn-metadata-agent` goes it: each network that has a guest
 * here gets a network namespace with the address 169.254.169.254, linked to the integration bridge as the network's
 * localport, and one HAProxy for the whole host listens in all of them. It follows the southbound database.
 */

import { existsSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import type { LocalSwitch, OvsdbClient, Replica } from '@strata/toolkit/ovsdb'
import { METADATA_IPV4, METADATA_IPV6 } from '../../logic/ports.ts'
import { disableOffloads, run, succeeds } from './commands.ts'
import {
  hostDevice,
  METADATA_DEVICE,
  type MetadataNetwork,
  metadataNetworks,
  namespaceName,
  proxyConfig,
} from './metadata-plan.ts'
import { type DaemonSpec, runningPid, signal, startDaemon, stopDaemon } from './processes.ts'

/** External id of ports on the integration bridge that lead into a metadata namespace. */
const OWNER_ID = 'strata:metadata'

export interface MetadataHostOptions {
  readonly southbound: OvsdbClient
  readonly localSwitch: LocalSwitch
  /** Name of this host's chassis. */
  readonly chassis: string
  readonly integrationBridge: string
  readonly runDir: string
  readonly metadataSocket: string
  readonly log: (message: string) => void
  /** How often is looked without being told; default 10,000 ms. */
  readonly periodMs?: number
}

export interface MetadataHost {
  /** Makes it so now. */
  reconcile(): Promise<void>
  /** Lets go; namespaces and proxy go on. */
  close(): Promise<void>
}

function proxySpec(runDir: string): DaemonSpec {
  const config = proxyConfigFile(runDir)
  const pidFile = `${runDir}/haproxy.pid`
  return {
    name: 'haproxy',
    file: '/usr/sbin/haproxy',
    pidFile,
    marker: config,
    args: ['-W', '-D', '-p', pidFile, '-f', config],
  }
}

/** Makes what is missing; says whether the link to the switch is a new one. */
async function setUpNamespace({ networkId, macAddress, cidrs, mtu }: MetadataNetwork): Promise<boolean> {
  const [namespace, device] = [namespaceName(networkId), hostDevice(networkId)]
  const inside = (...args: string[]) => run('ip', ['-n', namespace, ...args])
  if (!existsSync(`/run/netns/${namespace}`)) await run('ip', ['netns', 'add', namespace])
  await inside('link', 'set', 'lo', 'up')
  const isNew = !existsSync(`/sys/class/net/${device}`)
  if (isNew) {
    const peer = ['peer', 'name', METADATA_DEVICE, 'netns', namespace]
    await run('ip', ['link', 'add', device, 'mtu', String(mtu), 'type', 'veth', ...peer])
  }
  await disableOffloads(device)
  await disableOffloads(METADATA_DEVICE, namespace)
  await run('ip', ['link', 'set', device, 'mtu', String(mtu), 'up'])
  await inside('link', 'set', METADATA_DEVICE, 'address', macAddress, 'mtu', String(mtu), 'up')
  await inside('address', 'flush', 'dev', METADATA_DEVICE, 'scope', 'global')
  for (const cidr of [...cidrs, `${METADATA_IPV4}/32`])
    await inside('address', 'replace', cidr, 'dev', METADATA_DEVICE, ...(cidr.includes(':') ? ['nodad'] : []))
  await inside('address', 'replace', `${METADATA_IPV6}/64`, 'dev', METADATA_DEVICE, 'nodad')
  return isNew
}

async function tearDownNamespace(networkId: string): Promise<void> {
  const [namespace, device] = [namespaceName(networkId), hostDevice(networkId)]
  if (existsSync(`/sys/class/net/${device}`)) await run('ip', ['link', 'delete', device])
  if (existsSync(`/run/netns/${namespace}`)) await run('ip', ['netns', 'delete', namespace])
}

const proxyConfigFile = (runDir: string): string => `${runDir}/haproxy.cfg`

/** Networks whose links are on the switch here. */
function linkedNetworks(localSwitch: LocalSwitch): string[] {
  return [...localSwitch.ports().values()].flatMap(
    row => (row['external_ids'] as Record<string, string>)[OWNER_ID] ?? [],
  )
}

/**
 * Takes proxy, links and namespaces away. Needs no southbound database, and no switch either: what the proxy served is
 * known from its configuration.
 */
export async function removeMetadata(runDir: string, localSwitch: LocalSwitch | undefined): Promise<void> {
  const config = await readFile(proxyConfigFile(runDir), 'utf8').catch(() => '')
  const served = [...config.matchAll(/^frontend (\S+)$/gm)].map(match => match[1]!)
  const linked = localSwitch === undefined ? [] : linkedNetworks(localSwitch)
  await stopDaemon(proxySpec(runDir))
  for (const networkId of new Set([...served, ...linked])) {
    await localSwitch?.removePort(hostDevice(networkId))
    await tearDownNamespace(networkId)
  }
  for (const file of ['haproxy.cfg', 'haproxy.sock', 'haproxy.pid']) await rm(`${runDir}/${file}`, { force: true })
}

export async function openMetadataHost(options: MetadataHostOptions): Promise<MetadataHost> {
  const {
    southbound,
    localSwitch,
    chassis,
    integrationBridge,
    runDir,
    metadataSocket,
    log,
    periodMs = 10_000,
  } = options
  const proxy = proxySpec(runDir)
  const configFile = proxy.marker
  const replica: Replica = await southbound.monitor('OVN_Southbound', {
    Chassis: ['name'],
    Port_Binding: ['logical_port', 'type', 'datapath', 'chassis', 'mac', 'external_ids'],
  })
  const user = (await succeeds('getent', ['passwd', 'haproxy'])) ? 'haproxy' : undefined
  let settled = new Map<string, string>()
  let queue: Promise<void> = Promise.resolve()
  let waiting = false

  const wantedNetworks = (): MetadataNetwork[] => {
    const own = [...replica.rows('Chassis').values()].find(row => row['name'] === chassis)
    return own === undefined ? [] : metadataNetworks(replica.rows('Port_Binding').values(), own['_uuid'] as string)
  }

  const setProxy = async (networkIds: readonly string[], fresh: boolean): Promise<void> => {
    if (networkIds.length === 0) return stopDaemon(proxy)
    const config = proxyConfig({ networkIds, metadataSocket, controlSocket: `${runDir}/haproxy.sock`, user })
    const before = await readFile(configFile, 'utf8').catch(() => '')
    const pid = runningPid(proxy)
    if (before === config && pid !== undefined && !fresh) return
    await writeFile(configFile, config)
    // A namespace that was made anew under an old name needs new listeners; a reload would pass the old ones on.
    if (fresh && pid !== undefined) await stopDaemon(proxy)
    if (runningPid(proxy) === undefined) await startDaemon(proxy)
    else signal(pid!, 'SIGUSR2')
  }

  const setUp = async (network: MetadataNetwork): Promise<void> => {
    // A switch that knew an earlier device of this name goes on reading from that one: it must be told of the new.
    if (await setUpNamespace(network)) await localSwitch.removePort(hostDevice(network.networkId))
    await localSwitch.ensurePort({
      bridge: integrationBridge,
      name: hostDevice(network.networkId),
      portIds: { [OWNER_ID]: network.networkId },
      interfaceIds: { 'iface-id': network.portId, 'attached-mac': network.macAddress },
    })
  }

  const reconcileOnce = async (wanted: readonly MetadataNetwork[]): Promise<void> => {
    const next = new Map<string, string>()
    const served = await readFile(configFile, 'utf8').catch(() => '')
    let fresh = false
    for (const network of wanted) {
      const { networkId } = network
      const there = existsSync(`/run/netns/${namespaceName(networkId)}`)
      fresh ||= !there && served.includes(networkId)
      const description = JSON.stringify(network)
      if (settled.get(networkId) !== description || !there || !existsSync(`/sys/class/net/${hostDevice(networkId)}`))
        await setUp(network)
      next.set(networkId, description)
    }
    await setProxy([...next.keys()], fresh)
    for (const networkId of linkedNetworks(localSwitch)) {
      if (next.has(networkId)) continue
      await localSwitch.removePort(hostDevice(networkId))
      await tearDownNamespace(networkId)
    }
    settled = next
  }

  const reconcile = (): Promise<void> => {
    if (waiting) return queue
    waiting = true
    queue = queue
      .catch(() => {})
      .then(() => {
        waiting = false
        return reconcileOnce(wantedNetworks())
      })
    return queue
  }
  const kick = (): void => void reconcile().catch(error => log(`metadata namespaces: ${(error as Error).message}`))

  const unsubscribe = replica.subscribe(kick)
  const timer = setInterval(kick, periodMs)
  timer.unref()
  const letGo = async (): Promise<void> => {
    clearInterval(timer)
    unsubscribe()
    await queue.catch(() => {})
    await replica.close().catch(() => {})
  }

  return {
    reconcile,
    close: letGo,
  }
}
