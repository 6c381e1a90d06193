/** Options of OAuth and of the form of tokens, part of those of the service. */
export interface OAuthConfig {
  readonly public_endpoint?: string
  readonly request_token_duration: number
  readonly access_token_duration: number
  readonly oauth2_authn_methods: readonly OAuth2Method[]
  readonly oauth2_cert_dn_mapping_id: string
  readonly client_certificate_header: string
  readonly token_provider: TokenProvider
}

const oauth2Methods = ['tls_client_auth', 'client_secret_basic'] as const
export type OAuth2Method = (typeof oauth2Methods)[number]
const tokenProviders = ['fernet', 'jws'] as const
export type TokenProvider = (typeof tokenProviders)[number]

const seconds = (description: string, value: number) => ({
  type: 'integer',
  description,
  default: value,
  minimum: 0,
  maximum: 2 ** 31,
})

export const oauthOptions = {
  public_endpoint: {
    type: 'string',
    pattern: '^https?://',
    description:
      'Address of the service for its clients (without /v3), where it is not the one that requests arrive at: signatures of OAuth 1.0 are made with it.',
  },
  request_token_duration: seconds(
    'Seconds in which a request token of OAuth 1.0 can be authorized and exchanged; 0: for ever.',
    28_800,
  ),
  access_token_duration: seconds('Seconds that an access token of OAuth 1.0 is valid; 0: for ever.', 86_400),
  oauth2_authn_methods: {
    type: 'array',
    items: { type: 'string', enum: oauth2Methods },
    description: `How clients of OAuth 2.0 may prove who they are: ${oauth2Methods.join(', ')}.`,
    default: oauth2Methods,
  },
  oauth2_cert_dn_mapping_id: {
    type: 'string',
    description: 'Mapping of the names in client certificates to users (tls_client_auth).',
    default: 'oauth2_mapping',
  },
  client_certificate_header: {
    type: 'string',
    description:
      'Header in which trusted_proxies say which certificate a client showed (RFC 9440, PEM or Base64). A proxy must remove one that comes from outside.',
    default: 'Client-Cert',
  },
  token_provider: {
    type: 'string',
    enum: tokenProviders,
    description: 'Form of new tokens: fernet (short, says nothing to others) or jws (signed, ES256). Both are read.',
    default: 'fernet',
  },
}
