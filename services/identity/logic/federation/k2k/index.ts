/** This cloud as the identity provider of other clouds: what it vouches for, and what it tells about itself. */
import { forbidden } from '@strata/toolkit/fault'
import { missing, refusedAction, tokenNotFound } from '../../../contract/errors.ts'
import type { SamlConfig } from '../../../contract/federation-auth.ts'
import { findServiceProvider } from '../../../store/federation.ts'
import { findDomain } from '../../../store/project.ts'
import { findGroups, groupIdsOf } from '../../../store/user.ts'
import type { Parts } from '../../parts.ts'
import type { CheckedToken } from '../../token/checked.ts'
import { ecpResponse } from '../saml/envelope.ts'
import type { SamlKeys } from '../saml/keys.ts'
import { type IdentityProviderAbout, identityProviderMetadata } from '../saml/metadata.ts'
import { cloudResponse } from './assertion.ts'

export interface CloudProvider {
  /** The response for a service provider, bare or in the envelope of ECP. Throws 404 for an unknown token or provider, 403 else. */
  vouch(asked: { readonly token: string; readonly serviceProvider: string; readonly ecp: boolean }): Promise<Vouched>
  metadata(): Promise<string>
}

export interface Vouched {
  /** XML. */
  readonly text: string
  readonly spUrl: string
  readonly authUrl: string
}

export function cloudProvider(options: {
  readonly parts: Parts
  readonly config: SamlConfig
  readonly keys: SamlKeys
  /** The service's public address. */
  readonly base: string
}): CloudProvider {
  const { parts, config, keys, base } = options
  const { runtime } = parts
  const entityId = config.idp_entity_id ?? `${base}/v3/OS-FEDERATION/saml2/idp`
  const newId = () => `_${Buffer.from(runtime.bytes(16)).toString('hex')}`
  return {
    async vouch({ token: text, serviceProvider, ecp }) {
      const token = await parts.tokens.check(text)
      if (!token) throw tokenNotFound()
      const provider = await findServiceProvider(parts.store.db, serviceProvider)
      if (!provider) throw missing('service_provider', serviceProvider)
      if (!provider.enabled) throw forbidden(`Service Provider ${serviceProvider} is disabled`)
      const now = runtime.now()
      const response = cloudResponse({
        token: vouchable(token),
        groups: await groupsOf(parts, token),
        issuer: entityId,
        recipient: provider.sp_url,
        now,
        notOnOrAfter: Math.min(now + config.assertion_expiration_time * 1000, token.payload.expiresAt),
        ids: [newId(), newId(), newId()],
        signing: await keys.signing(),
      })
      const relayState = provider.relay_state_prefix + Buffer.from(runtime.bytes(16)).toString('hex')
      return {
        text: ecp ? ecpResponse({ response, relayState, consumerUrl: provider.sp_url }) : response,
        spUrl: provider.sp_url,
        authUrl: provider.auth_url,
      }
    },
    metadata: async () =>
      identityProviderMetadata({
        entityId,
        ssoUrl: config.idp_sso_endpoint ?? `${base}/v3/auth/OS-FEDERATION/saml2/ecp`,
        signing: (await keys.signing()).certificate,
        lang: config.idp_lang,
        ...aboutOperator(config),
      }),
  }
}

/** What an assertion cannot say must not be lost on the way: it has a project, and no bounds beside its roles and its end. */
function vouchable({ info, payload }: CheckedToken) {
  const { project } = info
  if (!project) throw refusedAction('Use a project scoped token when attempting to create a SAML assertion')
  const { delegation } = payload
  if (info.applicationCredential?.accessRules || (delegation && delegation.type !== 'application_credential'))
    throw refusedAction(
      'A token that was got by delegation, or is good for some requests alone, cannot become an assertion.',
    )
  return { ...info, project }
}

async function groupsOf({ store: { db } }: Parts, { payload }: CheckedToken) {
  const ids = new Set([...(await groupIdsOf(db, payload.userId)), ...(payload.federation?.groupIds ?? [])])
  const groups = await findGroups(db, [...ids])
  const domains = new Map<string, string>()
  for (const id of new Set(groups.map(group => group.domain_id)))
    domains.set(id, (await findDomain(db, { id }))?.name ?? id)
  return groups.map(({ name, domain_id }) => ({ name, domain: domains.get(domain_id)! }))
}

function aboutOperator(config: SamlConfig): Pick<IdentityProviderAbout, 'organization' | 'contact'> {
  const { idp_organization_name: name, idp_organization_url: url } = config
  const displayName = config.idp_organization_display_name
  const contact = {
    company: config.idp_contact_company,
    givenName: config.idp_contact_name,
    surname: config.idp_contact_surname,
    email: config.idp_contact_email,
    telephone: config.idp_contact_telephone,
  }
  const hasContact = Object.values(contact).some(value => value !== undefined)
  return {
    ...(name && displayName && url && { organization: { name, displayName, url } }),
    ...(hasContact && { contact: { type: config.idp_contact_type, ...contact } }),
  }
}
