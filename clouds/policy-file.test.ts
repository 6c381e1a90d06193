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
  return readPolicyFile(path)
}

test('check strings are found by service and rule', () => {
  assert.deepEqual(read('compute:\n  os_compute_api:servers:create: role:admin\n'), {
    compute: { 'os_compute_api:servers:create': 'role:admin' },
  })
  assert.deepEqual(read(''), {})
  assert.deepEqual(readPolicyFile(undefined), {})
})

test('what is wrong with the file is named', () => {
  assert.throws(() => read('compte:\n  a: b\n'), /policy.yaml: compte is not allowed here/)
  assert.throws(() => read('compute:\n  a: [b]\n'), /policy.yaml: compute.a must be of type string/)
  assert.throws(() => read('a: [\n'), /policy.yaml: /)
  assert.throws(() => readPolicyFile(join(folder, 'none')), /ENOENT/)
})

test('a misspelt rule is refused at the start, with its service and the nearest name', () => {
  assert.throws(
    () => read('network:\n  create_netwrk: role:admin\n'),
    /policy.yaml: network: there is no policy rule create_netwrk; did you mean create_network\?$/,
  )
  assert.throws(() => read('image:\n  create_network: role:admin\n'), /image: there is no policy rule create_network/)
})

test('helper rules, aliases and rules of single fields without a default may be given', () => {
  const file = {
    network: { admin_only: 'role:netadmin', create_network: 'rule:my_admins', my_admins: 'role:x' },
    compute: { 'os_compute_api:servers:create': '@' },
  }
  assert.deepEqual(read(JSON.stringify(file)), file)
  assert.ok(read('network:\n  update_network:name: role:admin\n'))
})

test('a malformed check string is a sentence that names service and rule', () => {
  for (const check of ['role:admin or', 'admin', '(role:a', 'field:a:b=~['])
    assert.throws(
      () => read(JSON.stringify({ network: { create_network: check } })),
      { name: 'ConfigError', message: /policy.yaml: network: policy rule create_network: / },
      check,
    )
  assert.throws(() => read('network:\n  shared: rule:shared\n'), /network: policy rules refer to each other: shared/)
})
