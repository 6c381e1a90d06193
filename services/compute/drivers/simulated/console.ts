/** What a simulated guest says on its serial console: a boot that takes a second or two, line by line. Pure. */
import type { GuestSpec } from '../../logic/ports/hosts.ts'

type Teller = Pick<GuestSpec, 'hostname' | 'vcpus' | 'memoryMiB' | 'nics' | 'configDrive'>

/** Lines with the seconds since power-on at which each is said. */
function bootLines(spec: Teller): readonly (readonly [number, string])[] {
  const kernel = (at: number, text: string) => [at, `[${at.toFixed(6).padStart(12)}] ${text}`] as const
  const cards = spec.nics.map((nic, index) =>
    kernel(0.4, `virtio_net virtio${index} eth${index}: address ${nic.macAddress}, mtu ${nic.mtu}`),
  )
  return [
    [0, 'SeaBIOS (simulated)'],
    [0, 'Booting from Hard Disk...'],
    kernel(0.0, 'Linux version 6.1.0 (simulated) #1 SMP'),
    kernel(0.01, `Memory: ${spec.memoryMiB * 1024}K available`),
    kernel(0.05, `smp: Brought up 1 node, ${spec.vcpus} CPU${spec.vcpus === 1 ? '' : 's'}`),
    ...cards,
    kernel(0.5, 'EXT4-fs (vda1): mounted filesystem with ordered data mode'),
    [0.7, spec.configDrive ? 'metadata: read from the config drive' : 'metadata: read from http://169.254.169.254/'],
    [0.8, `hostname is ${spec.hostname}`],
    [1, 'Starting SSH daemon: OK'],
    [1.2, ''],
    [1.2, `${spec.hostname} login: `],
  ]
}

/** All that was said by guests powered on at `boots` (milliseconds) until `now`. */
export function consoleText(spec: Teller, boots: readonly number[], now: number): string {
  return boots.map((start, index) => said(spec, (boots[index + 1] ?? now) - start)).join('')
}

function said(spec: Teller, elapsedMs: number): string {
  return bootLines(spec)
    .filter(([at]) => at * 1000 <= elapsedMs)
    .map(([, line]) => `${line}\n`)
    .join('')
}

/** The last `length` lines (all when undefined) of a text that ends with a line feed. */
export function lastLines(text: string, length: number | undefined): string {
  if (length === undefined || length < 0) return text
  return length === 0
    ? ''
    : text
        .split('\n')
        .slice(-length - 1)
        .join('\n')
}
