/** What was revoked, for those who keep tokens and look for what has become of them. */
import { type RevocationRow, revocationsSince } from '../store/revocation.ts'
import type { Parts } from './parts.ts'

export type Revoked = RevocationRow

export function revocationLogic({ store }: Parts) {
  return {
    /** Those after that time (milliseconds since 1970), as long as a token could match them. */
    since: (time: number): Promise<Revoked[]> => revocationsSince(store.db, time),
  }
}
