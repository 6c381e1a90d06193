import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { lint } from './layers.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'strata-lint-'))
})
afterEach(() => rmSync(root, { recursive: true }))

function write(files: Record<string, string>): void {
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(join(root, dirname(file)), { recursive: true })
    writeFileSync(join(root, file), text)
  }
}

/** `file:line message` of every breach in a house that consists of these files. */
function breaches(files: Record<string, string>): string[] {
  write(files)
  return lint(root).map(({ file, line, message }) => `${file}:${line} ${message}`)
}

const imports = (...specifiers: string[]) => specifiers.map(one => `import ${JSON.stringify(one)}\n`).join('')

describe('a house as planned', () => {
  test('has no breach', () => {
    const found = breaches({
      'package.json': '{}',
      'toolkit/package.json': '{}',
      'toolkit/runtime/index.ts': 'export const now = () => Date.now()\n',
      'toolkit/saga/index.ts': imports('../runtime/index.ts', '../store/index.ts'),
      'toolkit/saga/README.md': '# Sagas\n',
      'services/image/README.md': '# Image\n',
      'services/image/contract/index.ts': imports('@strata/toolkit/schema', './image.ts'),
      'services/image/contract/image.ts': 'export const name = "image"\n',
      'services/image/logic/rules/size.ts': imports('../../contract/index.ts'),
      'services/image/logic/rules/size.test.ts': `${imports('./size.ts', '@strata/toolkit/testing')}new Date()\n`,
      'services/image/logic/image/create.ts': imports('../rules/size.ts', '../ports.ts', '../../store/image.ts'),
      'services/image/logic/ports.ts': imports('../contract/index.ts'),
      'services/image/store/image.ts': imports('../contract/image.ts', '@strata/toolkit/store'),
      'services/image/drivers/file/index.ts': imports('../../logic/ports.ts', './path.ts', 'node:fs'),
      'services/image/drivers/file/path.ts': 'export const at = new Date()\n',
      'services/image/service.ts': imports('./logic/image/create.ts', './drivers/file/index.ts', 'fastify'),
      'services/image/service.test.ts': imports('./service.ts', '@strata/identity/contract'),
      'services/compute/logic/server/build.ts': imports(
        '@strata/image/contract',
        '@strata/sdk',
        '@strata/toolkit/saga',
      ),
      'services/image/drivers/file/test-folder.ts': imports('@strata/toolkit/testing', 'node:test', '../ceph/index.ts'),
      'services/image/drivers/store-contract.ts': imports('./file/index.ts', 'node:test'),
      'services/image/drivers/ceph/index.ts': imports('../../logic/ports.ts'),
      'clouds/dev.ts': imports('@strata/image/service', '@strata/tools/tiny-linux'),
      'clouds/engine.ts': imports('@strata/image/ports', '@strata/image/drivers/file', '@strata/compute/agent'),
      'cli/main.ts': `${imports('@strata/clouds')}const cut = /x/.exec('x')\n`,
    })
    assert.deepEqual(found, [])
  })
})

