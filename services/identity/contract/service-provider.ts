/** Service providers: other clouds, to which users of this one may go with an assertion. Tokens list those that are enabled. */
import { resource } from '@strata/toolkit/resource'
import { boolean, text } from '@strata/toolkit/schema'

const url = () => text({ maxLength: 255, pattern: '^[a-zA-Z0-9+.-]+:.+' })

export const serviceProvider = resource({
  name: 'service_provider',
  plural: 'service_providers',
  path: '/v3/OS-FEDERATION/service_providers',
  table: 'service_providers',
  fields: {
    /** Chosen by the caller. */
    id: text().readOnly().filterable(),
    enabled: boolean().defaultTo(false).filterable(),
    description: text().nullable(),
    /** Where one gets a token there, once the assertion has been taken. */
    auth_url: url(),
    /** Where the assertion goes. */
    sp_url: url(),
    relay_state_prefix: text({ maxLength: 255 }).defaultTo('ss:mem:').nullable(),
  },
  policy: {
    list: 'identity:list_service_providers',
    show: 'identity:get_service_provider',
    create: 'identity:create_service_provider',
    update: 'identity:update_service_provider',
    delete: 'identity:delete_service_provider',
  },
})
