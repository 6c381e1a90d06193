/**
 * Logins that were begun here and are under way elsewhere. Nothing of them is stored: what must be remembered is sealed and given to
 * the caller, a browser in a cookie, a program in the relay state that it brings back. So nobody can fill the database by
 * beginning logins, and only the browser that began one can end it.
 */
import type { Runtime } from '@strata/toolkit/runtime'
import type { Vault } from '../vault.ts'
import type { Place, SourceRequest } from './sources.ts'

export interface Pending {
  /** What the identity provider is given and gives back. */
  readonly state: string
  readonly origin?: string
  /** The request's id, a nonce: what the protocol compares with the answer. */
  readonly secrets: Readonly<Record<string, string>>
}

interface Sealed extends Pending {
  readonly purpose: typeof purpose
  readonly idpId: string
  readonly protocolId: string
  readonly browser: boolean
  readonly expiresAt: number
}

const purpose = 'federated-login'

export interface PendingLogins {
  /** A new one for a browser, with the cookie that it is to keep. */
  forBrowser(login: Omit<Pending, 'state'>): { readonly state: string; readonly cookie: string }
  /** That of the browser which comes back with `state`; undefined where it began none, or long ago. */
  ofBrowser(request: SourceRequest, state: string): Pending | undefined
  /** The header that makes the browser forget it. */
  forget(state: string): Readonly<Record<string, string>>
  /** A new one for a program: the text is all that it has to bring back. */
  forProgram(secrets: Pending['secrets']): string
  ofProgram(text: string): Pending | undefined
}

export function pendingLogins(options: {
  readonly vault: Vault
  readonly runtime: Runtime
  readonly place: Place
  /** Milliseconds. */
  readonly timeout: number
  /** True when browsers come back by a form of the identity provider, and not by a link. */
  readonly byForm: boolean
}): PendingLogins {
  const { vault, runtime, place, timeout } = options
  const { idpId, protocolId } = place
  const seal = (login: Pending, browser: boolean) => {
    const expiresAt = runtime.now() + timeout
    return vault.seal(JSON.stringify({ purpose, idpId, protocolId, browser, expiresAt, ...login } satisfies Sealed))
  }
  const open = (text: string, browser: boolean): Pending | undefined => {
    const login = unseal(vault, text)
    const fits = login?.purpose === purpose && login.idpId === idpId && login.protocolId === protocolId
    return fits && login.browser === browser && login.expiresAt > runtime.now() ? login : undefined
  }
  const { pathname, protocol } = new URL(place.webssoUrl)
  // Browsers send a cookie along with another site's form only when it is marked so, which they allow over TLS alone.
  const sameSite = options.byForm ? (protocol === 'https:' ? '; SameSite=None' : '') : '; SameSite=Lax'
  const flags = `Path=${pathname}; HttpOnly${sameSite}${protocol === 'https:' ? '; Secure' : ''}`
  const nameOf = (state: string) => `strata-login-${state.replace(/[^\w-]/g, '').slice(0, 8)}`
  const random = () => Buffer.from(runtime.bytes(24)).toString('base64url')
  return {
    forBrowser(login) {
      const state = random()
      const maxAge = Math.floor(timeout / 1000)
      return { state, cookie: `${nameOf(state)}=${seal({ state, ...login }, true)}; Max-Age=${maxAge}; ${flags}` }
    },
    ofBrowser(request, state) {
      const kept = cookieOf(request, nameOf(state))
      const login = kept === undefined ? undefined : open(kept, true)
      return login?.state === state ? login : undefined
    },
    forget: state => ({ 'set-cookie': `${nameOf(state)}=; Max-Age=0; ${flags}` }),
    forProgram: secrets => seal({ state: '', secrets }, false),
    ofProgram: text => open(text, false),
  }
}

/** Undefined for what was not sealed here. */
function unseal(vault: Vault, text: string): Sealed | undefined {
  try {
    return JSON.parse(vault.open(text)) as Sealed
  } catch {
    return undefined
  }
}

function cookieOf({ headers }: SourceRequest, name: string): string | undefined {
  const pairs = String(headers['cookie'] ?? '').split(/;\s*/)
  return pairs.find(pair => pair.startsWith(`${name}=`))?.slice(name.length + 1)
}
