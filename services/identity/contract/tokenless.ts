/** Requests without a token, by a client certificate that a trusted proxy has checked: options, named as in Keystone. */
import { configSection } from '@strata/toolkit/config'

export interface TokenlessConfig {
  readonly trusted_issuer: readonly string[]
  readonly protocol: string
  readonly issuer_attribute: string
}

export const tokenlessConfig = configSection<TokenlessConfig>('tokenless_auth', {
  trusted_issuer: {
    type: 'array',
    description:
      'Issuers (distinguished names, as trusted_proxies write them) whose client certificates do in the place of a token; none: no certificate does.',
    default: [],
    items: { type: 'string', minLength: 1 },
  },
  protocol: {
    type: 'string',
    description:
      'Protocol whose mapping says who is meant; of the identity provider whose id is the SHA-256 of the issuer.',
    default: 'x509',
    minLength: 1,
  },
  issuer_attribute: {
    type: 'string',
    description: 'Attribute in which trusted_proxies say who issued the certificate.',
    default: 'SSL_CLIENT_I_DN',
    minLength: 1,
  },
})
