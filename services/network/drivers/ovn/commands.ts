/** Runs the system's tools (iproute2, ethtool, nft, the daemons): always with arrays of arguments, never a shell. */

import { execFile } from 'node:child_process'

export class CommandError extends Error {
  override readonly name = 'CommandError'
  /** Exit status, or undefined when the program could not be started or was killed. */
  readonly status: number | undefined
  readonly missing: boolean
  constructor(message: string, status: number | undefined, missing: boolean) {
    super(message)
    this.status = status
    this.missing = missing
  }
}

export interface RunOptions {
  readonly input?: string
  readonly env?: Readonly<Record<string, string>>
  readonly timeoutMs?: number
}

/** Standard output of the command. Rejects with a `CommandError` that quotes its standard error. */
export function run(file: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { input, env, timeoutMs = 20_000 } = options
  return new Promise((resolve, reject) => {
    const child = execFile(
      file,
      [...args],
      { timeout: timeoutMs, env: { ...process.env, ...env }, maxBuffer: 16 * 1024 * 1024 },
      (error, stdout, stderr) => {
        if (error === null) return resolve(stdout)
        const status = typeof error.code === 'number' ? error.code : undefined
        const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
        const why = missing ? 'it is not installed' : stderr.trim() || error.message
        reject(new CommandError(`${file} ${args.join(' ')}: ${why}`, status, missing))
      },
    )
    child.stdin?.on('error', () => {})
    child.stdin?.end(input ?? '')
  })
}

/** The command's success as a boolean, for questions. */
export function succeeds(file: string, args: readonly string[]): Promise<boolean> {
  return run(file, args).then(
    () => true,
    () => false,
  )
}

/**
 * Makes the kernel fill in checksums itself and send no large segments on a device. Needed wherever packets reach the
 * userspace datapath of Open vSwitch, which sees frames without the marks that say what is still to be filled in: with
 * offloads on, ping works and TCP does not.
 */
export async function disableOffloads(device: string, namespace?: string): Promise<void> {
  const ethtool = ['ethtool', '-K', device, 'tx', 'off', 'tso', 'off', 'gso', 'off']
  const [file, ...args] = namespace === undefined ? ethtool : ['ip', 'netns', 'exec', namespace, ...ethtool]
  await run(file!, args)
}
