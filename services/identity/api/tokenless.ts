/** Lets client certificates do in the place of tokens, where the configuration names issuers. */
import { createContext, type RequestContext } from '@strata/toolkit/context'
import type { Policy } from '@strata/toolkit/policy'
import { type ApiRequest, type Operation, withChanges } from '@strata/toolkit/service'
import type { TokenlessConfig } from '../contract/tokenless.ts'
import { tokenOfCertificate } from '../logic/federation/certificate.ts'
import type { Parts } from '../logic/parts.ts'

export interface Tokenless {
  readonly config: TokenlessConfig
  readonly policy: Policy
}

/** The same operations; those that need a token ask for the certificate where there is none, and then for their rule. */
export function withoutToken(
  parts: Parts,
  { config, policy }: Tokenless,
  operations: readonly Operation[],
): Operation[] {
  if (config.trusted_issuer.length === 0) return [...operations]
  const contextOf = async ({ context, headers, clientAddress }: ApiRequest): Promise<RequestContext> => {
    if (context.token) return context
    const { info, text } = await tokenOfCertificate(parts, config, { headers, clientAddress })
    const { requestId, globalRequestId, log } = context
    return createContext({ requestId, globalRequestId, log, policy, token: info, tokenText: text })
  }
  return operations.map(one => {
    if (one.auth === 'none' || one.auth === 'optional') return one
    const { policy: rule, ...rest } = one
    return {
      ...rest,
      auth: 'optional',
      async handler(request) {
        const context = await contextOf(request)
        if (rule !== undefined) {
          const { projectId, userId, domainId } = context
          const target = { project_id: projectId || undefined, user_id: userId, domain_id: domainId || undefined }
          context.enforce(rule, { ...target, ...request.params })
        }
        return one.handler(withChanges(request, { context }))
      },
    }
  })
}
