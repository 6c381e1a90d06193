import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import { describe, it } from 'node:test'
import { createSimulatedImageCache } from './image-cache.ts'
import { createSimulatedVifDriver } from './vif.ts'

const content = Buffer.from('the bytes of an image')
const image = (change = {}) => ({
  id: randomUUID(),
  diskFormat: 'raw',
  sizeBytes: content.length,
  hashAlgorithm: 'sha512',
  hashValue: createHash('sha512').update(content).digest('hex'),
  ...change,
})
async function* inPieces() {
  yield content.subarray(0, 5)
  yield content.subarray(5)
}

describe('the simulated image cache', () => {
  it('reads an image once for two calls at a time, and again after it was pruned', async () => {
    const cache = createSimulatedImageCache()
    const wanted = image()
    let fetched = 0
    const open = async () => {
      fetched++
      return inPieces()
    }
    const [a, b] = await Promise.all([cache.ensure(wanted, open), cache.ensure(wanted, open)])
    assert.deepEqual(a, b)
    assert.equal(a.virtualSizeBytes, content.length)
    assert.equal(fetched, 1)
    assert.deepEqual(await cache.prune(new Set([wanted.id])), [])
    assert.deepEqual(await cache.prune(new Set()), [wanted.id])
    await cache.ensure(wanted, open)
    assert.equal(fetched, 2)
  })

  it('refuses what is not what it says', async () => {
    const cache = createSimulatedImageCache()
    const refused = (change: object, says: RegExp) =>
      assert.rejects(
        cache.ensure(image(change), async () => inPieces()),
        says,
      )
    await refused({ hashValue: '00' }, /corrupt: its sha512/)
    await refused({ sizeBytes: 5 }, /corrupt: it is longer/)
    await refused({ sizeBytes: 500 }, /corrupt: 21 of 500/)
    await refused({ diskFormat: 'qcow2' }, /said to be qcow2/)
  })
})

describe('the simulated VIF driver', () => {
  it('plugs and unplugs, each as often as it is asked', async () => {
    const driver = createSimulatedVifDriver({ failing: new Map([['cursed', 'no such bridge']]) })
    const vif = {
      portId: randomUUID(),
      vifName: 'tap1',
      macAddress: 'fa:16:3e:00:00:01',
      mtu: 1500,
      serverId: randomUUID(),
    }
    await driver.plug(vif)
    await driver.plug(vif)
    assert.deepEqual(await driver.list(), [{ portId: vif.portId, vifName: 'tap1', serverId: vif.serverId }])
    await assert.rejects(driver.plug({ ...vif, portId: 'other' }), /belongs to port/)
    await assert.rejects(driver.plug({ ...vif, portId: 'cursed', vifName: 'tap2' }), /no such bridge/)
    await driver.unplug(vif)
    await driver.unplug(vif)
    assert.deepEqual(await driver.list(), [])
  })
})
