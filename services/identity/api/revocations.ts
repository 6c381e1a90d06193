/** What was revoked (`/v3/OS-REVOKE/events`), and the lists of the times of PKI tokens, which are gone. */
import { Fault } from '@strata/toolkit/fault'
import { isoTime, toMicroseconds } from '@strata/toolkit/runtime'
import { type Operation, operation } from '@strata/toolkit/service'
import { invalid } from '../contract/errors.ts'
import type { Parts } from '../logic/parts.ts'
import { type Revoked, revocationLogic } from '../logic/revocation.ts'
import { parseTime } from '../logic/rules/times.ts'

export function revocationOperations(parts: Parts): Operation[] {
  const logic = revocationLogic(parts)
  const gone = (path: string) =>
    operation({
      method: 'GET',
      path,
      auth: 'none',
      handler: () => {
        const message = 'This API is no longer available due to the removal of support for PKI tokens.'
        throw new Fault({ status: 410, code: 'Gone', message })
      },
    })
  return [
    operation({
      method: 'GET',
      path: '/v3/OS-REVOKE/events',
      policy: 'identity:list_revoke_events',
      async handler({ query, baseUrl }) {
        const events = await logic.since(sinceIn([query['since']].flat().at(-1)))
        return {
          events: events.map(view),
          links: { next: null, self: `${baseUrl}/v3/OS-REVOKE/events`, previous: null },
        }
      },
    }),
    gone('/v3/OS-SIMPLE-CERT/ca'),
    gone('/v3/OS-SIMPLE-CERT/certificates'),
  ]
}

function sinceIn(text: string | undefined): number {
  if (!text) return 0
  const time = parseTime(text)
  if (!time) throw invalid('since', 'is not a time (ISO 8601)')
  return time.at
}

/** Only what an event names is shown of it. */
function view(row: Revoked): object {
  const time = toMicroseconds(isoTime(row.issued_before))
  const named = {
    user_id: row.user_id,
    project_id: row.project_id,
    domain_id: row.domain_id,
    audit_id: row.audit_id,
    audit_chain_id: row.audit_chain_id,
    'OS-TRUST:trust_id': row.trust_id,
    'OS-OAUTH1:consumer_id': row.consumer_id,
    'OS-OAUTH1:access_token_id': row.access_token_id,
  }
  return {
    ...Object.fromEntries(Object.entries(named).filter(([, value]) => value !== null)),
    issued_before: time,
    revoked_at: time,
  }
}
