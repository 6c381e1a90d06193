/**
 * Identity providers, who know users of elsewhere, and their *protocols*: the ways in which one logs in by them, each with the
 * mapping that says what becomes of whom. *Remote ids* are the names by which a provider calls itself (entity ids, issuers).
 */
import { resource } from '@strata/toolkit/resource'
import { boolean, integer, json, text } from '@strata/toolkit/schema'

export const identityProvider = resource({
  name: 'identity_provider',
  plural: 'identity_providers',
  path: '/v3/OS-FEDERATION/identity_providers',
  table: 'identity_providers',
  fields: {
    /** Chosen by the caller. */
    id: text().readOnly().filterable(),
    /** Whose its users are; a new one unless given. */
    domain_id: text({ minLength: 1, maxLength: 64 }).nullable().immutable(),
    enabled: boolean().defaultTo(false).filterable(),
    description: text().nullable(),
    /** Minutes for which the groups of a login hold; null: as configured. */
    authorization_ttl: integer({ minimum: 0, maximum: 5_256_000 }).nullable(),
    /** No two providers share one. */
    remote_ids: json<readonly string[] | null>({
      type: ['array', 'null'],
      maxItems: 1000,
      uniqueItems: true,
      items: { type: 'string', minLength: 1, maxLength: 255 },
    })
      .optional()
      .computed(),
  },
  policy: {
    list: 'identity:list_identity_providers',
    show: 'identity:get_identity_provider',
    create: 'identity:create_identity_provider',
    update: 'identity:update_identity_provider',
    delete: 'identity:delete_identity_provider',
  },
})

export interface ProtocolBody {
  readonly protocol: { readonly mapping_id: string; readonly remote_id_attribute?: string | null }
}

const id = { type: 'string', minLength: 1, maxLength: 64 }

/** Of a new protocol, and of a change: both name the mapping. */
export const protocolSchema = {
  type: 'object',
  required: ['protocol'],
  properties: {
    protocol: {
      type: 'object',
      additionalProperties: false,
      required: ['mapping_id'],
      properties: { mapping_id: id, remote_id_attribute: { type: ['string', 'null'], maxLength: 64 } },
    },
  },
}
