/** The sources that `strata.yaml` configures. Errors in it end the start, in words for the operator. */
import { readFileSync } from 'node:fs'
import { ConfigError } from '@strata/toolkit/config'
import { reason } from '@strata/toolkit/fault'
import type { FederationConfig, OidcProvider, SamlConfig, SamlProvider } from '../../contract/federation-auth.ts'
import type { Parts } from '../parts.ts'
import { cloudProvider } from './k2k/index.ts'
import { oidcSource } from './oidc/source.ts'
import { type SamlKeys, samlKeys } from './saml/keys.ts'
import { type IdpMetadata, readIdpMetadata } from './saml/metadata.ts'
import { type SamlSource, samlSource } from './saml/source.ts'
import { type AssertionSource, type Place, placeOf } from './sources.ts'

export interface ConfiguredSource {
  readonly place: Place
  readonly source: AssertionSource
  /** Where it speaks SAML. */
  readonly saml?: SamlSource
}

export interface ConfiguredSources {
  find(idpId: string, protocolId: string): ConfiguredSource | undefined
  /** Where the configured ones of a protocol are met, in the order of the configuration. */
  ofProtocol(protocolId: string): readonly Place[]
  /** Where one is met, configured here or at a proxy. */
  placeOf(idpId: string, protocolId: string): Place
}

/** Throws `ConfigError`. */
export function configuredSources(options: {
  readonly parts: Parts
  readonly config: FederationConfig
  readonly keys: SamlKeys
  /** The service's public address. */
  readonly base: string
}): ConfiguredSources {
  const { parts, config, keys, base } = options
  const shared = { parts, skew: config.clock_skew * 1000, timeout: config.login_timeout * 1000 }
  const all: ConfiguredSource[] = []
  for (const [idpId, protocols] of Object.entries(config.providers))
    for (const [protocolId, { saml, oidc }] of Object.entries(protocols)) {
      const where = `federation.providers.${idpId}.${protocolId}`
      const place = placeOf(base, idpId, protocolId)
      if (saml) {
        const source = samlSource({ ...shared, provider: saml, idp: metadataOf(saml, where), place, keys })
        all.push({ place, source, saml: source })
      }
      if (oidc)
        all.push({
          place,
          source: oidcSource({ ...shared, provider: oidc, secret: secretOf(oidc, where), place }),
        })
    }
  return {
    find: (idpId, protocolId) => all.find(({ place }) => place.idpId === idpId && place.protocolId === protocolId),
    ofProtocol: protocolId => all.map(({ place }) => place).filter(place => place.protocolId === protocolId),
    placeOf: (idpId, protocolId) => placeOf(base, idpId, protocolId),
  }
}

function metadataOf({ metadata, metadata_file, idp_entity_id }: SamlProvider, where: string): IdpMetadata {
  try {
    return readIdpMetadata(metadata ?? readFileSync(metadata_file!, 'utf8'), idp_entity_id)
  } catch (thrown) {
    throw new ConfigError(`${where}.saml: its metadata cannot be used: ${reason(thrown)}`, { cause: thrown })
  }
}

function secretOf({ client_secret, client_secret_file, issuer, allow_http }: OidcProvider, where: string) {
  if (!allow_http && !issuer.startsWith('https:'))
    throw new ConfigError(`${where}.oidc.issuer: without TLS nothing that it says can be believed (allow_http: true)`)
  try {
    return client_secret_file === undefined ? client_secret : readFileSync(client_secret_file, 'utf8').trim()
  } catch (thrown) {
    throw new ConfigError(`${where}.oidc.client_secret_file cannot be read: ${reason(thrown)}`, { cause: thrown })
  }
}

/** All of federated log-in, from the configuration. Throws `ConfigError`. */
export function federatedLogins(options: {
  readonly parts: Parts
  readonly federation: FederationConfig
  readonly saml: SamlConfig
  /** For keys that are made. */
  readonly folder: string
  /** Of the cloud, in whose catalog identity is below `/identity`. */
  readonly publicUrl: string | undefined
}) {
  const { parts, federation, saml, folder, publicUrl } = options
  const base = (federation.public_endpoint ?? `${publicUrl ?? 'http://localhost'}/identity`).replace(/\/+$/, '')
  const { certfile, keyfile } = saml
  if ((certfile === undefined) !== (keyfile === undefined))
    throw new ConfigError('saml: certfile and keyfile are given both, or none of them')
  const keys = samlKeys({ folder, runtime: parts.runtime, name: new URL(base).host, certfile, keyfile })
  return {
    sources: configuredSources({ parts, config: federation, keys, base }),
    cloud: cloudProvider({ parts, config: saml, keys, base }),
    trustedDashboards: federation.trusted_dashboard,
  }
}