describe('who may import whom', () => {
  const cases: [what: string, file: string, specifier: string, message: RegExp][] = [
    ['logic knows no api', 'services/image/logic/a.ts', '../api/b.ts', /logic imports api/],
    ['api reaches the store through logic', 'services/image/api/a.ts', '../store/b.ts', /api imports store/],
    ['an agent has no store', 'services/image/agent/a.ts', '../store/b.ts', /agent imports store/],
    ['a contract takes declarations only', 'services/image/contract/a.ts', '@strata/toolkit/store', /contract imports/],
    ['a contract does no I/O', 'services/image/contract/a.ts', 'node:fs', /contract imports node:fs/],
    ['rules do no I/O', 'services/image/logic/rules/a.ts', 'node:child_process', /rules imports/],
    ['rules know no other logic', 'services/image/logic/rules/a.ts', '../b.ts', /rules imports logic/],
    ['drivers are strangers', 'services/image/drivers/file/a.ts', '../ceph/b.ts', /driver file imports ceph/],
    [
      'a path does not leave a package',
      'services/image/logic/a.ts',
      '../../compute/contract/index.ts',
      /leaves services\/image/,
    ],
    ['of another service only the contract', 'services/image/logic/a.ts', '@strata/compute/store', /only the contract/],
    ['a service starts no other service', 'services/image/logic/a.ts', '@strata/compute/service', /imports @strata/],
    ['the command starts no service by itself', 'cli/a.ts', '@strata/compute/service', /cli imports/],
    ['the toolkit knows no service', 'toolkit/saga/index.ts', '@strata/compute/contract', /toolkit imports/],
    [
      'the toolkit is built upwards',
      'toolkit/store/index.ts',
      '../saga/index.ts',
      /store imports saga, of a higher tier/,
    ],
    ['test helpers stay out of a cloud', 'services/image/logic/a.ts', '@strata/toolkit/testing', /outside tests/],
    ['test support stays out of a cloud', 'services/image/drivers/file/a.ts', './test-folder.ts', /outside tests/],
    ['only compositions see drivers', 'cli/a.ts', '@strata/compute/drivers/qemu', /only the contract/],
    ['not even ports of another service', 'services/image/logic/a.ts', '@strata/compute/ports', /only the contract/],
    ['a composition sees no logic', 'clouds/a.ts', '@strata/compute/logic', /only the contract/],
    ['dynamic imports count', 'services/image/logic/a.ts', '../agent/b.ts', /logic imports agent/],
  ]
  for (const [what, file, specifier, message] of cases) {
    test(what, () => {
      const text = what.startsWith('dynamic') ? `\nawait import('${specifier}')\n` : `\n${imports(specifier)}`
      const found = breaches({ [file]: text })
      assert.equal(found.length, 1, found.join('\n'))
      assert.match(found[0]!, message)
      assert.ok(found[0]!.startsWith(`${file}:2 `), found[0])
    })
  }

  test('types count as much as values', () => {
    const found = breaches({ 'services/image/api/a.ts': "import type { B } from '../store/b.ts'\nexport type { B }\n" })
    assert.deepEqual(found, ['services/image/api/a.ts:1 api imports store'])
  })

  test('a cycle is said once, with its way round', () => {
    const found = breaches({
      'services/image/logic/a.ts': imports('./b.ts'),
      'services/image/logic/b.ts': imports('./c.ts'),
      'services/image/logic/c.ts': imports('./a.ts'),
    })
    assert.equal(found.length, 1)
    assert.match(found[0]!, /import cycle: \S+a\.ts → \S+b\.ts → \S+c\.ts → \S+a\.ts/)
  })
})

describe('sagas', () => {
  const saga = `${imports()}import { saga } from '@strata/toolkit/saga'
const make = name => saga(name).step('a', {})
export const build = saga('build').step('a', {})
export const stop = make('stop')
export const helper = () => 1
export const label = 'x'
export interface Input {}
`
  const rehearsal = (names: string, toolkit = 'rehearsal') =>
    `import { rehearse } from '@strata/toolkit/${toolkit}'\nimport { ${names} } from './power.ts'\n`

  test('each is named by a rehearsal', () => {
    const files = {
      'services/image/logic/power.ts': saga,
      'services/image/logic/all.rehearsal.test.ts': rehearsal('build, stop'),
    }
    assert.deepEqual(breaches(files), [])
  })
  test('those that none names are told, each at its line', () => {
    const files = {
      'services/image/logic/power.ts': saga,
      'services/image/logic/all.rehearsal.test.ts': rehearsal('build'),
    }
    assert.deepEqual(breaches(files), ['services/image/logic/power.ts:4 saga stop has no rehearsal'])
  })
  test('a test that cannot rehearse is none', () => {
    const files = {
      'services/image/logic/power.ts': saga,
      'services/image/logic/all.rehearsal.test.ts': rehearsal('build, stop', 'testing'),
    }
    assert.equal(breaches(files).length, 2)
  })
  test("another file's saga of the same name is another saga", () => {
    const files = {
      'services/image/logic/power.ts': saga,
      'services/image/logic/all.rehearsal.test.ts': rehearsal('build, stop').replace('./power.ts', './other.ts'),
    }
    assert.equal(breaches(files).length, 2)
  })
})

