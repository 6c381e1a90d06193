import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { readPolicyFile } from './policy-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'strata-policy-'))
after(() => rmSync(folder, { recursive: true }))

const read = (text: string) => {
  const path = join(folder, 'policy.yaml')
  writeFileSync(path, text)
  return readPolicyFile(path, ['compute', 'image'])
}

test('check strings are found by service and rule', () => {
  assert.deepEqual(read('compute:\n  os_compute_api:servers:create: role:admin\n'), {
    compute: { 'os_compute_api:servers:create': 'role:admin' },
  })
  assert.deepEqual(read(''), {})
  assert.deepEqual(readPolicyFile(undefined, []), {})
})

test('what is wrong with the file is named', () => {
  assert.throws(() => read('compte:\n  a: b\n'), /policy.yaml: compte is not allowed here/)
  assert.throws(() => read('compute:\n  a: [b]\n'), /policy.yaml: compute.a must be of type string/)
  assert.throws(() => read('a: [\n'), /policy.yaml: /)
  assert.throws(() => readPolicyFile(join(folder, 'none'), []), /ENOENT/)
})
