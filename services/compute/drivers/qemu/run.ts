/** Runs a helper program (qemu-img, genisoimage) with a list of arguments, a time limit and limits of its resources. */
import { execFile } from 'node:child_process'

export interface RunOptions {
  readonly cwd?: string
  readonly timeoutMs?: number
  /** Put before the command line: drops to an unprivileged user (see user.ts). */
  readonly user?: { readonly dropTo: readonly string[] }
  /** CPU time and address space: for programs that read what strangers made. */
  readonly limits?: { readonly cpuSeconds: number; readonly addressSpaceMiB: number }
}

/** Its standard output. Throws an Error with the program's own last words when it fails or runs out of time. */
export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { limits, user } = options
  const line = [program, ...args]
  if (user) line.unshift(...user.dropTo)
  if (limits)
    line.unshift(
      'prlimit',
      `--cpu=${limits.cpuSeconds}`,
      `--as=${limits.addressSpaceMiB * 1024 * 1024}`,
      '--core=0',
      '--',
    )
  const [file, ...rest] = line
  return new Promise((resolve, reject) => {
    const settings = {
      cwd: options.cwd,
      timeout: options.timeoutMs ?? 60_000,
      killSignal: 'SIGKILL' as const,
      maxBuffer: 4 * 1024 * 1024,
      env: { PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
    }
    execFile(file!, rest, settings, (error, stdout, stderr) => {
      if (!error) return resolve(stdout)
      const words = stderr.trim().split('\n').at(-1)
      reject(
        new Error(`${program}: ${error.killed ? 'took too long and was stopped' : words || error.message}`, {
          cause: error,
        }),
      )
    })
  })
}
