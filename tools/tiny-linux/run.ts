/** The few helpers that running other programs takes. Arguments go as an array, never through a shell. */
import { execFile } from 'node:child_process'
import { access } from 'node:fs/promises'

/** Runs a program to its end; its standard output. Throws with its standard error when it fails. */
export function run(program: string, args: string[], options: { cwd?: string } = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const environment = { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' }
    const settings = { ...options, env: environment, maxBuffer: 64 * 1024 * 1024 }
    execFile(program, args, settings, (error, stdout, stderr) => {
      if (error === null) resolve(stdout)
      else reject(new Error(`${program} ${args.join(' ')}: ${stderr.trim() || error.message}`, { cause: error }))
    })
  })
}

export function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
