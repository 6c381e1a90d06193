/**
 * What a notification says: in the form of CADF (DMTF DSP0262, as pyCADF writes it: who did what to what, and how it ended), or
 * in the *basic* form, which names the resource alone.
 */
import { isoTime } from '../runtime/index.ts'

export type Outcome = 'success' | 'failure' | 'pending'

/** Who made the request that something came of. */
export interface Initiator {
  readonly userId?: string
  readonly userName?: string
  readonly projectId?: string
  readonly domainId?: string
  readonly requestId?: string
  readonly globalRequestId?: string
  /** IP address, and the program as it names itself. */
  readonly address?: string
  readonly agent?: string
}

/** Something that happened. It names things by their ids and never holds what is secret about them. */
export interface Notice {
  /** `identity.user.created`, `identity.authenticate`. */
  readonly eventType: string
  /** CADF's: `created.user`, `authenticate`. */
  readonly action: string
  readonly outcome?: Outcome
  readonly target: { readonly typeURI: string; readonly id?: string }
  readonly reason?: { readonly code: number; readonly type: string }
  /** Of the basic form, and beside CADF's own members: `resource_info`, `role`, `actor_id`, … */
  readonly about?: Readonly<Record<string, string | boolean>>
}

interface Occurrence {
  readonly notice: Notice
  readonly initiator: Initiator
  readonly id: string
  /** Milliseconds since 1970. */
  readonly at: number
}

export function basicPayload({ notice, initiator }: Occurrence): Record<string, unknown> {
  return withoutGaps({
    ...notice.about,
    request_id: initiator.requestId,
    global_request_id: initiator.globalRequestId,
  })
}

/** `observer`: the service that tells of it; `newId` for a target that is none of ours. */
export function cadfPayload(
  { notice, initiator, id, at }: Occurrence,
  { observer, newId }: { observer: { readonly id?: string; readonly typeURI: string }; newId: () => string },
): Record<string, unknown> {
  const { userId, userName } = initiator
  return withoutGaps({
    typeURI: 'http://schemas.dmtf.org/cloud/audit/1.0/event',
    eventType: 'activity',
    id,
    eventTime: `${isoTime(at).slice(0, 23)}000+0000`,
    action: notice.action,
    outcome: notice.outcome ?? 'success',
    initiator: withoutGaps({
      id: userId ?? newId(),
      typeURI: 'service/security/account/user',
      user_id: userId,
      name: userName,
      username: userName,
      project_id: initiator.projectId,
      domain_id: initiator.domainId,
      request_id: initiator.requestId,
      global_request_id: initiator.globalRequestId,
      host: withoutGaps({ address: initiator.address, agent: initiator.agent }),
    }),
    target: { typeURI: notice.target.typeURI, id: notice.target.id ?? newId() },
    observer: { typeURI: observer.typeURI, id: observer.id ?? newId() },
    reason: notice.reason && { reasonCode: `${notice.reason.code}`, reasonType: notice.reason.type },
    ...notice.about,
  })
}

const withoutGaps = (members: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
