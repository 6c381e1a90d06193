/** The methods by which one logs in. `ec2credential` is not among them: a signature is checked for a service, not for who signed. */
import { byApplicationCredential } from './application-credential.ts'
import { byProxy } from './external.ts'
import { byMapping } from './mapped.ts'
import { isLoginMethod, type LoginMethod } from './names.ts'
import { byOAuth1 } from './oauth1.ts'
import { byPassword } from './password.ts'
import type { Prove } from './proof.ts'
import { byToken } from './token.ts'
import { byTotp } from './totp.ts'

const provers = {
  password: byPassword,
  totp: byTotp,
  token: byToken,
  application_credential: byApplicationCredential,
  mapped: byMapping('mapped'),
  saml2: byMapping('saml2'),
  openid: byMapping('openid'),
  x509: byMapping('x509'),
  external: byProxy,
  oauth1: byOAuth1,
} satisfies Record<LoginMethod, Prove>

export const proverOf = (method: string): Prove | undefined => (isLoginMethod(method) ? provers[method] : undefined)
