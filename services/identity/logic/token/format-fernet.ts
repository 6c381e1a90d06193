/** Tokens as Fernet messages: short, and saying nothing to those who hold none of the keys. */
import type { Runtime } from '@strata/toolkit/runtime'
import { decrypt, encrypt } from '../rules/fernet.ts'
import { packToken, unpackToken } from '../rules/token-payload.ts'
import type { TokenFormat } from './format.ts'
import type { KeyRepository } from './keys.ts'

export function fernetFormat({
  keys,
  runtime,
}: {
  readonly keys: KeyRepository
  readonly runtime: Runtime
}): TokenFormat {
  const read = (text: string) => {
    const opened = decrypt(keys.all(), text)
    return opened && unpackToken(opened.message)
  }
  return {
    seal(payload) {
      const message = packToken(payload)
      const iv = runtime.bytes(16)
      return encrypt({ key: keys.primary(), message, now: payload.issuedAt, iv }).replaceAll('=', '')
    },
    // The token of a JWS has dots, which no Fernet token has.
    open: text => (text.includes('.') ? undefined : (read(text) ?? (keys.reloadIfChanged() ? read(text) : undefined))),
  }
}
