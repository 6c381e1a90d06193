/** Builds tiny-linux (or finds it built) and boots it in 64 MiB without KVM: everything its README promises to a cloud. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { buildTinyLinux } from './build.ts'
import { run } from './run.ts'
import { eventually, type Guest, startGuest } from './testing/guest.ts'

const cache = join(tmpdir(), 'strata-cache', 'tiny-linux')
const neededPrograms =
  'qemu-system-x86_64 qemu-img genisoimage ssh ssh-keygen syslinux mcopy sfdisk lz4 zstd cpio depmod'
const instance = '6f1c2a34-0000-4000-8000-000000000001'

function reasonToSkip(): string | false {
  if (process.getuid?.() !== 0) return 'building an image with files of root takes root'
  const found = (name: string) => {
    try {
      execFileSync('which', [name], { stdio: 'ignore' })
      return true
    } catch {
      return false
    }
  }
  const missing = neededPrograms.split(' ').filter(name => !found(name))
  return missing.length > 0 && `not installed: ${missing.join(', ')}`
}

describe('tiny-linux', { skip: reasonToSkip() }, () => {
  let image = ''
  let folder = ''
  let publicKey = ''
  const guests: Guest[] = []

  before(async () => {
    image = (await buildTinyLinux({ outDir: cache, cacheDir: join(cache, 'packages'), log: () => {} })).qcow2
    folder = await mkdtemp(join(tmpdir(), 'tiny-linux-'))
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', "it's a key", '-f', join(folder, 'key')])
    publicKey = (await readFile(join(folder, 'key.pub'), 'utf8')).trim()
  })

  after(async () => {
    for (const { process } of guests) {
      if (process.exitCode !== null || process.signalCode !== null) continue
      process.kill('SIGKILL')
      await once(process, 'exit')
    }
    await rm(folder, { recursive: true, force: true })
  })

  async function boot(name: string, options: { network?: string; devices: string[] }): Promise<Guest> {
    const own = join(folder, name)
    await mkdir(own, { recursive: true })
    const settings = { folder: own, image, memoryMiB: 64, diskSize: '1G', key: join(folder, 'key') }
    const guest = await startGuest({ ...settings, ...options })
    guests.push(guest)
    return guest
  }

  const readyTimes = (guest: Guest, times: number) =>
    eventually(`ready for the ${times}. time`, async () => {
      const text = await guest.console()
      return text.split('END SSH HOST KEY FINGERPRINTS').length > times ? text : undefined
    })

  test('a second build finds the first', async () => {
    const log: string[] = []
    await buildTinyLinux({ outDir: cache, cacheDir: join(cache, 'packages'), log: message => log.push(message) })
    assert.deepEqual(log, [])
  })

  test('config drive, growth, reboot, power button', async t => {
    const latest = join(folder, 'drive', 'openstack', 'latest')
    await mkdir(latest, { recursive: true })
    const metadata = { uuid: instance, hostname: 'first.novalocal', public_keys: { 'my/key': `${publicKey}\n` } }
    await writeFile(join(latest, 'meta_data.json'), JSON.stringify(metadata))
    await writeFile(
      join(latest, 'user_data'),
      '#!/bin/sh\necho "user-data: $(id -un) on $(hostname)" | tee -a /root/runs\n',
    )
    const drive = join(folder, 'drive.iso')
    await run('genisoimage', ['-quiet', '-R', '-J', '-V', 'config-2', '-o', drive, join(folder, 'drive')])

    const start = performance.now()
    const cdrom = [
      '-drive',
      `file=${drive},format=raw,if=none,id=cd,readonly=on,media=cdrom`,
      '-device',
      'ide-cd,drive=cd',
    ]
    const guest = await boot('first', { devices: cdrom })
    await eventually('ssh with the injected key', () => guest.ssh('true'))
    t.diagnostic(`from the start to ssh: ${Math.round(performance.now() - start)} ms`)
    const text = await readyTimes(guest, 1)
    t.diagnostic(`from the start to ready: ${Math.round(performance.now() - start)} ms`)
    t.diagnostic(/tiny-linux: ready.*/.exec(text)?.[0] ?? '')
    assert.match(text, /^user-data: root on first$/m)
    assert.match(text, /metadata from config drive/)
    assert.match(text, /^tiny-linux: eth0 10\.0\.2\.15\/24$/m)
    const fingerprint = /SHA256:\S+ ssh-ed25519/.exec(text)?.[0]
    assert.ok(fingerprint)
    await eventually('a login prompt', async () => /first login: $/.test(await guest.console()) || undefined)

    assert.equal(await guest.ssh('hostname; id -un; doas id -un; sudo -i id -un'), 'first\ntiny\nroot\nroot\n')
    await assert.rejects(guest.ssh('cat /etc/shadow'), /denied/)
    const kibibytes = Number(await guest.ssh("df -k / | awk 'END { print $2 }'"))
    assert.ok(kibibytes > 900 * 1024, `the root has ${kibibytes} KiB of a 1 GiB disk`)
    assert.match(await guest.ssh('ping -c 1 -w 5 10.0.2.2'), / 0% packet loss/)

    await guest.ssh('doas sh -c "echo kept > /root/file; reboot"')
    const again = await readyTimes(guest, 2)
    assert.ok(again.lastIndexOf(fingerprint) > text.length, 'the host keys are the same after the reboot')
    assert.equal(await eventually('ssh', () => guest.ssh('doas cat /root/file')), 'kept\n')
    assert.equal(await guest.ssh('doas cat /root/runs | wc -l').then(Number), 1)

    await guest.monitor('system_powerdown')
    if (guest.process.exitCode === null) await once(guest.process, 'exit', { signal: AbortSignal.timeout(20_000) })
    assert.equal(guest.process.exitCode, 0)
  })

  test('metadata over HTTP, cloud-config, the JSON and YAML that real clouds send', async () => {
    const latest = join(folder, 'served', 'openstack', 'latest')
    await mkdir(latest, { recursive: true })
    await writeFile(join(latest, 'meta_data.json'), JSON.stringify({ uuid: instance, hostname: 'second', keys: [] }))
    await writeFile(join(latest, 'user_data'), cloudConfig(publicKey))
    const answer = join(import.meta.dirname, 'testing', 'metadata-answer.ts')
    const command = `cmd:${process.execPath} ${answer} ${join(folder, 'served')}`
    const network = `,net=169.254.169.0/24,guestfwd=tcp:169.254.169.254:80-${command}`
    const guest = await boot('second', { network, devices: [] })
    const text = await readyTimes(guest, 1)
    assert.match(text, /metadata from http:\/\/169\.254\.169\.254\/openstack/)
    assert.match(text, /^runcmd: one {2}two \$HOME$/m)
    assert.match(text, /^runcmd: lines 2$/m)
    assert.equal(await guest.ssh('hostname'), 'renamed\n')
    assert.equal(await guest.ssh('cat /etc/made/by-cloud-config'), 'it\'s\n  indented: "yes"\n')
    assert.equal(await guest.ssh('stat -c "%a %U" /etc/made/by-cloud-config'), '640 tiny\n')

    const tricky = JSON.stringify({
      a: { 'b c': ['x', 1, true, null, { d: 'tab\tquote"back\\é€' }] },
      e: {},
      f: [],
      g: '',
    })
    const flat = 'a/b c/0\tx\na/b c/1\t1\na/b c/2\ttrue\na/b c/3\tnull\na/b c/4/d\ttab\\tquote"back\\\\é€\ng\t\n'
    assert.equal(await guest.ssh('/usr/lib/tiny-linux/json', tricky), flat)
    const escaped = tricky.replace('é', '\\u00e9').replace('€', '\\u20ac')
    assert.equal(await guest.ssh('/usr/lib/tiny-linux/json', escaped), flat)
  })
})

function cloudConfig(key: string): string {
  return `#cloud-config
# a comment
hostname: renamed
package_update: true
users:
  - name: passed-over
ssh_authorized_keys:
  - ${key}
write_files:
  - path: /etc/made/by-cloud-config
    permissions: '0640'
    owner: tiny:tiny
    content: |
      it's
        indented: "yes"

  - path: /etc/made/base64
    encoding: b64
    content: bGluZQpsaW5lCg==
runcmd:
  - [echo, "runcmd: one  two", '$HOME']
  - |
    n=$(wc -l < /etc/made/base64)
    echo "runcmd: lines $n"
  - exit 3
`
}