describe('what may be where', () => {
  for (const file of [
    'scratch.ts',
    'lib/a.ts',
    'services/image/helpers/a.ts',
    'services/image/util.ts',
    'services/image/rules/a.ts',
    'services/image/logic/a.js',
    'toolkit/misc/index.ts',
    'toolkit/util.ts',
  ]) {
    test(`${file} is unknown`, () => assert.deepEqual(breaches({ [file]: '' }), [`${file}:1 unknown file or folder`]))
  }
})

describe('what may be written', () => {
  const logic = 'services/image/logic/a.ts'

  test('the machine is not asked for time, ids or chance', () => {
    const text =
      'Date.now()\nnew Date()\nnew Date(5)\nMath.random()\ncrypto.randomUUID()\nrandomUUID()\nDate.parse("")\n'
    assert.deepEqual(breaches({ [logic]: text }), [
      `${logic}:1 Date.now()`,
      `${logic}:2 new Date()`,
      `${logic}:4 Math.random()`,
      `${logic}:5 crypto.randomUUID()`,
      `${logic}:6 randomUUID()`,
    ])
  })

  test('no shell is handed a string', () => {
    const text = [
      "import { exec, execFile } from 'node:child_process'",
      "import * as child from 'child_process'",
      "exec('ls')",
      "child.execSync('ls')",
      "execFile('ls', [], { shell: true })",
      "execFile('ls', [], { shell: '/bin/sh' })",
      "execFile('ls', [], { shell: false })",
      'const cut = /a/.exec("a")',
      'database.exec("SELECT 1")',
    ].join('\n')
    assert.deepEqual(breaches({ 'cli/a.ts': text }), [
      'cli/a.ts:3 exec()',
      'cli/a.ts:4 child.execSync()',
      'cli/a.ts:5 the option shell',
      'cli/a.ts:6 the option shell',
    ])
  })

  test('a file that does not parse is a breach, not a crash', () => {
    const found = breaches({ 'cli/a.ts': 'const x = 1\nconst = 2\n' })
    assert.equal(found.length, 1)
    assert.match(found[0]!, /^cli\/a\.ts:2 /)
  })

  test('a file grows to 500 lines', () => {
    assert.deepEqual(breaches({ 'cli/a.ts': '\n'.repeat(500) }), [])
    assert.deepEqual(breaches({ 'cli/a.ts': '\n'.repeat(501) }), ['cli/a.ts:1 501 lines, more than 500'])
  })

  test('the list of longer files only shrinks', () => {
    const list = { 'cli/a.ts': 600, 'cli/b.ts': 600, 'cli/c.ts': 600, 'cli/d.ts': 600, 'cli/gone.ts': 600 }
    const found = breaches({
      'tools/lint/oversize.json': JSON.stringify(list),
      'cli/a.ts': '\n'.repeat(600),
      'cli/b.ts': '\n'.repeat(601),
      'cli/c.ts': '\n'.repeat(599),
      'cli/d.ts': '\n'.repeat(500),
    })
    assert.deepEqual(found, [
      'cli/b.ts:1 601 lines, more than the 600 it had',
      'cli/c.ts:1 599 lines: write this into tools/lint/oversize.json, which says 600',
      'cli/d.ts:1 500 lines: take it off tools/lint/oversize.json',
      'cli/gone.ts:1 is gone: take it off tools/lint/oversize.json',
    ])
  })
})

test('the command prints file, line, message and reason, and fails', async () => {
  write({ 'services/image/logic/a.ts': '\nDate.now()\n' })
  const run = promisify(execFile)(process.execPath, [join(import.meta.dirname, 'layers.ts'), root])
  await assert.rejects(run, (error: { code: number; stdout: string }) => {
    assert.equal(error.code, 1)
    assert.match(error.stdout, /^services\/image\/logic\/a\.ts:2: Date\.now\(\) \(time, ids and randomness .+\)\n$/)
    return true
  })
})
