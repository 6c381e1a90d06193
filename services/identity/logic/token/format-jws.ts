/** Tokens as signed JSON: whoever has the public keys can read and check them without asking. */
import { openJws, signJws } from '../rules/jws-token.ts'
import type { TokenFormat } from './format.ts'
import type { JwsKeys } from './jws-keys.ts'

export function jwsFormat(keys: JwsKeys): TokenFormat {
  const read = (text: string) => openJws(text, keys.publicKeys)
  return {
    seal(payload) {
      const { key, kid } = keys.signing()
      return signJws(payload, key, kid)
    },
    open: text => (text.includes('.') ? (read(text) ?? (keys.reloadIfChanged() ? read(text) : undefined)) : undefined),
  }
}
