import assert from 'node:assert/strict'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import fc from 'fast-check'
import { parse } from 'yaml'
import { openrc, removeCredentials, userCloudsFile, writeCredentials } from './credentials.ts'

const login = (username: string, project: string) => ({
  username,
  password: `secret of ${username}`,
  project,
  domain: 'Default',
})
const cloud = {
  url: 'http://127.0.0.1:5000',
  region: 'RegionOne',
  admin: login('admin', 'admin'),
  demo: login('demo', 'demo'),
}

let home: string
let files: { cloudsFile: string; openrcFile: string; userFile: string }
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'strata-login-'))
  files = { cloudsFile: join(home, 'clouds.yaml'), openrcFile: join(home, 'openrc'), userFile: userCloudsFile(home) }
})
afterEach(() => rmSync(home, { recursive: true }))

function writeUser(text: string): void {
  mkdirSync(dirname(files.userFile), { recursive: true })
  writeFileSync(files.userFile, text)
}
const readUser = () => readFileSync(files.userFile, 'utf8')
const write = (overrides = {}) => writeCredentials({ cloud: { ...cloud, ...overrides }, ...files })

describe('writing logins', () => {
  test('makes all three files, for their owner only', () => {
    assert.equal(write(), undefined)
    for (const file of Object.values(files)) assert.equal(statSync(file).mode & 0o777, 0o600, file)
    assert.deepEqual(parse(readUser()), parse(readFileSync(files.cloudsFile, 'utf8')))
    assert.deepEqual(parse(readUser()).clouds['strata-demo'], {
      auth: {
        auth_url: 'http://127.0.0.1:5000/identity/v3',
        username: 'demo',
        password: 'secret of demo',
        project_name: 'demo',
        user_domain_name: 'Default',
        project_domain_name: 'Default',
      },
      region_name: 'RegionOne',
      identity_api_version: 3,
    })
    assert.match(readUser(), /^clouds:\n {2}strata:\n/)
  })

  test("keeps the operator's other clouds and comments, and writes the same thing once", () => {
    writeUser('# mine\nclouds:\n  # the big one\n  work:\n    region_name: Two # of two\ncache: {expiration: 5}\n')
    write()
    const once = readUser()
    assert.match(once, /^# mine\nclouds:\n {2}# the big one\n {2}work:\n {4}region_name: Two # of two\n {2}strata:\n/)
    assert.deepEqual(parse(once).cache, { expiration: 5 })
    write()
    assert.equal(readUser(), once)
    write({ admin: { ...cloud.admin, password: 'new' } })
    assert.equal(parse(readUser()).clouds.strata.auth.password, 'new')
    assert.equal(parse(readUser()).clouds.work.region_name, 'Two')
  })

  for (const text of ['clouds: [\n', '- a list\n', 'clouds: text\n', 'just text\n']) {
    test(`leaves alone ${JSON.stringify(text)}, and says so`, () => {
      writeUser(text)
      assert.match(write() ?? '', /was left alone/)
      assert.equal(readUser(), text)
      assert.ok(existsSync(files.cloudsFile))
    })
  }

  for (const text of ['', '# nothing yet\n', 'clouds:\n', 'clouds: {}\n']) {
    test(`fills ${JSON.stringify(text)}`, () => {
      writeUser(text)
      assert.equal(write(), undefined)
      assert.deepEqual(Object.keys(parse(readUser()).clouds), ['strata', 'strata-demo'])
    })
  }

  test('follows a link instead of replacing it', () => {
    mkdirSync(dirname(files.userFile), { recursive: true })
    writeFileSync(join(home, 'real.yaml'), 'clouds:\n  a: {}\n')
    symlinkSync(join(home, 'real.yaml'), files.userFile)
    write()
    assert.ok(lstatSync(files.userFile).isSymbolicLink())
    assert.ok(parse(readFileSync(join(home, 'real.yaml'), 'utf8')).clouds.strata)
  })
})

describe('removing logins', () => {
  const remove = () => removeCredentials(files)

  test('removes the file when nothing else is in it', () => {
    write()
    assert.equal(remove(), undefined)
    assert.equal(existsSync(files.userFile), false)
  })

  test('leaves everything else as it was', () => {
    const text = '# mine\nclouds:\n  work:\n    region_name: Two\n'
    writeUser(text)
    write()
    remove()
    assert.equal(readUser(), text)
  })

  test("leaves another cloud's entries of the same name", () => {
    write()
    const theirs = readUser().replaceAll('secret of', 'other secret of')
    writeUser(theirs)
    remove()
    assert.equal(readUser(), theirs)
  })

  test('does nothing where nothing was written', () => {
    assert.equal(remove(), undefined)
    assert.equal(existsSync(files.userFile), false)
  })
})

test('openrc says any password so that a shell reads it back', () => {
  const read = (text: string) => {
    const value = /^export OS_PASSWORD=(.*?)\nexport OS_PROJECT_NAME=/ms.exec(text)![1]!
    // The quoting of POSIX shells: single quotes hold everything but themselves.
    return value
      .slice(1, -1)
      .split("'\\''")
      .map(part => {
        assert.ok(!part.includes("'"))
        return part
      })
      .join("'")
  }
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom("'", '"', '\\', '$', '`', ' ', 'a', '!', ';') }), password => {
      assert.equal(read(openrc({ ...cloud, admin: { ...cloud.admin, password } })), password)
    }),
  )
})
