/**
 * Extra specs of flavors: which keys and values are known, since microversion 2.86. Keys in a *namespace* (the word before
 * the colon) that compute knows must be ones that it knows; other namespaces belong to the operator.
 * Source: the compute service's reference of extra specs.
 */
import { badRequest } from '@strata/toolkit/fault'

type Kind =
  | { readonly whole: number }
  | { readonly pattern: RegExp }
  | { readonly words: readonly string[] }
  | 'flag'
  | 'text'

const cpus = /^\^?\d+((-\d+)?(,\^?\d+(-\d+)?)?)*$/
const positive: Kind = { whole: 1 }
const count: Kind = { whole: 0 }

const known: readonly (readonly [RegExp, Kind])[] = [
  [/^accel:device_profile$/, 'text'],
  [/^aggregate_instance_extra_specs:.+$/, 'text'],
  [/^capabilities:.+$/, 'text'],
  [/^group_policy$/, { words: ['none', 'isolate'] }],
  [/^hide_hypervisor_id$/, 'flag'],
  [/^hw:(cpu_realtime|hide_hypervisor_id|locked_memory|boot_menu|vif_multiqueue_enabled|mem_encryption|pmu)$/, 'flag'],
  [/^hw:ephemeral_encryption$/, 'flag'],
  [/^hw:ephemeral_encryption_format$/, { words: ['plain', 'luks', 'luksv2'] }],
  [/^hw:(cpu_realtime_mask|cpu_dedicated_mask|numa_cpus\.\d+)$/, { pattern: cpus }],
  [/^hw:cpu_policy$/, { words: ['shared', 'dedicated', 'mixed'] }],
  [/^hw:cpu_thread_policy$/, { words: ['prefer', 'isolate', 'require'] }],
  [/^hw:emulator_threads_policy$/, { words: ['isolate', 'share'] }],
  [/^hw:mem_page_size$/, { pattern: /^(large|small|any|\d+([kKMGT]i?)?(b|bit|B)?)$/ }],
  [/^hw:(numa_nodes|numa_mem\.\d+|(max_)?cpu_(sockets|cores|threads))$/, positive],
  [/^hw:pci_numa_affinity_policy$/, { words: ['required', 'preferred', 'legacy', 'socket'] }],
  [/^hw:pmem$/, { pattern: /^([a-zA-Z0-9_]+,?)+$/ }],
  [/^hw:serial_port_count$/, count],
  [/^hw:tpm_model$/, { words: ['tpm-tis', 'tpm-crb'] }],
  [/^hw:tpm_version$/, { words: ['1.2', '2.0'] }],
  [/^hw:viommu_model$/, { words: ['intel', 'smmuv3', 'virtio', 'auto'] }],
  [/^hw:watchdog_action$/, { words: ['none', 'pause', 'poweroff', 'reset', 'disabled'] }],
  [/^hw_rng:allowed$/, 'flag'],
  [/^hw_rng:rate_(bytes|period)$/, count],
  [/^hw_video:ram_max_mb$/, count],
  [/^os:secure_boot$/, { words: ['required', 'disabled', 'optional'] }],
  [/^os:resolution$/, 'text'],
  [/^os:monitors$/, positive],
  [/^os:vram$/, count],
  [/^pci_passthrough:alias$/, { pattern: /^([^:]+:\d+)(\s*,\s*[^:]+:\d+)*$/ }],
  [/^quota:(cpu|memory|disk_io|vif)_(shares|limit|reservation)$/, count],
  [/^quota:cpu_(period|quota)$/, count],
  [
    /^quota:(memory|disk_io|vif)_shares_level$|^quota:cpu_shares_level$/,
    { words: ['custom', 'high', 'normal', 'low'] },
  ],
  [/^quota:disk_(read|write|total)_(bytes|iops)_sec(_max)?$/, count],
  [/^quota:vif_(inbound|outbound)_(average|peak|burst)$/, count],
  [/^resources[A-Za-z0-9_-]{0,64}:[A-Z0-9_]+$/, count],
  [/^trait[A-Za-z0-9_-]{0,64}:[A-Z0-9_]+$/, { words: ['required', 'forbidden'] }],
  [/^vmware:(hw_version|storage_policy)$/, 'text'],
]

const namespaces =
  /^(accel|aggregate_instance_extra_specs|capabilities|hw|hw_rng|hw_video|os|pci_passthrough|quota|resources[A-Za-z0-9_-]{0,64}|trait[A-Za-z0-9_-]{0,64}|vmware)$/

/** Throws a 400 that names the key or the value at fault. */
export function checkExtraSpec(key: string, value: string): void {
  const entry = known.find(([pattern]) => pattern.test(key))
  const [namespace, ...rest] = key.split(':')
  if (entry) checkValue(key, value, entry[1])
  else if (rest.length > 0 && namespaces.test(namespace!))
    throw invalid(`extra spec '${key}' does not appear to be a valid extra spec.`)
}

function checkValue(key: string, value: string, kind: Kind): void {
  if (kind === 'text') return
  if (kind === 'flag') {
    if (!/^(true|false|yes|no|on|off|y|n|t|f|1|0)$/i.test(value))
      throw invalid(`'${value}' of '${key}' is not a valid boolean.`)
  } else if ('whole' in kind) {
    if (!/^-?\d+$/.test(value)) throw invalid(`'${value}' of '${key}' is not an integer.`)
    if (Number(value) < kind.whole) throw invalid(`'${value}' of '${key}' is less than the minimum of ${kind.whole}.`)
  } else if ('words' in kind) {
    if (!kind.words.includes(value)) throw invalid(`'${value}' of '${key}' is not one of: ${kind.words.join(', ')}.`)
  } else if (!kind.pattern.test(value))
    throw invalid(`'${value}' of '${key}' is not of the format '${kind.pattern.source}'.`)
}

const invalid = (problem: string) => badRequest(`Validation failed; ${problem}`, 'ValidationError')
