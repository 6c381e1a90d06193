import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { candidatesQuery } from '../contract/index.ts'
import { holding, refused, usePlacement } from './fixture.test.ts'

const { ask, must, provider } = usePlacement()
const search = async (query: string, minor?: number) =>
  (await must(200, 'GET', `/allocation_candidates?${query}`, undefined, minor)).json
const providersOf = (found: { allocation_requests: readonly { allocations: object }[] }) =>
  found.allocation_requests.map(one => Object.keys(one.allocations).sort())

/** A host whose memory is in two NUMA nodes, with its disk in a pool that it shares. */
async function cluster() {
  const aggregate = randomUUID()
  const host = await provider({
    inventories: { PCPU: { total: 8 } },
    traits: ['HW_CPU_X86_VMX', 'COMPUTE_NODE'],
    aggregates: [aggregate],
  })
  const numa = []
  for (const trait of ['HW_CPU_X86_SSE', 'HW_CPU_X86_SSE2'])
    numa.push(await provider({ parent: host, inventories: { NUMA_MEMORY_MB: { total: 512 } }, traits: [trait] }))
  const pool = await provider({
    inventories: { DISK_GB: { total: 100 } },
    traits: ['MISC_SHARES_VIA_AGGREGATE'],
    aggregates: [aggregate],
  })
  return { aggregate, host, numa: numa as [string, string], pool }
}
const clean = async ({ host, numa, pool }: Awaited<ReturnType<typeof cluster>>) => {
  for (const uuid of [...numa, host, pool]) await must(204, 'DELETE', `/resource_providers/${uuid}`)
}

test('a tree and its sharing provider meet a request together', async () => {
  const made = await cluster()
  const { host, numa, pool } = made
  const found = await search('resources=PCPU:1,NUMA_MEMORY_MB:256,DISK_GB:5')
  assert.deepEqual(providersOf(found).sort(), numa.map(one => [host, one, pool].sort()).sort())
  assert.deepEqual(Object.keys(found.provider_summaries).sort(), [host, ...numa, pool].sort())
  assert.deepEqual(found.provider_summaries[numa[0]], {
    resources: { NUMA_MEMORY_MB: { capacity: 512, used: 0 } },
    traits: ['HW_CPU_X86_SSE'],
    parent_provider_uuid: host,
    root_provider_uuid: host,
  })
  const one = await search('resources=PCPU:1,NUMA_MEMORY_MB:256&required=HW_CPU_X86_VMX,!HW_CPU_X86_SSE')
  assert.deepEqual(providersOf(one), [[host, numa[1]].sort()])
  assert.deepEqual(one.allocation_requests[0].mappings, { '': [host, numa[1]] })
  assert.equal((await search('resources=PCPU:1,NUMA_MEMORY_MB:256,DISK_GB:5&limit=1')).allocation_requests.length, 1)
  await clean(made)
})

test('granular groups: policy, subtrees, trees, aggregates', async () => {
  const made = await cluster()
  const { aggregate, host, numa } = made
  const two = (policy: string) =>
    search(`resources_A=NUMA_MEMORY_MB:256&resources_B=NUMA_MEMORY_MB:256&group_policy=${policy}`)
  assert.equal((await two('none')).allocation_requests.length, 4)
  assert.deepEqual(providersOf(await two('isolate')), [[...numa].sort(), [...numa].sort()])
  const sum = (await two('none')).allocation_requests.find(
    (one: { allocations: object }) => Object.keys(one.allocations).length === 1,
  )
  assert.deepEqual(Object.values(sum.allocations), [{ resources: { NUMA_MEMORY_MB: 512 } }])
  const groups = 'resources_A=NUMA_MEMORY_MB:256&resources_B=NUMA_MEMORY_MB:256&group_policy=isolate'
  assert.equal((await search(`${groups}&same_subtree=_A,_B`)).allocation_requests.length, 0)
  const held = await search(`${groups}&required_ROOT=COMPUTE_NODE&same_subtree=_A,_B,_ROOT`)
  assert.equal(held.allocation_requests.length, 2)
  assert.deepEqual(held.allocation_requests[0].mappings._ROOT, [host])
  assert.equal((await search(`resources_A=NUMA_MEMORY_MB:1&member_of_A=${aggregate}`)).allocation_requests.length, 0)
  assert.equal((await search(`resources=NUMA_MEMORY_MB:1&member_of=${aggregate}`)).allocation_requests.length, 2)
  assert.equal((await search(`resources=NUMA_MEMORY_MB:1&member_of=!${aggregate}`)).allocation_requests.length, 0)
  assert.equal((await search(`resources=NUMA_MEMORY_MB:1&in_tree=${numa[0]}`)).allocation_requests.length, 2)
  assert.equal((await search(`resources=NUMA_MEMORY_MB:1&in_tree=${randomUUID()}`)).allocation_requests.length, 0)
  assert.equal((await search('resources=NUMA_MEMORY_MB:1&root_required=COMPUTE_NODE')).allocation_requests.length, 2)
  assert.equal((await search('resources=NUMA_MEMORY_MB:1&root_required=!COMPUTE_NODE')).allocation_requests.length, 0)
  await clean(made)
})

