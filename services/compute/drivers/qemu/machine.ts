/**
 * The kinds of machine a guest can be, told from image properties. Pure.
 *
 * `pc` (the i440FX chipset) has one PCI bus that takes devices while the guest runs. `q35` is PCI Express: each pluggable
 * device needs a root port made beforehand, so its ports stand where `pc` has the slots.
 */
import { GuestBuildError, type GuestSpec } from '../../logic/ports/hosts.ts'
import { pluggableSlots } from './addresses.ts'

export interface Machine {
  /** What `-machine` is given. */
  readonly type: string
  readonly ideUnits: number
  /** `bus` and `addr` of the device that is put into `slot`. */
  location(slot: number): { readonly bus: string; readonly addr: string }
  /** `bus` and `unit` of an IDE (or SATA) disk. */
  ideLocation(unit: number): { readonly bus: string; readonly unit: number }
  readonly cdrom: { readonly bus: string; readonly unit: number }
  /** Devices that have to be there before others are plugged. */
  readonly ports: readonly Readonly<Record<string, unknown>>[]
}

const i440fx = /^pc(-i440fx-\d{1,2}\.\d{1,2})?$/
const express = /^(pc-)?q35(-\d{1,2}\.\d{1,2})?$/

const hex = (value: number) => `0x${value.toString(16)}`

/** The machine of a guest by its `hw_machine_type`. Throws `GuestBuildError` for one that is not known. */
export function machineOf(spec: Pick<GuestSpec, 'properties'>): Machine {
  const type = spec.properties['hw_machine_type'] ?? 'pc'
  if (i440fx.test(type)) {
    return {
      type,
      ideUnits: 3,
      location: slot => ({ bus: 'pci.0', addr: hex(slot) }),
      ideLocation: unit => ({ bus: `ide.${unit >> 1}`, unit: unit & 1 }),
      cdrom: { bus: 'ide.1', unit: 1 },
      ports: [],
    }
  }
  if (express.test(type)) {
    return {
      type,
      ideUnits: 5,
      location: slot =>
        pluggableSlots.includes(slot) ? { bus: `port${slot}`, addr: '0x0' } : { bus: 'pcie.0', addr: hex(slot) },
      ideLocation: unit => ({ bus: `ide.${unit}`, unit: 0 }),
      cdrom: { bus: 'ide.5', unit: 0 },
      ports: pluggableSlots.map((slot, index) => rootPort(slot, index)),
    }
  }
  throw new GuestBuildError(`The image's hw_machine_type "${type.slice(0, 64)}" is not supported; use "pc" or "q35".`)
}

/** Eight ports share a device as its functions; none asks for I/O space, of which there is not enough for all. */
function rootPort(slot: number, index: number): Readonly<Record<string, unknown>> {
  return {
    driver: 'pcie-root-port',
    id: `port${slot}`,
    bus: 'pcie.0',
    addr: `${hex(0x06 + (index >> 3))}.${hex(index & 7)}`,
    multifunction: (index & 7) === 0,
    chassis: index + 1,
    'io-reserve': 0,
  }
}
