import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { judgeAcceleration, judgeCloud, judgeMachine } from './commands/doctor.ts'
import type { StatusReport } from './commands/status.ts'
import { lastLines } from './tail.ts'

const report = (more: Partial<StatusReport>): StatusReport => ({ status: 'ready', state: '/s', daemons: [], ...more })
const levels = (findings: readonly { level: string }[]) => findings.map(one => one.level)

test('what limits a cloud is a note with its remedy; it goes on simulated', () => {
  const machine = { root: false, networkAdmin: true, tun: true, debian: true, arch: 'x64' }
  const findings = judgeMachine(machine, ['haproxy', 'ovn-host'])
  assert.equal(findings.filter(one => one.level === 'bad').length, 0)
  assert.ok(findings.some(one => one.level === 'note' && one.mend === 'sudo ./strata up'))
  assert.ok(findings.some(one => one.mend === 'apt-get install haproxy ovn-host'))
})

test('a cloud is judged by what it says of each service', () => {
  const services = { identity: { status: 'ready' }, network: { status: 'failing', detail: 'no ovsdb' } }
  const findings = judgeCloud(report({ status: 'degraded', health: { status: 'degraded', services } }))
  assert.deepEqual(levels(findings), ['ok', 'bad'])
  assert.equal(findings[1]!.what, 'network is failing: no ovsdb')
  assert.deepEqual(levels(judgeCloud(report({ status: 'down' }))), ['note'])
  assert.match(judgeCloud(report({ status: 'failed', error: 'port 5000 is taken' }))[0]!.what, /port 5000 is taken/)
  assert.match(judgeCloud(report({ status: 'silent', url: 'http://h' }))[0]!.what, /does not answer/)
})

test('a daemon that does not run is bad though every service answers', () => {
  const services = { network: { status: 'ready' } }
  const problems = ['ovn-controller does not run']
  const findings = judgeCloud(report({ status: 'ready', health: { status: 'ready', services, problems } }))
  assert.deepEqual(levels(findings), ['ok', 'bad'])
  assert.equal(findings[1]!.what, problems[0])
})

test('operations that are unfinished for long are a note', () => {
  const judged = (oldestMs: number) => {
    const services = { compute: { status: 'ready', details: { sagas: { unfinished: 2, oldestMs } } } }
    return judgeCloud(report({ status: 'ready', health: { status: 'ready', services } }))
  }
  assert.deepEqual(levels(judged(60_000)), ['ok'])
  assert.equal(judged(400_000)[1]?.what, 'compute has 2 unfinished operations, the oldest for 6m 40s')
})

test('what guests run on is what was found by running one, not whether there is a device', () => {
  assert.equal(judgeAcceleration('kvm', true).level, 'ok')
  const hung = judgeAcceleration('tcg', true)
  assert.equal(hung.level, 'note')
  assert.match(hung.what, /^KVM does not work here \(a guest hung on it\): guests run on TCG/)
  assert.match(judgeAcceleration('tcg', false).what, /^no KVM: guests run on TCG/)
  assert.match(judgeAcceleration(undefined, false).what, /^no \/dev\/kvm/)
  assert.match(judgeAcceleration(undefined, true).what, /tried at the first start/)
})

test('the end of a log is found in files of any size', () => {
  const folder = mkdtempSync(join(tmpdir(), 'strata-tail-'))
  try {
    const file = join(folder, 'a.log')
    assert.deepEqual(lastLines(file, 3), [])
    writeFileSync(file, '')
    assert.deepEqual(lastLines(file, 3), [])
    writeFileSync(file, 'one\ntwo\n')
    assert.deepEqual(lastLines(file, 3), ['one', 'two'])
    writeFileSync(file, `${`${'x'.repeat(99)}\n`.repeat(30_000)}last`)
    assert.deepEqual(lastLines(file, 2), ['x'.repeat(99), 'last'])
    assert.deepEqual(lastLines(file, 0), [])
  } finally {
    rmSync(folder, { recursive: true })
  }
})
