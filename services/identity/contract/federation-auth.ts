/**
 * Federated log-in: its options in `strata.yaml`, and the body by which one asks for an assertion for another cloud.
 *
 * Words: an *identity provider* is who knows the users, a *protocol* is one way of asking it (both are made over the API); here
 * stands how it is reached and why it is believed. A *dashboard* is where a browser goes with its token.
 */
import { configSection } from '@strata/toolkit/config'

/** An identity provider that speaks SAML 2.0. */
export interface SamlProvider {
  readonly metadata?: string
  readonly metadata_file?: string
  readonly idp_entity_id?: string
  readonly entity_id?: string
  readonly sign_requests?: boolean
  readonly keystone?: boolean
  readonly attribute_names?: Readonly<Record<string, string>>
}

/** An identity provider that speaks OpenID Connect. */
export interface OidcProvider {
  readonly issuer: string
  readonly client_id: string
  readonly client_secret?: string
  readonly client_secret_file?: string
  readonly scope?: string
  readonly audience?: readonly string[]
  readonly userinfo?: boolean
  readonly allow_http?: boolean
  readonly authorization_endpoint?: string
  readonly token_endpoint?: string
  readonly userinfo_endpoint?: string
  readonly introspection_endpoint?: string
  readonly jwks_uri?: string
}

export interface ProviderConfig {
  readonly saml?: SamlProvider
  readonly oidc?: OidcProvider
}

export interface FederationConfig {
  readonly public_endpoint?: string
  readonly trusted_dashboard: readonly string[]
  readonly clock_skew: number
  readonly login_timeout: number
  /** By identity provider and protocol. */
  readonly providers: Readonly<Record<string, Readonly<Record<string, ProviderConfig>>>>
}

const string = (description: string, more: object = {}) => ({ type: 'string', minLength: 1, description, ...more })
const flag = (description: string) => ({ type: 'boolean', description })
const url = (description: string) => string(description, { pattern: '^https?://[^\\s]+$' })

const samlProvider = {
  type: 'object',
  additionalProperties: false,
  anyOf: [{ required: ['metadata'] }, { required: ['metadata_file'] }],
  properties: {
    metadata: string('The provider’s metadata: XML.'),
    metadata_file: string('A file with the provider’s metadata.'),
    idp_entity_id: string('Which one of several providers of the metadata.'),
    entity_id: string('This cloud’s name at the provider; by default the address of its own metadata.'),
    sign_requests: flag('Requests are signed; by default when the metadata ask for it.'),
    keystone: flag('The provider is another cloud: its assertions answer no request and name no audience.'),
    attribute_names: {
      type: 'object',
      description: 'Names under which mappings find attributes, by the names that the provider gives them.',
      additionalProperties: { type: 'string', minLength: 1 },
    },
  },
}

const oidcProvider = {
  type: 'object',
  additionalProperties: false,
  required: ['issuer', 'client_id'],
  properties: {
    issuer: url('The provider’s issuer; what is not given here is discovered there.'),
    client_id: string('This cloud’s name at the provider.'),
    client_secret: string('Its secret; without one it is a public client.'),
    client_secret_file: string('A file with its secret.'),
    scope: string('Asked for in a browser; `openid profile email` by default.'),
    audience: {
      type: 'array',
      description: 'Audiences of access tokens that are taken beside `client_id`.',
      items: { type: 'string', minLength: 1 },
    },
    userinfo: flag('False: claims are those of tokens alone, without asking the provider for more.'),
    allow_http: flag('Speaks with the provider without TLS. For tests.'),
    authorization_endpoint: url('Where browsers log in.'),
    token_endpoint: url('Where codes become tokens.'),
    userinfo_endpoint: url('Where further claims are asked for.'),
    introspection_endpoint: url('Where opaque access tokens are asked about (RFC 7662).'),
    jwks_uri: url('Keys of the provider.'),
  },
}

