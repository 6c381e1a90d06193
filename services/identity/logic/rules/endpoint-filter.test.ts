import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FilterSource, givenEndpoints, matching } from './endpoint-filter.ts'

const endpoint = (id: string, service_id: string, kind = 'public') => ({
  id,
  service_id,
  region_id: 'one',
  interface: kind,
})
const endpoints = [endpoint('a', 'nova'), endpoint('b', 'nova', 'admin'), endpoint('c', 'glance')]
const source: FilterSource = {
  endpoints,
  groups: [
    { id: 'g', filters: { service_id: 'nova', interface: 'public' } },
    { id: 'none', filters: { region_id: 'two' } },
  ],
  ofProjects: [
    { project_id: 'single', endpoint_id: 'c' },
    { project_id: 'both', endpoint_id: 'c' },
  ],
  groupsOfProjects: [
    { project_id: 'both', endpoint_group_id: 'g' },
    { project_id: 'empty', endpoint_group_id: 'none' },
  ],
}
const given = (projectId: string) => givenEndpoints(source, projectId)?.map(one => one.id)

test('all filters of a group must match, and none match all', () => {
  assert.deepEqual(
    matching(endpoints, { service_id: 'nova' }).map(one => one.id),
    ['a', 'b'],
  )
  assert.equal(matching(endpoints, {}).length, 3)
})

test('a project has what it was given, and all when it was given nothing', () => {
  assert.deepEqual(given('single'), ['c'])
  assert.deepEqual(given('both'), ['a', 'c'])
  assert.deepEqual(given('empty'), [])
  assert.equal(given('other'), undefined)
})
