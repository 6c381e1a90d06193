/** What the tests of this folder share: the service behind its pipeline, asked as an administrator who is also a service. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before } from 'node:test'
import { persona, startService, type TestAnswer, type TestService } from '@strata/toolkit/testing'
import { placement } from '../service.ts'

export const boss = persona({ roles: ['admin', 'service'] })

export interface Fixture {
  readonly service: TestService
  /** Asks in version 1.39, or in that of the fourth argument. */
  ask(method: string, path: string, body?: unknown, minor?: number): Promise<TestAnswer>
  /** Asks and asserts the status. */
  must(status: number, method: string, path: string, body?: unknown, minor?: number): Promise<TestAnswer>
  /** A new provider with these inventories, traits and aggregates; returns its UUID. */
  provider(what?: Partial<ProviderSeed>): Promise<string>
  generation(provider: string): Promise<number>
}

export interface ProviderSeed {
  readonly parent: string
  readonly inventories: Readonly<Record<string, object>>
  readonly traits: readonly string[]
  readonly aggregates: readonly string[]
}

/** Starts the service for the tests of one file. */
export function usePlacement(): Fixture {
  let service: TestService
  before(async () => {
    service = await startService(placement, undefined)
  })
  after(() => service.close())
  const ask: Fixture['ask'] = (method, path, body, minor = 39) =>
    service.request(method, path, { as: boss, body, headers: { 'openstack-api-version': `placement 1.${minor}` } })
  const must: Fixture['must'] = async (status, method, path, body, minor) => {
    const answer = await ask(method, path, body, minor)
    assert.equal(answer.status, status, `${method} ${path}: ${answer.text}`)
    return answer
  }
  const generation: Fixture['generation'] = async uuid =>
    (await must(200, 'GET', `/resource_providers/${uuid}`)).json.generation
  return {
    get service() {
      return service
    },
    ask,
    must,
    generation,
    async provider({ parent, inventories, traits, aggregates } = {}) {
      const name = `provider-${randomUUID()}`
      const { uuid } = (await must(200, 'POST', '/resource_providers', { name, parent_provider_uuid: parent ?? null }))
        .json
      const set = async (part: string, body: object) =>
        must(200, 'PUT', `/resource_providers/${uuid}/${part}`, {
          ...body,
          resource_provider_generation: await generation(uuid),
        })
      if (inventories) await set('inventories', { inventories })
      if (traits) await set('traits', { traits })
      if (aggregates) await set('aggregates', { aggregates })
      return uuid
    },
  }
}

/** A body of `PUT /allocations/{consumer}`. */
export const holding = (
  allocations: Readonly<Record<string, Readonly<Record<string, number>>>>,
  more: Readonly<Record<string, unknown>> = {},
): object => ({
  allocations: Object.fromEntries(Object.entries(allocations).map(([uuid, resources]) => [uuid, { resources }])),
  project_id: 'project',
  user_id: 'user',
  consumer_generation: null,
  consumer_type: 'INSTANCE',
  ...more,
})

/** Asserts a refusal's status and code, and that its words name what is wrong. */
export function refused(answer: TestAnswer, status: number, words: RegExp, code = 'placement.undefined_code'): void {
  assert.equal(answer.status, status, answer.text)
  const [error] = answer.json.errors
  assert.equal(error.status, status)
  const [, minor] = /1\.(\d+)$/.exec(String(answer.headers['openstack-api-version'])) ?? []
  assert.equal(error.code, Number(minor) >= 23 ? code : undefined)
  assert.match(error.detail, words)
  assert.match(error.request_id, /^req-/)
}
