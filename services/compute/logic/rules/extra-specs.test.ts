import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkExtraSpec } from './extra-specs.ts'

const good: [string, string][] = [
  ['hw:cpu_policy', 'dedicated'],
  ['hw:numa_cpus.1', '0-3,^2'],
  ['hw:mem_page_size', '2MB'],
  ['hw_rng:allowed', 'True'],
  ['resources:VCPU', '0'],
  ['resources_NET1:CUSTOM_X', '2'],
  ['trait:HW_CPU_X86_AVX2', 'required'],
  ['quota:disk_read_bytes_sec', '1000'],
  ['pci_passthrough:alias', 'gpu:1, nic:2'],
  ['capabilities:cpu_info:vendor', 'Intel'],
  ['acme:anything', 'goes'],
  ['plain', 'too'],
]
const bad: [string, string, RegExp][] = [
  ['hw:cpu_polic', 'dedicated', /'hw:cpu_polic' does not appear to be a valid extra spec/],
  ['hw:cpu_policy', 'mine', /'mine' of 'hw:cpu_policy' is not one of: shared, dedicated, mixed/],
  ['hw:numa_nodes', '0', /less than the minimum of 1/],
  ['hw:numa_nodes', 'two', /not an integer/],
  ['hw:pmu', 'perhaps', /not a valid boolean/],
  ['hw:mem_page_size', 'huge', /not of the format/],
  ['trait:HW_X', 'wanted', /not one of: required, forbidden/],
]
for (const [key, value] of good) test(`${key}=${value} is taken`, () => checkExtraSpec(key, value))
for (const [key, value, message] of bad)
  test(`${key}=${value} is refused`, () => assert.throws(() => checkExtraSpec(key, value), { status: 400, message }))