export const federationConfig = configSection<FederationConfig>('federation', {
  public_endpoint: url('Base address of identity as providers and browsers reach it; by default that of the catalog.'),
  trusted_dashboard: {
    type: 'array',
    description: 'Addresses to which a browser may be sent with its token, each in full.',
    default: [],
    items: { type: 'string', pattern: '^https?://[^\\s]+$' },
  },
  clock_skew: {
    type: 'integer',
    description: 'Seconds by which the clocks of identity providers may differ from ours.',
    default: 60,
    minimum: 0,
    maximum: 300,
  },
  login_timeout: {
    type: 'integer',
    description: 'Seconds in which a browser may be back from its identity provider.',
    default: 600,
    minimum: 30,
    maximum: 3600,
  },
  providers: {
    type: 'object',
    description: 'How identity providers are reached: by their id, then by the id of the protocol, `saml` or `oidc`.',
    default: {},
    additionalProperties: {
      type: 'object',
      additionalProperties: {
        type: 'object',
        additionalProperties: false,
        minProperties: 1,
        maxProperties: 1,
        properties: { saml: samlProvider, oidc: oidcProvider },
      },
    },
  },
})

/** This cloud as an identity provider of other clouds. */
export interface SamlConfig {
  readonly assertion_expiration_time: number
  readonly certfile?: string
  readonly keyfile?: string
  readonly idp_entity_id?: string
  readonly idp_sso_endpoint?: string
  readonly idp_lang: string
  readonly idp_organization_name?: string
  readonly idp_organization_display_name?: string
  readonly idp_organization_url?: string
  readonly idp_contact_company?: string
  readonly idp_contact_name?: string
  readonly idp_contact_surname?: string
  readonly idp_contact_email?: string
  readonly idp_contact_telephone?: string
  readonly idp_contact_type: (typeof contactTypes)[number]
}

const contactTypes = ['technical', 'support', 'administrative', 'billing', 'other'] as const

export const samlConfig = configSection<SamlConfig>('saml', {
  assertion_expiration_time: {
    type: 'integer',
    description: 'Seconds in which an assertion for another cloud can be used.',
    default: 3600,
    minimum: 1,
  },
  certfile: string('Certificate (PEM) of the key that signs assertions; one is made where none is given.'),
  keyfile: string('The key (PEM, RSA) that signs assertions.'),
  idp_entity_id: string('This cloud’s name as an identity provider.'),
  idp_sso_endpoint: url('Where metadata say that assertions are asked for.'),
  idp_lang: string('Language of what metadata say of the organization.', { default: 'en' }),
  idp_organization_name: string('The organization in metadata, told when its three options are given.'),
  idp_organization_display_name: string('Its name as people read it.'),
  idp_organization_url: url('Its address.'),
  idp_contact_company: string('The contact in metadata, told when any of its options is given.'),
  idp_contact_name: string('Given name.'),
  idp_contact_surname: string('Surname.'),
  idp_contact_email: string('Mail address.'),
  idp_contact_telephone: string('Telephone number.'),
  idp_contact_type: {
    type: 'string',
    description: 'What the contact is for.',
    default: 'other',
    enum: [...contactTypes],
  },
})

export interface AssertionRequest {
  readonly auth: {
    readonly identity: { readonly methods: readonly string[]; readonly token: { readonly id: string } }
    readonly scope: { readonly service_provider: { readonly id: string } }
  }
}

const object = (properties: Readonly<Record<string, object>>) => ({
  type: 'object',
  required: Object.keys(properties),
  properties,
})
const text = { type: 'string', minLength: 1, maxLength: 4096 }

/** `POST /v3/auth/OS-FEDERATION/saml2`. */
export const assertionRequestSchema = object({
  auth: object({
    identity: object({
      methods: { type: 'array', items: { type: 'string', enum: ['token'] }, minItems: 1, maxItems: 1 },
      token: object({ id: text }),
    }),
    scope: object({ service_provider: object({ id: text }) }),
  }),
})
