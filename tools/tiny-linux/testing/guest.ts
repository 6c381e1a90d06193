/** For the tests: a tiny-linux guest under QEMU without KVM, with user-mode networking that reaches nothing but the test. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createConnection, createServer } from 'node:net'
import { join } from 'node:path'
import { run } from '../run.ts'

const waitLimit = 45_000
const pollPeriod = 50

export type Guest = {
  console: () => Promise<string>
  ssh: (command: string, input?: string) => Promise<string>
  /** QEMU's monitor, human flavour. */
  monitor: (command: string) => Promise<void>
  process: ChildProcess
}

/** `network`: further options of QEMU's user-mode network; `devices`: further arguments of QEMU. */
export async function startGuest(options: {
  folder: string
  image: string
  memoryMiB: number
  diskSize: string
  key: string
  network?: string
  devices: string[]
}): Promise<Guest> {
  const disk = join(options.folder, 'disk.qcow2')
  await run('qemu-img', ['create', '-q', '-f', 'qcow2', '-b', options.image, '-F', 'qcow2', disk, options.diskSize])
  const port = await freePort()
  const log = join(options.folder, 'console.log')
  const socket = join(options.folder, 'monitor')
  const machine = [
    '-machine',
    'pc',
    '-accel',
    'tcg',
    '-m',
    String(options.memoryMiB),
    '-nodefaults',
    '-display',
    'none',
  ]
  const network = `user,id=net0,restrict=on,hostfwd=tcp:127.0.0.1:${port}-:22${options.network ?? ''}`
  const nic = ['-netdev', network, '-device', 'virtio-net-pci,netdev=net0']
  const ends = ['-serial', `file:${log}`, '-monitor', `unix:${socket},server=on,wait=off`]
  const args = [...machine, ...nic, ...ends, '-drive', `file=${disk},if=virtio`, ...options.devices]
  const process = spawn('qemu-system-x86_64', args, { stdio: ['ignore', 'inherit', 'inherit'] })

  const unchecked = ['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '-o', 'LogLevel=ERROR']
  const sshArgs = [...unchecked, '-o', 'BatchMode=yes', '-o', 'ConnectTimeout=5', '-i', options.key, '-p', String(port)]
  return {
    process,
    console: () =>
      readFile(log, 'utf8').then(
        text => text.replaceAll('\r', ''),
        () => '',
      ),
    ssh: (command, input) => pipe('ssh', [...sshArgs, 'tiny@127.0.0.1', command], input ?? ''),
    monitor: async command => {
      const connection = createConnection(socket)
      connection.end(`${command}\n`)
      connection.resume()
      await once(connection, 'close')
    },
  }
}

/** The first result of `probe` that is neither undefined nor an error; throws the last error after 45 s. */
export async function eventually<T>(what: string, probe: () => Promise<T | undefined>): Promise<T> {
  const end = performance.now() + waitLimit
  let problem: unknown
  while (performance.now() < end) {
    try {
      const result = await probe()
      if (result !== undefined) return result
    } catch (error) {
      problem = error
    }
    await new Promise(resolve => setTimeout(resolve, pollPeriod))
  }
  throw new Error(`waited in vain: ${what}`, { cause: problem })
}

function pipe(program: string, args: string[], input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] })
    const output: Buffer[] = []
    const errors: Buffer[] = []
    child.stdout.on('data', chunk => output.push(chunk))
    child.stderr.on('data', chunk => errors.push(chunk))
    child.on('error', reject)
    child.on('close', code => {
      const text = Buffer.concat(output).toString()
      if (code === 0) resolve(text)
      else reject(new Error(`${program} ended with ${code}: ${Buffer.concat(errors)}${text}`))
    })
    child.stdin.on('error', () => {})
    child.stdin.end(input)
  })
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no TCP port was given')
  return address.port
}