test('each version shows what it knew', async () => {
  const uuid = await provider({ inventories: { PGPU: { total: 4 }, FPGA: { total: 1 } }, traits: ['HW_CPU_X86_VMX'] })
  const child = await provider({ parent: uuid, inventories: { VGPU: { total: 1 } } })
  const at = (minor: number) => search('resources=PGPU:1', minor)
  const listed = [{ resource_provider: { uuid }, resources: { PGPU: 1 } }]
  const summary = { resources: { PGPU: { capacity: 4, used: 0 } } }
  assert.deepEqual(await at(11), {
    allocation_requests: [{ allocations: listed }],
    provider_summaries: { [uuid]: summary },
  })
  assert.deepEqual((await at(12)).allocation_requests, [{ allocations: { [uuid]: { resources: { PGPU: 1 } } } }])
  assert.deepEqual((await at(17)).provider_summaries[uuid], { ...summary, traits: ['HW_CPU_X86_VMX'] })
  assert.deepEqual(Object.keys((await at(27)).provider_summaries[uuid].resources), ['FPGA', 'PGPU'])
  assert.deepEqual(Object.keys((await at(28)).provider_summaries), [uuid])
  assert.deepEqual(Object.keys((await at(29)).provider_summaries).sort(), [uuid, child].sort())
  assert.deepEqual((await at(34)).allocation_requests[0].mappings, { '': [uuid] })
  assert.equal((await search('resources=PGPU:1,VGPU:1', 28)).allocation_requests.length, 0)
  assert.equal((await search('resources=PGPU:1,VGPU:1', 29)).allocation_requests.length, 1)
  const keys: readonly (readonly [minor: number, key: string])[] = [
    [16, 'limit=1'],
    [17, 'required=HW_CPU_X86_VMX'],
    [21, `member_of=${randomUUID()}`],
    [22, 'required=!HW_CPU_X86_VMX'],
    [25, 'resources1=PGPU:1'],
    [25, 'group_policy=none'],
    [31, `in_tree=${uuid}`],
    [32, `member_of=!${randomUUID()}`],
    [33, 'resources_A=PGPU:1'],
    [35, 'root_required=HW_CPU_X86_VMX'],
    [36, 'required_A=HW_CPU_X86_VMX&same_subtree=_A&group_policy=none'],
    [39, 'required=in:HW_CPU_X86_VMX,HW_CPU_X86_SSE'],
  ]
  for (const [minor, key] of keys) {
    const path = `/allocation_candidates?resources=PGPU:1&${key}`
    assert.equal((await ask('GET', path, undefined, minor)).status, 200, `${key} in 1.${minor}`)
    assert.equal((await ask('GET', path, undefined, minor - 1)).status, 400, `${key} in 1.${minor - 1}`)
  }
  assert.equal((await ask('GET', '/allocation_candidates?resources=PGPU:1', undefined, 9)).status, 404)
})

test('bad queries are refused by the name of the parameter', async () => {
  const bad = async (query: string, words: RegExp, code?: string) =>
    refused(await ask('GET', `/allocation_candidates?${query}`), 400, words, code)
  await bad('', /resources/, 'placement.query.missing_value')
  await bad('resources=', /resources/)
  await bad('resources=VCPU:1,', /resources/)
  await bad('resources_A=VCPU:1:2', /resources_A/)
  await bad('resources=VCPU:-1', /VCPU.*resources/)
  await bad('resources=CUSTOM_NOTHING:1', /CUSTOM_NOTHING/)
  await bad('resources=VCPU:1&required=CUSTOM_NOBODY', /CUSTOM_NOBODY/)
  await bad('resources=VCPU:1&required=,', /required/)
  await bad('resources=VCPU:1&required=HW_CPU_X86_VMX,!HW_CPU_X86_VMX', /required.*HW_CPU_X86_VMX/)
  await bad('resources=VCPU:1&required=in:!HW_CPU_X86_VMX', /required/)
  await bad('resources=VCPU:1&member_of=cow', /member_of/)
  await bad('resources=VCPU:1&in_tree=cow', /in_tree/)
  await bad('resources=VCPU:1&limit=0', /limit/)
  await bad('resources_A=VCPU:1&resources_B=VCPU:1', /group_policy/)
  await bad('resources=VCPU:1&group_policy=some', /group_policy/)
  await bad('resources=VCPU:1&colour=red', /colour/)
  await bad('resources=VCPU:1&required_A=HW_CPU_X86_VMX', /_A/, 'placement.query.bad_value')
  await bad('resources=VCPU:1&same_subtree=_A', /same_subtree/, 'placement.query.bad_value')
  await bad('resources=VCPU:1&same_subtree=,', /same_subtree/, 'placement.query.bad_value')
  await bad('resources=VCPU:1&root_required=A&root_required=B', /root_required/, 'placement.query.duplicate_key')
  await bad('resources=VCPU:1&root_required=A,!A', /root_required/, 'placement.query.bad_value')
})

test('a candidate, asked for by the contract, can be claimed as it is, and then no more', async () => {
  const uuid = await provider({ inventories: { FPGA: { total: 2 } }, traits: ['HW_CPU_X86_SHA'] })
  const query = candidatesQuery({
    groups: { '': { resources: { FPGA: 2 }, required: ['HW_CPU_X86_SHA', ['HW_CPU_X86_SHA', 'HW_CPU_X86_VMX']] } },
    limit: 10,
    rootRequired: ['!COMPUTE_STATUS_DISABLED'],
  })
  const [first] = (await search(query)).allocation_requests
  const body = { ...holding({}), allocations: first.allocations, mappings: first.mappings }
  await must(204, 'PUT', `/allocations/${randomUUID()}`, body)
  assert.deepEqual((await search(query)).allocation_requests, [])
  const { json } = await must(200, 'GET', `/resource_providers/${uuid}/usages`)
  assert.deepEqual(json.usages, { FPGA: 2 })
})
