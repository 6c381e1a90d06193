/** Who may do what: every operation on an image for every kind of caller. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { idOf, persona, startService, type TestService } from '@strata/toolkit/testing'
import { image } from '../service.ts'

const callers = {
  admin: persona({ roles: ['admin'], project: 'operators' }),
  system: persona({ roles: ['admin'], system: true }),
  owner: persona({ project: 'alpha' }),
  reader: persona({ roles: ['reader'], project: 'alpha' }),
  member: persona({ project: 'beta' }),
  stranger: persona({ project: 'gamma' }),
  nobody: persona({ roles: [], project: 'alpha' }),
  service: persona({ roles: ['service'], project: 'services' }),
} as const
type Caller = keyof typeof callers

const PATCH = { 'content-type': 'application/openstack-images-v2.1-json-patch' }
const OCTETS = { 'content-type': 'application/octet-stream' }
const rename = JSON.stringify([{ op: 'replace', path: '/name', value: 'n' }])
const publish = JSON.stringify([{ op: 'replace', path: '/visibility', value: 'public' }])

interface Step {
  readonly method: string
  readonly path: (id: string) => string
  readonly body?: unknown
  readonly headers?: Record<string, string>
  /** What the image must be for it. */
  readonly data?: boolean
}

const steps: Readonly<Record<string, Step>> = {
  show: { method: 'GET', path: id => `/v2/images/${id}` },
  download: { method: 'GET', path: id => `/v2/images/${id}/file`, data: true },
  upload: { method: 'PUT', path: id => `/v2/images/${id}/file`, body: 'x', headers: OCTETS },
  stage: { method: 'PUT', path: id => `/v2/images/${id}/stage`, body: 'x', headers: OCTETS },
  rename: { method: 'PATCH', path: id => `/v2/images/${id}`, body: rename, headers: PATCH },
  publish: { method: 'PATCH', path: id => `/v2/images/${id}`, body: publish, headers: PATCH },
  tag: { method: 'PUT', path: id => `/v2/images/${id}/tags/t` },
  deactivate: { method: 'POST', path: id => `/v2/images/${id}/actions/deactivate`, data: true },
  offer: { method: 'POST', path: id => `/v2/images/${id}/members`, body: { member: idOf('delta') } },
  members: { method: 'GET', path: id => `/v2/images/${id}/members` },
  accept: { method: 'PUT', path: id => `/v2/images/${id}/members/${idOf('beta')}`, body: { status: 'accepted' } },
  withdraw: { method: 'DELETE', path: id => `/v2/images/${id}/members/${idOf('beta')}` },
  tasks: { method: 'GET', path: id => `/v2/images/${id}/tasks` },
  delete: { method: 'DELETE', path: id => `/v2/images/${id}` },
}

/** Status for: admin, system, owner, reader, member, stranger, nobody, service. */
const order: readonly Caller[] = ['admin', 'system', 'owner', 'reader', 'member', 'stranger', 'nobody', 'service']
const shared: Readonly<Record<keyof typeof steps, readonly number[]>> = {
  show: [200, 404, 200, 200, 200, 404, 404, 404],
  download: [200, 404, 200, 403, 200, 404, 404, 404],
  upload: [204, 404, 204, 403, 403, 404, 404, 404],
  stage: [204, 404, 204, 403, 403, 404, 404, 404],
  rename: [200, 404, 200, 403, 403, 404, 404, 404],
  publish: [200, 404, 403, 403, 403, 404, 404, 404],
  tag: [204, 404, 204, 403, 403, 404, 404, 404],
  deactivate: [204, 404, 204, 403, 403, 404, 404, 404],
  offer: [200, 404, 200, 403, 403, 404, 404, 404],
  members: [200, 404, 200, 200, 200, 404, 404, 404],
  accept: [200, 404, 403, 403, 200, 404, 404, 404],
  withdraw: [204, 404, 204, 403, 403, 404, 404, 404],
  tasks: [200, 404, 200, 200, 200, 404, 404, 404],
  delete: [204, 404, 204, 403, 403, 404, 404, 404],
}

describe('a shared image with one member', () => {
  let service: TestService
  before(async () => {
    service = await startService(image, undefined)
  })
  after(() => service.close())

  const make = async (data: boolean): Promise<string> => {
    const body = { name: 'x', disk_format: 'raw', container_format: 'bare' }
    const { id } = (await service.request('POST', '/v2/images', { as: callers.owner, body })).json
    const member = { member: idOf('beta') }
    await service.request('POST', `/v2/images/${id}/members`, { as: callers.owner, body: member })
    if (data)
      await service.request('PUT', `/v2/images/${id}/file`, { as: callers.owner, body: 'data', headers: OCTETS })
    return id
  }

  for (const [name, step] of Object.entries(steps))
    test(name, async () => {
      for (const [at, caller] of order.entries()) {
        const id = await make(step.data === true)
        const { method, path, body, headers } = step
        const answer = await service.request(method, path(id), { as: callers[caller], body, headers })
        assert.equal(answer.status, shared[name]![at], `${caller}: ${answer.text}`)
      }
    })

  const collection: [what: string, method: string, path: string, body: unknown, expected: readonly number[]][] = [
    ['list', 'GET', '/v2/images', undefined, [200, 403, 200, 200, 200, 200, 403, 403]],
    ['create', 'POST', '/v2/images', {}, [201, 403, 201, 403, 201, 201, 403, 403]],
    ['publish', 'POST', '/v2/images', { visibility: 'public' }, [201, 403, 403, 403, 403, 403, 403, 403]],
    ['communitize', 'POST', '/v2/images', { visibility: 'community' }, [201, 403, 201, 403, 201, 201, 403, 403]],
    ['tasks', 'GET', '/v2/tasks', undefined, [200, 403, 403, 403, 403, 403, 403, 403]],
    ['stores', 'GET', '/v2/info/stores/detail', undefined, [200, 403, 403, 403, 403, 403, 403, 200]],
  ]
  for (const [what, method, path, body, expected] of collection)
    test(`${what} of ${path}`, async () => {
      for (const [at, caller] of order.entries()) {
        const answer = await service.request(method, path, { as: callers[caller], body })
        assert.equal(answer.status, expected[at], `${caller}: ${answer.text}`)
      }
    })
})
