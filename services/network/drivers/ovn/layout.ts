/**
 * Where one cloud's OVN and Open vSwitch keep their things, and what they are called on the machine. Everything is
 * derived from the state folder's path, so that several clouds fit on one machine and each finds its own again.
 *
 * Databases and logs stay in the state folder. Sockets and pid files live in `/run/strata-<tag>`: a Unix socket's path
 * may have 107 bytes only, a state folder may be deeper; `/run` is emptied at a boot as pid files should be; and the
 * unprivileged metadata proxy can reach a socket there though the state folder is root's alone.
 */

import { createHash } from 'node:crypto'
import { readdir, rmdir, unlink } from 'node:fs/promises'
import { join, resolve } from 'node:path'

export interface OvnLayout {
  /** Eight hexadecimal digits that stand for the state folder. */
  readonly tag: string
  readonly stateDir: string
  readonly runDir: string
  readonly logDir: string
  /** Names of at most 15 characters, as the kernel demands. */
  readonly integrationBridge: string
  readonly providerBridge: string
  readonly nftTable: string
  /** OVSDB remotes of the daemons that Strata starts itself. */
  readonly remotes: OvnRemotes
  /** Where the metadata service has to listen; it must let the user `haproxy` write to the socket. */
  readonly metadataSocket: string
}

export interface OvnRemotes {
  readonly northbound: string
  readonly southbound: string
  /** The local Open_vSwitch database. */
  readonly openVSwitch: string
}

export function ovnLayout(stateDir: string): OvnLayout {
  const folder = resolve(stateDir)
  const tag = createHash('sha256').update(folder).digest('hex').slice(0, 8)
  const runDir = `/run/strata-${tag}`
  return {
    tag,
    stateDir: join(folder, 'ovn'),
    runDir,
    logDir: join(folder, 'ovn', 'log'),
    integrationBridge: `sbr-int${tag}`,
    providerBridge: `sbr-ex${tag}`,
    nftTable: `strata_${tag}`,
    remotes: {
      northbound: `unix:${runDir}/nb.sock`,
      southbound: `unix:${runDir}/sb.sock`,
      openVSwitch: `unix:${runDir}/conf.sock`,
    },
    metadataSocket: `${runDir}/metadata.sock`,
  }
}

/**
 * Removes sockets and files of the run folder, and the folder if nothing else is in it. Folders in it are others', and
 * may be mounts: nothing is ever removed through them.
 */
export async function clearRunFolder({ runDir }: Pick<OvnLayout, 'runDir'>): Promise<void> {
  const entries = await readdir(runDir, { withFileTypes: true }).catch(() => [])
  for (const entry of entries) if (entry.isFile() || entry.isSocket()) await unlink(join(runDir, entry.name))
  await rmdir(runDir).catch(() => {})
}
