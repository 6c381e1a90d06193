import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refused, usePlacement } from './fixture.test.ts'

const { ask, must, provider } = usePlacement()

test('custom traits are made, listed and removed; standard ones only listed', async () => {
  assert.equal((await ask('GET', '/traits', undefined, 5)).status, 404)
  const made = await must(201, 'PUT', '/traits/CUSTOM_BLUE')
  assert.match(String(made.headers['location']), /\/placement\/traits\/CUSTOM_BLUE$/)
  await must(204, 'PUT', '/traits/CUSTOM_BLUE')
  await must(204, 'GET', '/traits/CUSTOM_BLUE')
  await must(204, 'GET', '/traits/HW_CPU_X86_VMX')
  const list = async (query: string) => (await must(200, 'GET', `/traits?${query}`)).json.traits
  assert.deepEqual(await list('name=startswith:CUSTOM_'), ['CUSTOM_BLUE'])
  assert.deepEqual(await list('name=in:CUSTOM_BLUE,HW_CPU_X86_VMX,CUSTOM_NOBODY'), ['HW_CPU_X86_VMX', 'CUSTOM_BLUE'])
  const uuid = await provider({ traits: ['CUSTOM_BLUE'] })
  assert.deepEqual(await list('associated=true'), ['CUSTOM_BLUE'])
  assert.ok(!(await list('associated=false')).includes('CUSTOM_BLUE'))
  refused(await ask('DELETE', '/traits/CUSTOM_BLUE'), 409, /CUSTOM_BLUE is in use/)
  await must(204, 'DELETE', `/resource_providers/${uuid}`)
  await must(204, 'DELETE', '/traits/CUSTOM_BLUE')
  refused(await ask('GET', '/traits/CUSTOM_BLUE'), 404, /CUSTOM_BLUE/)
  refused(await ask('DELETE', '/traits/CUSTOM_BLUE'), 404, /CUSTOM_BLUE/)
  refused(await ask('DELETE', '/traits/HW_CPU_X86_VMX'), 400, /standard trait HW_CPU_X86_VMX/)
})

test('bad trait names and filters are refused', async () => {
  for (const name of ['BLUE', 'CUSTOM_blue', 'HW_CPU_X86_VMX', `CUSTOM_${'X'.repeat(249)}`])
    refused(await ask('PUT', `/traits/${name}`), 400, /trait is invalid/)
  refused(await ask('GET', '/traits?name=BLUE'), 400, /name/)
  refused(await ask('GET', '/traits?associated=maybe'), 400, /associated/)
  refused(await ask('GET', '/traits?colour=red'), 400, /colour/)
})

test('custom resource classes are made, renamed (until 1.6), used and removed', async () => {
  assert.equal((await ask('GET', '/resource_classes', undefined, 1)).status, 404)
  const made = await must(201, 'POST', '/resource_classes', { name: 'CUSTOM_GOLD' })
  assert.match(String(made.headers['location']), /\/placement\/resource_classes\/CUSTOM_GOLD$/)
  refused(await ask('POST', '/resource_classes', { name: 'CUSTOM_GOLD' }), 409, /CUSTOM_GOLD/)
  const shown = await must(200, 'GET', '/resource_classes/CUSTOM_GOLD')
  assert.deepEqual(shown.json.links, [{ rel: 'self', href: '/placement/resource_classes/CUSTOM_GOLD' }])
  const uuid = await provider({ inventories: { CUSTOM_GOLD: { total: 3 } } })
  await must(200, 'PUT', '/resource_classes/CUSTOM_GOLD', { name: 'CUSTOM_SILVER' }, 6)
  const { json } = await must(200, 'GET', '/allocation_candidates?resources=CUSTOM_SILVER:2')
  assert.deepEqual(Object.keys(json.provider_summaries), [uuid])
  await must(201, 'PUT', '/resource_classes/CUSTOM_GOLD')
  await must(204, 'PUT', '/resource_classes/CUSTOM_GOLD')
  refused(await ask('PUT', '/resource_classes/CUSTOM_GOLD', { name: 'CUSTOM_SILVER' }, 6), 409, /CUSTOM_SILVER/)
  refused(await ask('DELETE', '/resource_classes/CUSTOM_SILVER'), 409, /in use/)
  await must(204, 'DELETE', `/resource_providers/${uuid}/inventories`)
  await must(204, 'DELETE', '/resource_classes/CUSTOM_SILVER')
  refused(await ask('DELETE', '/resource_classes/CUSTOM_SILVER'), 404, /CUSTOM_SILVER/)
})

test('bad class names are refused', async () => {
  for (const name of ['VCPU', 'CUSTOM_x', 'GOLD', 5, '', `CUSTOM_${'X'.repeat(249)}`])
    refused(await ask('POST', '/resource_classes', { name }), 400, /name /)
  refused(await ask('POST', '/resource_classes', {}), 400, /name is required/)
  refused(await ask('POST', '/resource_classes', { name: 'CUSTOM_X', colour: 1 }), 400, /colour/)
  refused(await ask('PUT', '/resource_classes/GOLD'), 400, /GOLD/)
  refused(await ask('PUT', '/resource_classes/VCPU', { name: 'CUSTOM_X' }, 6), 400, /VCPU/)
  refused(await ask('DELETE', '/resource_classes/VCPU'), 400, /VCPU/)
})
