/**
 * What this host has to give: processors, memory, disk, and the traits that the scheduler asks for.
 *
 * Traits are Placement's standard names (os-traits). Emulated processors are all alike, whatever the real one is: under TCG
 * the features are those that QEMU emulates.
 */
import { readFile, statfs } from 'node:fs/promises'
import { availableParallelism, loadavg, totalmem, uptime } from 'node:os'
import type { HostCapacity } from '../../logic/ports/hosts.ts'
import type { Acceleration } from './acceleration.ts'

/** Linux's names of processor features and the traits that stand for them. */
const featureTraits: Readonly<Record<string, string>> = {
  aes: 'AESNI',
  avx: 'AVX',
  avx2: 'AVX2',
  avx512bw: 'AVX512BW',
  avx512cd: 'AVX512CD',
  avx512dq: 'AVX512DQ',
  avx512f: 'AVX512F',
  avx512vl: 'AVX512VL',
  bmi1: 'BMI',
  bmi2: 'BMI2',
  f16c: 'F16C',
  fma: 'FMA3',
  mmx: 'MMX',
  pclmulqdq: 'CLMUL',
  sha_ni: 'SHA',
  sse: 'SSE',
  sse2: 'SSE2',
  sse4_1: 'SSE41',
  sse4_2: 'SSE42',
  sse4a: 'SSE4A',
  ssse3: 'SSSE3',
  svm: 'SVM',
  vmx: 'VMX',
}

/** What `-cpu max` has under TCG of QEMU 7.2 and later. */
const emulatedFeatures = 'mmx sse sse2 ssse3 sse4_1 sse4_2 sse4a aes pclmulqdq avx avx2 fma f16c bmi1 bmi2'.split(' ')

const driverTraits = [
  'COMPUTE_NODE',
  'COMPUTE_NET_ATTACH_INTERFACE',
  'COMPUTE_IMAGE_TYPE_RAW',
  'COMPUTE_IMAGE_TYPE_QCOW2',
  'COMPUTE_IMAGE_TYPE_AMI',
  'COMPUTE_IMAGE_TYPE_ISO',
  'COMPUTE_STORAGE_BUS_VIRTIO',
  'COMPUTE_STORAGE_BUS_SCSI',
  'COMPUTE_STORAGE_BUS_IDE',
  'COMPUTE_NET_VIF_MODEL_VIRTIO',
  'COMPUTE_NET_VIF_MODEL_E1000',
  'COMPUTE_GRAPHICS_MODEL_VGA',
  'COMPUTE_GRAPHICS_MODEL_NONE',
]

export interface Processor {
  readonly model: string
  readonly vendor: string
  readonly features: readonly string[]
  readonly topology: HostCapacity['cpu']['topology']
}

/** The processor from the text of `/proc/cpuinfo`. Pure. */
export function parseCpuinfo(text: string): Processor {
  const blocks = text.split('\n\n').filter(block => block.trim())
  const fields = blocks.map(block => new Map(block.split('\n').map(line => split(line))))
  const first = fields[0] ?? new Map<string, string>()
  const count = (name: string) => new Set(fields.map(each => each.get(name) ?? '0')).size
  const sockets = count('physical id') || 1
  const cores = Number(first.get('cpu cores') ?? fields.length) || 1
  const threads = Math.max(1, Math.round(fields.length / (sockets * cores)))
  return {
    model: first.get('model name') ?? 'unknown',
    vendor: first.get('vendor_id') ?? 'unknown',
    features: (first.get('flags') ?? '').split(' ').filter(Boolean).sort(),
    topology: { sockets, cores, threads },
  }
}

function split(line: string): [string, string] {
  const colon = line.indexOf(':')
  return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()]
}

/** Nova's number for a version: `QEMU emulator version 7.2.22 (…)` is 7002022. Throws when there is no version. */
export function versionNumber(text: string): number {
  const [, major, minor, micro] = /version (\d+)\.(\d+)(?:\.(\d+))?/.exec(text) ?? []
  if (major === undefined) throw new Error(`not a version of QEMU: "${text.slice(0, 100)}"`)
  return Number(major) * 1_000_000 + Number(minor) * 1_000 + Number(micro ?? 0)
}

/** Traits of this driver on a processor with these features. Pure. */
export function traitsOf(acceleration: Acceleration, features: readonly string[]): readonly string[] {
  const usable = acceleration === 'kvm' ? features : emulatedFeatures
  const cpu = usable.flatMap(feature => featureTraits[feature] ?? []).map(name => `HW_CPU_X86_${name}`)
  return [...driverTraits, 'HW_ARCH_X86_64', ...cpu].sort()
}

export interface CapacityOptions {
  readonly folder: string
  readonly version: number
  readonly acceleration: Acceleration
}

export async function readCapacity(options: CapacityOptions): Promise<HostCapacity> {
  const processor = parseCpuinfo(await readFile('/proc/cpuinfo', 'utf8'))
  const disk = await statfs(options.folder)
  // In a container less may be granted than the machine has.
  const granted = process.constrainedMemory()
  const memory = granted > 0 ? Math.min(granted, totalmem()) : totalmem()
  const gib = (blocks: number) => Math.floor((blocks * disk.bsize) / 1024 ** 3)
  return {
    hypervisorType: 'QEMU',
    hypervisorVersion: options.version,
    vcpus: availableParallelism(),
    memoryMiB: Math.floor(memory / 1024 ** 2),
    diskGiB: gib(disk.blocks),
    diskFreeGiB: gib(disk.bavail),
    cpu: { arch: 'x86_64', ...processor },
    acceleration: options.acceleration,
    traits: traitsOf(options.acceleration, processor.features),
    uptimeSeconds: Math.floor(uptime()),
    loadAverage: loadavg(),
  }
}
