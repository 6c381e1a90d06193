/** EC2 keys of users, and tokens for signed requests (`/v3/ec2tokens`, `/v3/s3tokens`). */
import { type ApiRequest, type Operation, operation, reply } from '@strata/toolkit/service'
import { ec2CredentialSchema, type SignedRequestBody, signedRequestSchema } from '../contract/credential.ts'
import { missing } from '../contract/errors.ts'
import { type Ec2Keys, ec2Logic } from '../logic/ec2.ts'
import type { Parts } from '../logic/parts.ts'
import { newTokenReply } from './auth.ts'

const all = '/v3/users/:user_id/credentials/OS-EC2'
const one = `${all}/:access`

export function ec2Operations(parts: Parts): Operation[] {
  const logic = ec2Logic(parts)
  /** The keys, if the caller may do this with them: whose they are decides, not who is named in the path. */
  const allowed = async (request: ApiRequest, rule: string): Promise<Ec2Keys> => {
    const access = request.params['access']!
    const found = await logic.find(access)
    if (!found) throw missing('credential', access)
    request.context.enforce(rule, { user_id: found.userId, target: { credential: { user_id: found.userId } } })
    return found
  }
  return [
    operation<{ tenant_id: string }>({
      method: 'POST',
      path: all,
      body: ec2CredentialSchema,
      async handler(request) {
        const userId = request.params['user_id']!
        request.context.enforce('identity:ec2_create_credential', {
          user_id: userId,
          target: { credential: { user_id: userId } },
        })
        const made = await logic.create(request.context, userId, request.body.tenant_id)
        return reply(201, { credential: view(made, request) })
      },
    }),
    operation({
      method: 'GET',
      path: all,
      async handler(request) {
        const userId = request.params['user_id']!
        request.context.enforce('identity:ec2_list_credentials', { user_id: userId })
        const found = await logic.list(userId)
        return {
          credentials: found.map(keys => view(keys, request)),
          links: { next: null, self: `${request.baseUrl}${request.path}`, previous: null },
        }
      },
    }),
    operation({
      method: 'GET',
      path: one,
      handler: async request => ({ credential: view(await allowed(request, 'identity:ec2_get_credential'), request) }),
    }),
    operation({
      method: 'DELETE',
      path: one,
      async handler(request) {
        await logic.remove((await allowed(request, 'identity:ec2_delete_credential')).blob.access)
        return undefined
      },
    }),
    ...(['ec2', 's3'] as const).map(api =>
      operation<SignedRequestBody>({
        method: 'POST',
        path: `/v3/${api}tokens`,
        policy: `identity:${api}tokens_validate`,
        body: signedRequestSchema,
        async handler(request) {
          const { credentials, ec2Credentials } = request.body
          const token = await logic.tokenFor((credentials ?? ec2Credentials)!, api)
          return newTokenReply(200, token, request)
        },
      }),
    ),
  ]
}

function view({ userId, projectId, blob }: Ec2Keys, request: ApiRequest): object {
  const { access, secret, trust_id: trustId = null } = blob
  return {
    access,
    secret,
    user_id: userId,
    tenant_id: projectId,
    trust_id: trustId,
    links: { self: `${request.baseUrl}/v3/users/${userId}/credentials/OS-EC2/${access}` },
  }
}
