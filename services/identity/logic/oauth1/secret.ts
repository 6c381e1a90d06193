/** Secrets of OAuth 1.0: made at random, long enough that nobody guesses them; verifiers are short, since people copy them. */
import type { Runtime } from '@strata/toolkit/runtime'

export const newSecret = (runtime: Runtime): string => Buffer.from(runtime.bytes(24)).toString('hex')

/** Letters and digits that are not taken for each other. */
const letters = 'ABCDEFGHKLMNPQRSTUVWXYZabcdefghkmnpqrstuvwxyz23456789'
const verifierLength = 8

export function newVerifier(runtime: Runtime): string {
  let text = ''
  while (text.length < verifierLength)
    for (const byte of runtime.bytes(16)) {
      // A byte beyond the last whole round would favour the letters at the beginning.
      if (byte < 256 - (256 % letters.length) && text.length < verifierLength) text += letters[byte % letters.length]
    }
  return text
}
