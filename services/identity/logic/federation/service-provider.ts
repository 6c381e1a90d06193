/** Service providers: tokens list those that are enabled, so each change is news to all tokens. */
import type { Hooks } from '@strata/toolkit/resource'
import { duplicate, missingServiceProvider } from '../../contract/errors.ts'
import type { serviceProvider } from '../../contract/service-provider.ts'
import { findServiceProvider } from '../../store/federation.ts'
import type { Parts } from '../parts.ts'
import { idIn } from './idp.ts'

const prefixOf = (given: string | null | undefined) => (given === null ? { relay_state_prefix: 'ss:mem:' } : {})

export function serviceProviderHooks(parts: Parts): Hooks<typeof serviceProvider.fields> {
  return {
    restrict: () => [],
    missing: missingServiceProvider,
    async beforeCreate(body, { tx, request }) {
      const id = idIn(request)
      if (await findServiceProvider(tx, id)) throw duplicate('service_provider', `ID ${id}`)
      return { id, ...prefixOf(body.relay_state_prefix) }
    },
    beforeUpdate: (_row, body) => prefixOf(body.relay_state_prefix),
    afterCreate: (_row, { afterCommit }) => parts.changed(afterCommit),
    afterUpdate: (_row, _before, { afterCommit }) => parts.changed(afterCommit),
    afterDelete: (_row, { afterCommit }) => parts.changed(afterCommit),
  }
}
