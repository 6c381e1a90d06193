/** `./strata up` typed by somebody who is not root, on a machine where root may have installed everything. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { freePort, run } from './cloud.ts'

const launcher = join(import.meta.dirname, '..', '..', 'strata')
const NOBODY = 65_534
/** Words that run what follows them as nobody; none are needed where the test itself is not root's. */
const asNobody =
  process.getuid?.() === 0 ? ['/usr/bin/setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'] : []

function whyNot(): string | undefined {
  const [program = '/usr/bin/test', ...words] = [...asNobody, '/usr/bin/test', '-x', launcher]
  return spawnSync(program, words).status === 0 ? undefined : 'nobody may not read this checkout'
}

describe('without root', { skip: whyNot() }, () => {
  const home = mkdtempSync(join(tmpdir(), 'strata-'))
  if (asNobody.length > 0) chownSync(home, NOBODY, NOBODY)
  chmodSync(home, 0o700)
  const env = { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', HOME: home, STRATA_STATE: join(home, 'state') }
  const strata = (...given: string[]) => {
    const [program, ...words] = [...asNobody, launcher, ...given]
    return run({ program: program!, words, env })
  }
  after(async () => {
    await strata('purge')
    rmSync(home, { recursive: true, force: true })
  })

  test('up starts simulated hosts and says so, and purge removes it all', async () => {
    const up = await strata('up', '--port', `${await freePort()}`)
    assert.equal(up.code, 0, up.stdout + up.stderr)
    assert.match(up.stdout, /simulated: not root/)
    const status = await strata('status')
    assert.equal(status.code, 0)
    assert.match(status.stdout, /ready \(simulated\)/)
    const purge = await strata('purge')
    assert.equal(purge.code, 0, purge.stdout + purge.stderr)
    assert.equal((await strata('status')).code, 3)
  })
})
