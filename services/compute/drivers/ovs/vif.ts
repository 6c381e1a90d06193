/**
 * VIFs as persistent taps on Open vSwitch's integration bridge. A tap belongs to the hypervisor's unprivileged user, so
 * that the guest's process may open it without any right over the network; the port tells OVN by `iface-id` which
 * logical port it is. Both outlive this process.
 */

import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { createOvsdbClient, type LocalSwitch, openLocalSwitch } from '@strata/toolkit/ovsdb'
import type { VifDriver } from '../../logic/ports/hosts.ts'

/** External id of the switch's ports that this driver made; its value is the port's id. */
const OWNER_ID = 'strata:vif'
const SERVER_ID = 'strata:server'
/** What the kernel takes as the name of a device, without what iproute2 could read as an option. */
const DEVICE_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,14}$/

const execute = promisify(execFile)

export interface OvsVifOptions {
  /** OVSDB remote of this host's Open_vSwitch database: `unix:/path` or `tcp:host:port`. */
  readonly remote: string
  readonly integrationBridge: string
  /** Numeric ids of the account that guests run under. */
  readonly uid: number
  readonly gid: number
  readonly log?: (message: string) => void
}

export interface OvsVifDriver extends VifDriver {
  /** Lets go of the connection; VIFs stay. */
  close(): void
}

async function ip(...args: string[]): Promise<void> {
  try {
    await execute('ip', args, { timeout: 10_000 })
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string }
    throw new Error(`ip ${args.join(' ')}: ${stderr?.trim() || message}`)
  }
}

function checkName(name: string): void {
  if (!DEVICE_NAME.test(name)) throw new TypeError(`'${name}' cannot be the name of a network device`)
}

const sysfs = (device: string): string => `/sys/class/net/${device}`

const read = (device: string, file: string): Promise<string> =>
  readFile(`${sysfs(device)}/${file}`, 'utf8').then(
    text => text.trim(),
    () => '',
  )

/** Whose a tap is, kept at the tap itself: `strata BRIDGE PORT SERVER`. It is there before any switch knows of the tap. */
const aliasOf = (bridge: string, portId: string, serverId: string): string => `strata ${bridge} ${portId} ${serverId}`

async function tapsOf(bridge: string): Promise<{ vifName: string; portId: string; serverId: string }[]> {
  const names = await readdir('/sys/class/net')
  const aliases = await Promise.all(names.map(async name => [name, (await read(name, 'ifalias')).split(' ')] as const))
  return aliases.flatMap(([vifName, [mark, owner, portId = '', serverId = '']]) =>
    mark === 'strata' && owner === bridge ? [{ vifName, portId, serverId }] : [],
  )
}

/** Removes the taps of a switch that is gone. */
export async function removeTaps(integrationBridge: string): Promise<void> {
  for (const { vifName } of await tapsOf(integrationBridge)) await ip('link', 'delete', vifName)
}

/** Makes the tap, or makes it anew when it belongs to another account; says whether it did. */
async function ensureTap(device: string, { uid, gid }: { uid: number; gid: number }): Promise<boolean> {
  if (existsSync(sysfs(device))) {
    if ((await read(device, 'owner')) === String(uid) && (await read(device, 'group')) === String(gid)) return false
    await ip('link', 'delete', device)
  }
  await ip('tuntap', 'add', 'dev', device, 'mode', 'tap', 'user', String(uid), 'group', String(gid))
  return true
}

/**
 * Connects at the first use and keeps the connection. `plug` rejects when the switch is not there or does not take the
 * port within ten seconds; repeating it is safe.
 */
export function createOvsVifDriver(options: OvsVifOptions): OvsVifDriver {
  const { remote, integrationBridge, log } = options
  const client = createOvsdbClient(log === undefined ? { remote } : { remote, log })
  let opening: Promise<LocalSwitch> | undefined
  const localSwitch = (): Promise<LocalSwitch> => {
    opening ??= client.connect().then(() => openLocalSwitch(client))
    opening.catch(() => {
      opening = undefined
    })
    return opening
  }

  return {
    async plug({ portId, vifName, macAddress, mtu, serverId }) {
      checkName(vifName)
      const bridge = await localSwitch()
      // A switch that knew an earlier device of this name goes on reading from that one: it must be told of the new.
      if (await ensureTap(vifName, options)) await bridge.removePort(vifName)
      await ip('link', 'set', 'dev', vifName, 'alias', aliasOf(integrationBridge, portId, serverId))
      // The host itself has no business on the guest's link, not even with a link-local address.
      await writeFile(`/proc/sys/net/ipv6/conf/${vifName}/disable_ipv6`, '1').catch(() => {})
      await ip('link', 'set', 'dev', vifName, 'mtu', String(mtu), 'up')
      await bridge.ensurePort({
        bridge: integrationBridge,
        name: vifName,
        portIds: { [OWNER_ID]: portId, [SERVER_ID]: serverId },
        interfaceIds: {
          'iface-id': portId,
          'attached-mac': macAddress,
          'vm-uuid': serverId,
          'iface-status': 'active',
        },
      })
    },
    async unplug({ vifName }) {
      checkName(vifName)
      const bridge = await localSwitch()
      await bridge.removePort(vifName)
      if (existsSync(sysfs(vifName))) await ip('link', 'delete', vifName)
    },
    async list() {
      const bridge = await localSwitch()
      const plugged = [...bridge.ports()].flatMap(([vifName, row]) => {
        const { [OWNER_ID]: portId, [SERVER_ID]: serverId = '' } = row['external_ids'] as Record<string, string>
        return portId === undefined ? [] : [{ portId, vifName, serverId }]
      })
      const known = new Set(plugged.map(vif => vif.vifName))
      return [...plugged, ...(await tapsOf(integrationBridge)).filter(tap => !known.has(tap.vifName))]
    },
    close: () => client.close(),
  }
}
