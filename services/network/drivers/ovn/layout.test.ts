import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { clearRunFolder, ovnLayout } from './layout.ts'

test('names fit the kernel and differ between clouds; socket paths are short, however deep the state folder', () => {
  const [one, other] = [ovnLayout(`/srv/${'deep/'.repeat(60)}state`), ovnLayout('/var/lib/strata')]
  assert.notEqual(one.tag, other.tag)
  assert.deepEqual(ovnLayout('/var/lib/../lib/strata/'), other)
  for (const name of [one.integrationBridge, one.providerBridge]) assert.ok(name.length <= 15, name)
  assert.ok(`${one.runDir}/ovn-controller.4194304.ctl`.length <= 107)
})

test("clearing the run folder touches no folder of others', where guests' disks may be mounted", async () => {
  const runDir = mkdtempSync('/tmp/strata-layout-')
  mkdirSync(`${runDir}/compute`)
  writeFileSync(`${runDir}/compute/disk`, 'precious')
  symlinkSync(`${runDir}/compute`, `${runDir}/link`)
  writeFileSync(`${runDir}/nb.pid`, '1')
  await clearRunFolder({ runDir })
  assert.deepEqual(readdirSync(runDir).sort(), ['compute', 'link'])
  assert.ok(existsSync(`${runDir}/compute/disk`))
  rmSync(runDir, { recursive: true })
})
