/** Key pairs. They belong to a user, not to a project; another user's are named by `user_id`, since 2.10. */
import { toNaive } from '@strata/toolkit/runtime'
import { type ApiRequest, type Operation, operation, reply } from '@strata/toolkit/service'
import { type Keypair, type KeypairCreation, keypairCreation } from '../contract/keypair.ts'
import type { Compute } from '../logic/compute.ts'
import { createKeypair, deleteKeypair, keypairsOf, needKeypair } from '../logic/keypair.ts'
import { page, pageParams, param, parameters } from './lists.ts'

export function keypairOperations(deps: Pick<Compute, 'store' | 'runtime' | 'config'>): Operation[] {
  const one = parameters(['user_id'])
  return [
    operation({
      method: 'GET',
      path: '/v2.1/os-keypairs',
      query: parameters(['user_id', 'limit', 'marker']),
      async handler(request) {
        const userId = owner(request, 'index', request.minor >= 10 ? param(request, 'user_id') : undefined)
        const paged = request.minor >= 35
        const range = paged ? pageParams(request, deps.config.max_limit) : { limit: 1_000_000, marker: undefined }
        const found = await keypairsOf(deps, userId, range)
        const { rows, links } = page(request, 'keypairs', found, { limit: range.limit, markerOf: pair => pair.name })
        return { keypairs: rows.map(pair => ({ keypair: brief(request, pair) })), ...links }
      },
    }),
    operation<{ keypair: KeypairCreation }>({
      method: 'POST',
      path: '/v2.1/os-keypairs',
      body: keypairCreation,
      async handler(request) {
        const userId = owner(request, 'create', request.body.keypair.user_id)
        const made = await createKeypair(deps, { userId, projectId: request.context.projectId }, request.body.keypair)
        const keypair = {
          ...brief(request, made.keypair),
          user_id: userId,
          ...(made.privateKey === undefined ? {} : { private_key: made.privateKey }),
        }
        return reply(request.minor >= 2 ? 201 : 200, { keypair })
      },
    }),
    operation({
      method: 'GET',
      path: '/v2.1/os-keypairs/:name',
      query: one,
      async handler(request) {
        const userId = owner(request, 'show', request.minor >= 10 ? param(request, 'user_id') : undefined)
        return { keypair: detailed(request, await needKeypair(deps, userId, request.params['name']!)) }
      },
    }),
    operation({
      method: 'DELETE',
      path: '/v2.1/os-keypairs/:name',
      query: one,
      async handler(request) {
        const userId = owner(request, 'delete', request.minor >= 10 ? param(request, 'user_id') : undefined)
        await deleteKeypair(deps, userId, request.params['name']!)
        return reply(request.minor >= 2 ? 204 : 202)
      },
    }),
  ]
}

/** Whose key pairs are meant; the policy says whether the caller may ask for them. */
function owner({ context }: ApiRequest, verb: string, asked: string | undefined): string {
  const userId = asked ?? context.userId
  context.enforce(`os_compute_api:os-keypairs:${verb}`, { user_id: userId })
  return userId
}

const brief = ({ minor }: ApiRequest, { name, type, public_key, fingerprint }: Keypair) => ({
  name,
  public_key,
  fingerprint,
  ...(minor >= 2 ? { type } : {}),
})

const detailed = (request: ApiRequest, keypair: Keypair) => ({
  ...brief(request, keypair),
  user_id: keypair.user_id,
  id: keypair.number,
  created_at: toNaive(keypair.created_at),
  updated_at: null,
  deleted: false,
  deleted_at: null,
})
