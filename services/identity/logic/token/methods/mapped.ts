/** By what an identity provider says, as a trusted proxy hands it in; or by a token that was got by that. */
import { expectedToFind, loginFailed } from '../../../contract/errors.ts'
import { federatedLogin } from '../../federation/login.ts'
import { assertionFromProxy } from '../../federation/proxy.ts'
import type { Prove } from './proof.ts'
import { byToken } from './token.ts'

/** The method has several names; clients use that of their protocol. */
export const byMapping =
  (method: 'mapped' | 'saml2' | 'openid' | 'x509'): Prove =>
  async (parts, login) => {
    const { auth, headers, clientAddress } = login
    const given = auth.identity[method]
    if (!given) throw expectedToFind(method, 'identity')
    const { id, identity_provider: idpId, protocol: protocolId } = given
    if (id !== undefined) {
      const proof = await byToken(parts, { ...login, auth: { ...auth, identity: { ...auth.identity, token: { id } } } })
      if (!proof.federation) throw loginFailed()
      return proof
    }
    if (idpId === undefined) throw expectedToFind('identity_provider', method)
    if (protocolId === undefined) throw expectedToFind('protocol', method)
    const assertion = await assertionFromProxy(parts, { idpId, protocolId, headers, clientAddress })
    return federatedLogin(parts, { idpId, protocolId, assertion })
  }
