/** `/v3/domains/{id}/config`: configuration of single domains, whole, by group or by option; and what holds without one. */
import { type ApiRequest, type Operation, operation, reply } from '@strata/toolkit/service'
import { type DomainConfig, domainConfigSchema } from '../contract/domain-config.ts'
import { domainConfigLogic, type Part, refuseMissing } from '../logic/domain-config.ts'
import type { Parts } from '../logic/parts.ts'

interface Body {
  readonly config?: Readonly<Record<string, unknown>>
}

export function domainConfigOperations(parts: Parts): Operation[] {
  const logic = domainConfigLogic(parts)
  const whole = '/v3/domains/:domain_id/config'
  const partOf = ({ params }: ApiRequest): Part => ({
    domainId: params['domain_id']!,
    ...(params['group'] !== undefined && { group: params['group'] }),
    ...(params['option'] !== undefined && { option: params['option'] }),
  })
  const group = 'security_compliance'
  const paths = [whole, `${whole}/:group`, `${whole}/:group/:option`]
  return [
    ...[
      '/v3/domains/config/default',
      '/v3/domains/config/:group/default',
      '/v3/domains/config/:group/:option/default',
    ].map(path =>
      operation({
        method: 'GET',
        path,
        policy: 'identity:get_domain_config_default',
        handler: request => ({ config: logic.defaults(partOf(request)) }),
      }),
    ),
    // What passwords must be like is for everyone to know.
    ...[`${whole}/${group}`, `${whole}/${group}/:option`].map(path =>
      operation({
        method: 'GET',
        path,
        policy: 'identity:get_security_compliance_domain_config',
        handler: request => ({ config: logic.securityCompliance({ ...partOf(request), group }) }),
      }),
    ),
    operation<Body>({
      method: 'PUT',
      path: whole,
      policy: 'identity:create_domain_config',
      body: domainConfigSchema,
      async handler(request) {
        const { config, created } = await logic.replace(partOf(request).domainId, configIn(request.body))
        return reply(created ? 201 : 200, { config })
      },
    }),
    ...paths.flatMap(path => [
      operation({
        method: 'GET',
        path,
        async handler(request) {
          const part = partOf(request)
          request.context.enforce('identity:get_domain_config', {})
          const config = await logic.show(part)
          await refuseMissing(parts.store.db, part.domainId)
          return { config }
        },
      }),
      operation<Body>({
        method: 'PATCH',
        path,
        policy: 'identity:update_domain_config',
        body: domainConfigSchema,
        handler: async request => reply(200, { config: await logic.change(partOf(request), configIn(request.body)) }),
      }),
      operation({
        method: 'DELETE',
        path,
        policy: 'identity:delete_domain_config',
        async handler(request) {
          await logic.remove(partOf(request))
          return reply(204)
        },
      }),
    ]),
  ]
}

const configIn = (body: Body): DomainConfig => (body.config ?? {}) as DomainConfig
