/**
 * The bridge between the cloud's external network and this machine. Its local port has the gateway address of the
 * `public` subnet, so that the machine is "the outside" for routers and floating IPs, and passes their traffic on:
 * forwarding is switched on, and addresses of the external network leave the machine under its own (masquerading).
 */

import { existsSync, readdirSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { CommandError, disableOffloads, run, succeeds } from './commands.ts'
import type { OvnLayout } from './layout.ts'

const FORWARDING = '/proc/sys/net/ipv4/ip_forward'
/** File in the run folder that says: this machine did not forward before. */
const FORWARDING_MARK = 'forwarding-was-off'

export interface ProviderBridgeOptions {
  readonly layout: OvnLayout
  /** The machine's address on the external network, with prefix: `172.24.4.1/24`. */
  readonly gatewayCidr: string
  readonly masquerade: boolean
  readonly log: (message: string) => void
}

/** Throws `TypeError` unless it is an IPv4 address with a prefix length. */
export function checkGatewayCidr(cidr: string): void {
  const [address = '', length = ''] = cidr.split('/')
  if (isIP(address) !== 4 || !/^\d{1,2}$/.test(length) || Number(length) > 32)
    throw new TypeError(
      `the external gateway must be an IPv4 address with a prefix such as 172.24.4.1/24, not '${cidr}'`,
    )
}

function ruleset(table: string, bridge: string, cidr: string): string {
  return `table ip ${table} {}
delete table ip ${table}
table ip ${table} {
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr ${cidr} oifname != "${bridge}" masquerade
  }
}
`
}

async function enableForwarding(runDir: string): Promise<void> {
  const before = (await readFile(FORWARDING, 'utf8')).trim()
  if (before === '1') return
  await writeFile(`${runDir}/${FORWARDING_MARK}`, '')
  await writeFile(FORWARDING, '1')
}

/** Gives the bridge's local port its address. Idempotent; needed again after each start of `ovs-vswitchd`. */
export async function configureProviderBridge(options: ProviderBridgeOptions): Promise<void> {
  const { layout, gatewayCidr, masquerade, log } = options
  const bridge = layout.providerBridge
  checkGatewayCidr(gatewayCidr)
  await run('ip', ['address', 'replace', gatewayCidr, 'dev', bridge])
  await run('ip', ['link', 'set', bridge, 'up'])
  await disableOffloads(bridge).catch(error => log(`offloads of ${bridge}: ${(error as Error).message}`))
  if (!masquerade) return
  try {
    await enableForwarding(layout.runDir)
    await run('nft', ['-f', '-'], { input: ruleset(layout.nftTable, bridge, gatewayCidr) })
  } catch (error) {
    const hint = error instanceof CommandError && error.missing ? ' (install nftables)' : ''
    log(`guests cannot reach beyond this machine${hint}: ${(error as Error).message}`)
  }
}

/** Takes back what `configureProviderBridge` did beside the bridge itself, which goes with the datapath. */
export async function unconfigureProviderBridge(layout: OvnLayout): Promise<void> {
  if (await succeeds('nft', ['list', 'table', 'ip', layout.nftTable]))
    await run('nft', ['delete', 'table', 'ip', layout.nftTable])
  if (!existsSync(`${layout.runDir}/${FORWARDING_MARK}`)) return
  // Forwarding is the whole machine's: the last cloud that needs it puts it back.
  const others = readdirSync('/run').map(name => `/run/${name}`)
  const heir = others.find(
    dir => dir.startsWith('/run/strata-') && dir !== layout.runDir && existsSync(`${dir}/conf.pid`),
  )
  if (heir === undefined) await writeFile(FORWARDING, '0')
  else await writeFile(`${heir}/${FORWARDING_MARK}`, '')
}
