/** For tests of federated log-in: identity with identity providers in its configuration, and registered over its API. */
import assert from 'node:assert/strict'
import { loadConfig } from '@strata/toolkit/config'
import type { ServiceEnvironment } from '@strata/toolkit/service'
import { startIdentity } from '../harness.test.ts'
import { identity } from '../service.ts'

export type Sections = Readonly<Record<string, Readonly<Record<string, unknown>>>>

/** Sections of the configuration by name; `base` is where identity is met, if not where the tests' plan says. */
export async function startFederated(sections: Sections, environment: Partial<ServiceEnvironment> = {}) {
  const overrides = { ...sections, identity: { password_hash_cost: 4, ...sections['identity'] } }
  const config = loadConfig({ known: identity.config, overrides })
  const cloud = await startIdentity({}, { config, ...environment })
  const put = async (path: string, body: object) => {
    const answer = await cloud.call('PUT', `/v3/OS-FEDERATION/${path}`, cloud.admin, body)
    assert.equal(answer.status, 201, answer.text)
  }
  return {
    ...cloud,
    put,
    /** An identity provider with one protocol and a mapping of its own. */
    async register(id: string, protocol: string, rules: readonly object[], remoteIds: readonly string[] = []) {
      await put(`identity_providers/${id}`, { identity_provider: { enabled: true, remote_ids: remoteIds } })
      await put(`mappings/${id}`, { mapping: { rules } })
      await put(`identity_providers/${id}/protocols/${protocol}`, { protocol: { mapping_id: id } })
    },
    /** As nobody in particular. */
    get: (path: string, headers: Record<string, string> = {}) => cloud.call('GET', path, '', undefined, headers),
  }
}

export type Federated = Awaited<ReturnType<typeof startFederated>>
