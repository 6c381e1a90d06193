/** Starts that fail for a reason that the operator can mend. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { createLog } from '@strata/toolkit/log'
import { until } from '@strata/toolkit/testing'
import { startCloud } from './cloud.ts'
import { checkConfig } from './index.ts'

const folder = mkdtempSync(join(tmpdir(), 'strata-start-'))
after(() => rmSync(folder, { recursive: true }))

test('a start that fails names the reason in one line; the stack is in the log at level debug alone', async () => {
  const taken = createServer()
  await new Promise<void>(resolve => taken.listen(0, '127.0.0.1', resolve))
  const { port } = taken.address() as AddressInfo
  const config = (name: string, content: string) => {
    writeFileSync(join(folder, name), content)
    return join(folder, name)
  }
  const cases: [object, RegExp][] = [
    [{ port }, /^port \d+ on 127.0.0.1 is in use by another program; choose another with --port$/],
    [{ host: '203.0.113.77', port: 0 }, /^203.0.113.77 is no address of this machine; choose another with --host$/],
    [{ configFile: join(folder, 'absent.yaml') }, /^\S+absent.yaml cannot be read: ENOENT.*$/],
    [{ configFile: config('a.yaml', 'cloud: [\n') }, /^\S+a.yaml: .* at line \d+, column \d+$/],
    [{ configFile: config('b.yaml', 'cloud:\n  prot: 1\n') }, /^\S+b.yaml: cloud.prot is not allowed here$/],
    [{ configFile: config('c.yaml', 'cloud:\n  policy_file: /absent\n') }, /^\/absent: ENOENT.*$/],
  ]
  try {
    for (const level of ['info', 'debug'] as const) {
      const file = join(folder, `${level}.log`)
      const log = createLog({ level, file })
      for (const [options, message] of cases)
        await assert.rejects(startCloud({ state: folder, mode: 'simulated', log, ...options }), {
          name: 'ConfigError',
          message,
        })
      log.info('the end')
      const logged = await until('the log is written', () => {
        const text = existsSync(file) ? readFileSync(file, 'utf8') : ''
        return text.includes('the end') && text
      })
      assert.equal(/ConfigError: .*\\n +at /.test(logged), level === 'debug')
    }
  } finally {
    taken.close()
  }
})

test('a file is checked without a start, with the policy file that it names', () => {
  const write = (name: string, content: object) => {
    writeFileSync(join(folder, name), JSON.stringify(content))
    return join(folder, name)
  }
  const check = (rules: object) =>
    checkConfig(write('checked.yaml', { cloud: { policy_file: write('policy.yaml', { network: rules }) } }))
  assert.throws(
    () => checkConfig(write('odd.yaml', { cloud: { prot: 1 } })),
    /odd.yaml: cloud.prot is not allowed here/,
  )
  assert.throws(() => check({ create_netwrk: '@' }), /policy.yaml: network: there is no policy rule create_netwrk/)
  check({ create_network: '@' })
})
