/** Guests of a real cloud, seen from the outside: their console, and SSH as their owner logs in. */
import { writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { eventually, run, type TestCloud } from './cloud.ts'
import type { OpenStack } from './openstack.ts'

/** A guest boots in seconds where nothing else runs, and much slower where everything does. */
export const BOOT_MS = 180_000

/** Makes an SSH key; gives the path of the private one, beside which is `.pub`. */
export async function makeKey(cloud: TestCloud, name: string): Promise<string> {
  const file = join(cloud.scratch, name)
  const words = ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', file]
  const { code, stderr } = await run({ program: '/usr/bin/ssh-keygen', words, env: cloud.env })
  if (code !== 0) throw new Error(stderr)
  return file
}

/** Waits until a server's console shows something; gives the whole console. */
export async function consoleShows(client: OpenStack, server: string, pattern: RegExp): Promise<string> {
  let last = ''
  const look = async () => {
    last = (await client.run('console', 'log', 'show', server)).replaceAll('\r', '')
    return pattern.test(last) && last
  }
  return eventually(`${pattern} on the console of ${server}`, look, BOOT_MS).catch((thrown: Error) => {
    throw new Error(`${thrown.message}\n${last.split('\n').slice(-40).join('\n')}`)
  })
}

/** Waits until a server has booted to its end. */
export const booted = (client: OpenStack, server: string) =>
  consoleShows(client, server, /tiny-linux: ready in [\s\S]*login:/)

export interface Login {
  /** Runs a command in the guest and gives its output; rejects when it fails. */
  run(command: string): Promise<string>
  /** Whether a command succeeds in the guest. */
  can(command: string): Promise<boolean>
}

/**
 * Logs in as `tiny`. The guest must prove to be the one whose console was read: its host key's fingerprint is on it.
 */
export async function logInTo(options: {
  readonly cloud: TestCloud
  readonly address: string
  readonly key: string
  readonly console: string
}): Promise<Login> {
  const { cloud, address, key, console } = options
  const { env } = cloud
  const scan = await eventually(
    `${address} shows its host key`,
    async () => {
      const words = ['-T', '5', '-t', 'ed25519', address]
      const { stdout } = await run({ program: '/usr/bin/ssh-keyscan', words, env })
      return stdout.includes('ssh-ed25519') && stdout
    },
    BOOT_MS,
  )
  const known = join(cloud.scratch, `known-${address}`)
  writeFileSync(known, scan)
  const { stdout } = await run({ program: '/usr/bin/ssh-keygen', words: ['-l', '-f', known], env })
  const fingerprint = /SHA256:\S+/.exec(stdout)?.[0]
  if (!fingerprint || !console.includes(fingerprint)) throw new Error(`${address} is another host: ${stdout}`)
  const strict = ['BatchMode=yes', 'IdentitiesOnly=yes', 'StrictHostKeyChecking=yes', `UserKnownHostsFile=${known}`]
  const words = [...[...strict, 'ConnectTimeout=20', 'LogLevel=ERROR'].flatMap(one => ['-o', one]), '-i', key]
  const ssh = (command: string) =>
    run({ program: '/usr/bin/ssh', words: [...words, `tiny@${address}`, command], env, timeoutMs: 60_000 })
  return {
    async run(command) {
      const { code, stdout, stderr } = await ssh(command)
      if (code !== 0) throw new Error(`${command}: exit ${code}\n${stdout}${stderr}`)
      return stdout
    },
    can: async command => (await ssh(command)).code === 0,
  }
}

/** Whether something accepts TCP connections at an address within `timeoutMs`. */
export function answers(address: string, port: number, timeoutMs: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = createConnection({ host: address, port })
    const end = (yes: boolean) => {
      socket.destroy()
      resolve(yes)
    }
    socket.setTimeout(timeoutMs, () => end(false))
    socket.once('connect', () => end(true)).once('error', () => end(false))
  })
}
