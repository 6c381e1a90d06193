/** Credentials by the plain API: what may be in them, who sees which, and their encryption. */
import { createHash } from 'node:crypto'
import type { RequestContext } from '@strata/toolkit/context'
import type { Hooks } from '@strata/toolkit/resource'
import type { credential, Ec2Blob } from '../contract/credential.ts'
import { duplicate, invalid, missing } from '../contract/errors.ts'
import { findCredential } from '../store/credential.ts'
import { findProject } from '../store/project.ts'
import { findUser } from '../store/user.ts'
import { refuseRestricted } from './application-credential.ts'
import type { Parts } from './parts.ts'

export const ec2 = 'ec2'

/** EC2 keys are found by their access key without its being in the database. */
export const ec2Id = (access: string): string => createHash('sha256').update(access).digest('hex')

export function credentialHooks({ vault }: Parts): Hooks<typeof credential.fields> {
  const sees = (context: RequestContext, userId: string) =>
    context.can('identity:get_credential', { target: { credential: { user_id: userId } } })
  return {
    // Who may not see those of others sees its own; the empty id is nobody's.
    restrict: (context, verb) =>
      verb === 'list' && !sees(context, '') ? [eb => eb('user_id', '=', context.userId)] : [],
    target: (values, { userId }) => ({ target: { credential: { user_id: subjectOf(values, userId) } } }),
    decorate: rows =>
      rows.map(({ sealed_blob: sealed, ...row }) => ({ ...row, blob: vault.open(sealed) }) as unknown as object),
    async beforeCreate(body, { tx, context, given }) {
      const userId = body.user_id ?? context.userId
      // Of no project unless it says so, whatever the token is of.
      const projectId = (given['project_id'] as string | null | undefined) ?? null
      if (!(await findUser(tx, userId))) throw missing('user', userId)
      if (projectId !== null && !(await findProject(tx, projectId))) throw missing('project', projectId)
      const owner = { user_id: userId, project_id: projectId }
      if (body.type !== ec2) return { ...owner, sealed_blob: vault.seal(body.blob) }
      if (projectId === null) throw invalid('project_id', 'is needed for credentials of type ec2')
      const blob = readEc2(body.blob)
      const id = ec2Id(blob.access)
      if (await findCredential(tx, id)) throw duplicate('credential', `ID ${id}`)
      return { ...owner, id, sealed_blob: vault.seal(JSON.stringify({ ...blob, ...delegationOf(context) })) }
    },
    beforeUpdate(row, { blob }) {
      if (blob === undefined) return {}
      if (row.type === ec2) refuseOtherKeys(readEc2(vault.open(row.sealed_blob)), readEc2(blob))
      return { sealed_blob: vault.seal(blob) }
    },
  }
}

/** Whose credential is meant: a row’s or a body’s user; in lists, and where none is named, the caller. */
function subjectOf(values: Readonly<Record<string, unknown>>, callerId: string): unknown {
  // Neither a list's query nor the id of what does not exist has this field.
  if ('sealed_blob' in values) return values['user_id'] ?? callerId
  return 'id' in values ? undefined : callerId
}

/** The delegation under which keys are made, which bounds what they can do. Throws a 403 where it permits none. */
export function delegationOf(context: RequestContext): Partial<Ec2Blob> {
  refuseRestricted(context)
  const { applicationCredential, trust } = context.token ?? {}
  return {
    ...(trust && { trust_id: trust.id }),
    ...(applicationCredential && { app_cred_id: applicationCredential.id }),
  }
}

function readEc2(blob: string): Ec2Blob {
  let read: Partial<Ec2Blob> | null = null
  try {
    read = JSON.parse(blob) as Partial<Ec2Blob> | null
  } catch {
    // Refused below.
  }
  if (typeof read?.access !== 'string' || typeof read.secret !== 'string')
    throw invalid('blob', 'must be the JSON text of an object with access and secret, for type ec2')
  return read as Ec2Blob
}

function refuseOtherKeys(before: Ec2Blob, after: Ec2Blob): void {
  for (const key of ['access', 'trust_id', 'app_cred_id'] as const)
    if ((before[key] ?? null) !== (after[key] ?? null)) throw invalid('blob', `must keep its ${key}`)
}
