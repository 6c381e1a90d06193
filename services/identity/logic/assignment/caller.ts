/** What a caller has beside what it was given here. */
import type { RequestContext } from '@strata/toolkit/context'
import { type Parts, validityOf } from '../parts.ts'
import type { AlsoIn } from './effective.ts'

/** The groups that its token says, and those that its identity provider vouched for not too long ago. */
export async function alsoIn(parts: Parts, { tokenText }: Pick<RequestContext, 'tokenText'>): Promise<AlsoIn> {
  const token = await parts.tokens.check(tokenText ?? '')
  return { groupIds: token?.payload.federation?.groupIds, validity: validityOf(parts) }
}
