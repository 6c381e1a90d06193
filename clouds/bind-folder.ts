/** A folder under a second, short path, by a bind mount: see the README for why. */
import { execFile } from 'node:child_process'
import { mkdir, readFile, rmdir } from 'node:fs/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

const isMounted = async (path: string): Promise<boolean> =>
  (await readFile('/proc/self/mountinfo', 'utf8')).split('\n').some(line => line.split(' ')[4] === path)

/** Makes both folders and binds the one to the other, unless it is done. Returns the path to use. */
export async function bindFolder(folder: string, at: string): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o711 })
  await mkdir(at, { recursive: true, mode: 0o755 })
  if (!(await isMounted(at))) await run('mount', ['--bind', folder, at])
  return at
}

/** Takes the second path away; the folder itself stays. */
export async function unbindFolder(at: string): Promise<void> {
  if (await isMounted(at)) await run('umount', [at])
  await rmdir(at).catch(thrown => {
    if (thrown.code !== 'ENOENT') throw thrown
  })
}
