/** Assertions that a trusted proxy in front of this service vouches for: it has logged the caller in before the request comes here. */
import { idpOfRemoteId, remoteIdAttributes } from '../../store/federation.ts'
import type { Parts } from '../parts.ts'
import { assertionFromProxy, attributesFrom } from './proxy.ts'
import type { AssertionSource, SourceRequest } from './sources.ts'

export function proxySource(
  parts: Parts,
  place: { readonly idpId: string; readonly protocolId: string },
): AssertionSource {
  const believe = ({ headers, clientAddress }: SourceRequest) =>
    assertionFromProxy(parts, { ...place, headers, clientAddress })
  return {
    atAuth: async asked => ({ assertion: await believe(asked) }),
    async atWebsso(asked, origin) {
      const to = origin()
      return { assertion: await believe(asked), origin: to }
    },
  }
}

/** The identity provider at which a proxy logged the caller in, by its remote id; undefined where the request tells of none. */
export async function idpNamedByProxy(
  parts: Parts,
  protocolId: string,
  sent: Pick<SourceRequest, 'headers' | 'clientAddress'>,
): Promise<string | undefined> {
  const attributes = attributesFrom(parts, sent)
  if (!attributes) return undefined
  const { db } = parts.store
  for (const name of [parts.config.remote_id_attribute, ...(await remoteIdAttributes(db, protocolId))]) {
    const [remoteId] = name ? attributes(name) : []
    const idp = remoteId === undefined ? undefined : await idpOfRemoteId(db, remoteId)
    if (idp) return idp.id
  }
  return undefined
}
