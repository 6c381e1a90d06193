/** What of a login may be guessing, as the throttle counts it. */
import type { IdentityConfig } from '../../contract/config.ts'
import { callerAddress } from '../password/caller.ts'
import type { Attempt } from '../password/throttle.ts'
import type { Login } from './methods/proof.ts'

/** A passcode has six digits, and two of them are right at any time: of those fewer may be tried. */
const passcodeWeight = 5

/** The account is what the request calls it: whether there is one is found out later. */
export function attemptOf(login: Login, config: Pick<IdentityConfig, 'reverse_proxies'>): Attempt {
  const { methods, password, totp, application_credential: credential } = login.auth.identity
  const named = new Map<string, object>()
  const add = (account: object) => named.set(JSON.stringify(account), account)
  for (const method of methods) {
    const given = method === 'password' ? password?.user : method === 'totp' ? totp?.user : undefined
    if (given) add({ user: { id: given.id, name: given.name, domain: given.domain } })
    if (method === 'application_credential' && credential) {
      const { id, name, user } = credential
      add({ credential: { id, name, user } })
    }
  }
  return {
    accounts: [...named.values()],
    address: callerAddress(config, login),
    weight: methods.includes('totp') ? passcodeWeight : 1,
  }
}
