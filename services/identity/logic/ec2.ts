/** Pairs of EC2 keys, and the tokens for requests that were signed with them. */

import type { RequestContext } from '@strata/toolkit/context'
import { badRequest } from '@strata/toolkit/fault'
import type { Ec2Blob, SignedRequest } from '../contract/credential.ts'
import { loginFailed, missing } from '../contract/errors.ts'
import {
  addCredential,
  type CredentialRow,
  credentialsOf,
  findCredential,
  removeCredential,
} from '../store/credential.ts'
import { findProject } from '../store/project.ts'
import { findUser } from '../store/user.ts'
import { delegationOf, ec2, ec2Id } from './credential.ts'
import { newId, type Parts } from './parts.ts'
import { isSignedEc2, isSignedS3, signedAt } from './rules/aws-signature.ts'
import type { Delegation } from './rules/token-payload.ts'
import type { IssuedToken } from './token/tokens.ts'

/** How far the time of a signature may be from now, either way: a request that was heard cannot be repeated for long. */
const signatureLifetime = 15 * 60_000

export interface Ec2Keys {
  readonly userId: string
  readonly projectId: string | null
  readonly blob: Ec2Blob
}

export function ec2Logic(parts: Parts) {
  const { store, vault } = parts
  const { db } = store
  const keysOf = (row: CredentialRow): Ec2Keys => ({
    userId: row.user_id,
    projectId: row.project_id,
    blob: JSON.parse(vault.open(row.sealed_blob)) as Ec2Blob,
  })
  const find = async (access: string): Promise<Ec2Keys | undefined> => {
    const row = await findCredential(db, ec2Id(access))
    return row?.type === ec2 ? keysOf(row) : undefined
  }
  return {
    find,
    list: async (userId: string) => (await credentialsOf(db, userId, ec2)).map(keysOf),
    async create(context: RequestContext, userId: string, projectId: string): Promise<Ec2Keys> {
      if (!(await findUser(db, userId))) throw missing('user', userId)
      if (!(await findProject(db, projectId))) throw missing('project', projectId)
      const delegation = delegationOf(context)
      const random = () => Buffer.from(parts.runtime.bytes(16)).toString('hex')
      const blob: Ec2Blob = { access: newId(parts.runtime), secret: random(), trust_id: null, ...delegation }
      await addCredential(db, {
        id: ec2Id(blob.access),
        user_id: userId,
        project_id: projectId,
        type: ec2,
        sealed_blob: vault.seal(JSON.stringify(blob)),
        extra: null,
      })
      return { userId, projectId, blob }
    },
    remove: (access: string) => removeCredential(db, ec2Id(access)),
    /** A token for whoever signed the request. Throws a 401 in the same words whatever was wrong. */
    async tokenFor(request: SignedRequest, api: 'ec2' | 's3'): Promise<IssuedToken> {
      // How long a signature of S3 is good is part of what the object store itself knows: an address can be signed for days.
      if (api === 'ec2') refuseOld(request, parts.runtime.now())
      const keys = await find(request.access)
      const isSigned = api === 'ec2' ? isSignedEc2 : isSignedS3
      const right = isSigned(request, keys?.blob.secret ?? '')
      if (!keys || !right || keys.projectId === null) throw loginFailed()
      const token = await parts.tokens.issue({
        userId: keys.userId,
        scope: { type: 'project', id: keys.projectId },
        methods: ['ec2credential'],
        issuedAt: parts.runtime.now(),
        delegation: delegationIn(keys.blob),
      })
      if (!token) throw loginFailed()
      return token
    },
  }
}

function refuseOld(request: SignedRequest, now: number): void {
  const at = signedAt(request)
  if (at === undefined) throw badRequest('The request does not say when it was signed.', 'ValidationError')
  if (Math.abs(now - at) > signatureLifetime) throw loginFailed()
}

function delegationIn({ app_cred_id: credentialId, trust_id: trustId }: Ec2Blob): Delegation | undefined {
  if (trustId) return { type: 'trust', id: trustId }
  return credentialId ? { type: 'application_credential', id: credentialId } : undefined
}
