/** This machine as a host: QEMU guests on OVN, each in the version that Debian packages. */
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { hostname as machineName } from 'node:os'
import { join } from 'node:path'
import { createHostAgent } from '@strata/compute/agent'
import { createOvsVifDriver, removeTaps } from '@strata/compute/drivers/ovs'
import { createImageCache, createQemuHypervisor } from '@strata/compute/drivers/qemu'
import type { HostAgent } from '@strata/compute/ports'
import { createOvnBackend, createOvnHost, type OvnHost, type OvnRemotes } from '@strata/network/drivers/ovn'
import { type Config, ConfigError } from '@strata/toolkit/config'
import type { Log } from '@strata/toolkit/log'
import { uuidFromName } from '@strata/toolkit/runtime'
import { cloudConfig, ovnConfig, qemuConfig } from './config.ts'
import type { Engine, EngineOptions } from './engine.ts'

export async function realEngine(options: EngineOptions): Promise<Engine> {
  const { state, config, log } = options
  const hostname = config.section(cloudConfig).hostname ?? machineName()
  const network = ovnHost(state, config, hostname, log)
  const [host] = await Promise.all([openHost(options, hostname), network.start()])
  const { dns_servers } = config.section(ovnConfig)
  const vifs = createOvsVifDriver({
    remote: network.remotes.openVSwitch,
    integrationBridge: network.integrationBridge,
    uid: host.hypervisor.user.uid,
    gid: host.hypervisor.user.gid,
    log: message => log.info({ part: 'ovs' }, message),
  })
  const agent: HostAgent = createHostAgent({
    id: uuidFromName(`${state}:${hostname}`),
    hostname,
    hypervisor: host.hypervisor,
    vifs,
    images: host.images,
    openImage: options.openImage,
    log,
  })
  return {
    backend: createOvnBackend({
      ...network.remotes,
      dnsServers: dns_servers,
      log: message => log.info({ part: 'ovn' }, message),
    }),
    hosts: [agent],
    metadata: { socket: network.metadataSocket, group: 'haproxy' },
    async describe() {
      const { hypervisorVersion, acceleration } = await agent.capacity()
      const version = `${Math.floor(hypervisorVersion / 1_000_000)}.${Math.floor(hypervisorVersion / 1000) % 1000}`
      return { hypervisor: `QEMU ${version} (${acceleration})`, network: 'OVN' }
    },
    problems() {
      const pids = network.pids()
      const dead = ownDaemons(config).filter(([name]) => pids[name] === undefined)
      return dead.map(([, daemon]) => `${daemon} does not run; see ovn/log in the state folder`)
    },
    async close() {
      vifs.close()
      await network.close()
    },
  }
}

async function openHost({ state, config, runtime, log }: EngineOptions, hostname: string) {
  const { binary, user, acceleration } = config.section(qemuConfig)
  const folder = join(state, 'compute')
  await mkdir(folder, { recursive: true, mode: 0o711 })
  const hypervisor = createQemuHypervisor({
    folder,
    log: log.child({ host: hostname }),
    runtime,
    binary,
    userName: user,
    acceleration,
  })
  await hypervisor.open()
  const images = createImageCache({
    folder: join(folder, 'images'),
    runtime,
    user: () => hypervisor.user,
    inUse: hypervisor.imagesInUse,
  })
  await mkdir(join(folder, 'images'), { recursive: true, mode: 0o711 })
  return { hypervisor, images }
}

function ovnHost(state: string, config: Config, hostname: string, log: Log): OvnHost {
  const {
    northbound,
    southbound,
    open_vswitch,
    integration_bridge,
    datapath_type,
    encap_ip,
    external_cidr,
    masquerade,
  } = config.section(ovnConfig)
  const given = [northbound, southbound, open_vswitch].filter(remote => remote !== undefined)
  if (given.length !== 0 && given.length !== 3)
    throw new ConfigError('ovn.northbound, ovn.southbound and ovn.open_vswitch are given together or not at all')
  const remotes: OvnRemotes | undefined =
    given.length === 0 ? undefined : { northbound: northbound!, southbound: southbound!, openVSwitch: open_vswitch! }
  return createOvnHost({
    stateDir: state,
    host: hostname,
    remotes,
    datapathType: datapath_type,
    integrationBridge: integration_bridge,
    encapIp: encap_ip,
    external: { gatewayCidr: external_cidr, masquerade },
    log: message => log.info({ part: 'ovn' }, message),
  })
}

/** The daemons that Strata runs and watches: none where the configuration names databases of the machine's own. */
function ownDaemons(config: Config) {
  if (config.section(ovnConfig).northbound !== undefined) return []
  return [
    ['nb', "the northbound database's ovsdb-server"],
    ['sb', "the southbound database's ovsdb-server"],
    ['conf', "the switch database's ovsdb-server"],
    ['northd', 'ovn-northd'],
    ['vswitchd', 'ovs-vswitchd'],
    ['controller', 'ovn-controller'],
  ] as const
}

/** True when a real engine ever worked for this state folder. */
export const isReal = (state: string): boolean => existsSync(join(state, 'compute')) || existsSync(join(state, 'ovn'))

/** Ends guests and daemons, and takes the network of this cloud from the machine. Disks stay. */
export async function stopRealEngine(options: {
  readonly state: string
  readonly config: Config
  readonly log: Log
  readonly runtime: EngineOptions['runtime']
}): Promise<void> {
  const { state, config, log } = options
  const hostname = config.section(cloudConfig).hostname ?? machineName()
  const host = await openHost(
    { ...options, openImage: () => Promise.reject(new Error('no image is opened here')) },
    hostname,
  )
  for (const { serverId } of await host.hypervisor.list()) await host.hypervisor.stop(serverId, 0)
  await host.hypervisor.close()
  const network = ovnHost(state, config, hostname, log)
  await network.stop()
  await removeTaps(network.integrationBridge)
}
