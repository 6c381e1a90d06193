/** The driver with a real operating system in the guest: the image tiny-linux, where it was built. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { GuestSpec } from '../../logic/ports/hosts.ts'
import { eventually } from '../hypervisor-contract.ts'
import { run } from './run.ts'
import { makeTestHost, noQemu, type TestHost } from './test-host.ts'

const image = process.env['STRATA_TINY_LINUX'] ?? join(tmpdir(), 'strata-cache/tiny-linux/tiny-linux.qcow2')
const skip =
  noQemu ||
  (!existsSync(image) && `${image} was not built; see tools/tiny-linux`) ||
  (process.getuid!() !== 0 && 'taps need root')

describe('Linux on QEMU', { skip }, () => {
  const vifName = `sl${process.pid}`
  const nic = { portId: randomUUID(), macAddress: 'fa:16:3e:00:00:07', mtu: 1442, vifName, model: 'virtio' } as const
  const volume = {
    name: randomUUID(),
    source: { kind: 'blank' },
    sizeGiB: 1,
    bus: 'virtio',
    serial: randomUUID(),
  } as const
  let host: TestHost
  let spec: GuestSpec

  before(async () => {
    host = await makeTestHost()
    await run('ip', ['tuntap', 'add', 'dev', vifName, 'mode', 'tap', 'user', String(host.hypervisor.user.uid)])
    const imageFile = join(host.folder, 'images', 'linux.qcow2')
    await run('cp', [image, imageFile])
    const metadata = { uuid: randomUUID(), hostname: 'drive-in.example', name: 'drive-in' }
    spec = host.spec({
      memoryMiB: 64,
      disks: [
        host.rootDisk({ sizeGiB: 1, source: { kind: 'image', imageId: 'linux', path: imageFile, format: 'qcow2' } }),
      ],
      configDrive: {
        'openstack/latest/meta_data.json': Buffer.from(JSON.stringify(metadata)),
        'openstack/latest/user_data': Buffer.from('#!/bin/sh\necho "user data on $(hostname)"\n'),
      },
    })
  })
  after(async () => {
    await host?.end()
    await run('ip', ['link', 'del', vifName]).catch(() => {})
  })

  const says = (pattern: RegExp, limitMs = 60_000) =>
    eventually(
      `the guest says ${pattern}`,
      async () => pattern.test(await host.hypervisor.consoleOutput(spec.serverId)),
      limitMs,
    )
  const type = (text: string) => host.type(spec.serverId, text)
  /** Runs a command in the guest until it says `expected`. */
  const finds = async (command: string, expected: RegExp) => {
    const mark = randomUUID().slice(0, 8)
    await eventually(`${command} gives ${expected}`, async () => {
      await type(`echo ${mark}; ${command}; echo end\n`)
      const output = (await host.hypervisor.consoleOutput(spec.serverId)).split(`\n${mark}`).at(-1) ?? ''
      return expected.test(output)
    })
  }

  it('reads its config drive, and can be logged into on its console', async () => {
    await host.hypervisor.spawn(spec)
    await says(/user data on drive-in/)
    await says(/drive-in login: $/)
    await type('tiny\n')
    await says(/Password: $/)
    await type('strata\n')
    await says(/\$ $/)
    await finds('cat /sys/class/dmi/id/product_name', /OpenStack Nova/)
  })

  it('sees cards and disks come, and lets them go', async () => {
    const { nics, disks } = host.hypervisor
    await nics!.attachNic(spec.serverId, nic)
    await finds('cat /sys/class/net/*/address', /fa:16:3e:00:00:07/)
    await finds('cat /sys/class/net/eth*/mtu', /1442/)
    await disks!.attachDisk(spec.serverId, volume)
    await finds('cat /sys/block/vd*/serial', new RegExp(volume.serial.slice(0, 20)))
    await host.reopen()
    await host.hypervisor.nics!.detachNic(spec.serverId, nic.portId)
    await host.hypervisor.disks!.detachDisk(spec.serverId, volume.name)
    await finds('ls /sys/class/net /sys/block | grep -c -e eth -e vdb', /\n0\r?\n/)
  })

  it('powers off when its button is pressed, and boots from the same disk again', async () => {
    await finds('doas touch /etc/kept; ls /etc/kept', /\n\/etc\/kept\r?\n/)
    const before = performance.now()
    await host.hypervisor.stop(spec.serverId, 60)
    assert.ok(performance.now() - before < 50_000, 'it was not cut off')
    await says(/Power down/)
    await host.hypervisor.start(spec)
    await says(/drive-in login: $/)
    await type('tiny\n')
    await says(/Password: $/)
    await type('strata\n')
    await says(/\$ $/)
    await finds('ls /etc/kept', /\n\/etc\/kept\r?\n/)
    await host.hypervisor.destroy(spec.serverId)
    await host.assertNoTrace(spec.serverId)
  })
})
