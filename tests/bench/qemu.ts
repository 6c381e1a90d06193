/** The bare reference of a server's build: the same disk and the same QEMU, made and started by hand. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from '../scenarios/cloud.ts'

/** The command line of a running guest, made to run elsewhere: without its tap, which only one QEMU can have. */
export function commandOf(pid: number): readonly string[] {
  const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1)
  return words.map((word, at) => {
    if (words[at - 1] !== '-netdev') return word
    const { id } = JSON.parse(word) as { id: string }
    return JSON.stringify({ type: 'user', id, restrict: true })
  })
}

/** Milliseconds from nothing to a guest whose processors run: a disk upon `image`, the process, its monitor, `cont`. */
export async function startByHand(command: readonly string[], image: string): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'strata-qemu-'))
  for (const name of ['run', 'disks']) mkdirSync(join(folder, name))
  const start = performance.now()
  const disk = ['create', '-q', '-f', 'qcow2', '-b', image, '-F', 'qcow2', join(folder, 'disks', 'root.qcow2'), '1G']
  execFileSync('qemu-img', disk)
  const child = spawn(command[0]!, command.slice(1), { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
  try {
    const running = eventually('the guest runs', () => resume(join(folder, 'run', 'qmp.sock')))
    const ended = once(child, 'exit').then(([code]) => Promise.reject(new Error(`QEMU ended with ${code}`)))
    await Promise.race([running, ended])
    return performance.now() - start
  } finally {
    child.removeAllListeners()
    if (child.exitCode === null) {
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    rmSync(folder, { recursive: true })
  }
}

/** Tells QEMU's monitor to let the guest run; resolves when it does. */
function resume(socket: string): Promise<true> {
  return new Promise((resolve, reject) => {
    const monitor = createConnection(socket)
    let heard = ''
    monitor.on('error', reject)
    monitor.on('connect', () => monitor.write('{"execute":"qmp_capabilities"}{"execute":"cont"}'))
    monitor.on('data', data => {
      heard += `${data}`
      if (!heard.includes('"RESUME"')) return
      monitor.destroy()
      resolve(true)
    })
  })
}
