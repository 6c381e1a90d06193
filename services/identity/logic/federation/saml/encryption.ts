/** Assertions that an identity provider encrypted for this cloud (XML Encryption). */
import { decrypt } from 'xml-encryption'
import { ns } from './names.ts'
import { refuse, requireChild, type XmlElement } from './xml.ts'

/**
 * The text of the assertion inside. Only ciphers that notice a change (GCM) and RSA-OAEP are taken: with others, whether a
 * message can be decrypted tells an attacker what it says. Throws `SamlError` in the same words whatever failed.
 */
export function decrypted(encrypted: XmlElement, key: string | undefined): Promise<string> {
  const data = requireChild(encrypted, ns.encryption, 'EncryptedData').toString()
  if (key === undefined) return Promise.reject(new Error('there is no key to decrypt assertions with'))
  return new Promise<string>((resolve, reject) =>
    decrypt(
      data,
      { key, disallowDecryptionWithInsecureAlgorithm: true, warnInsecureAlgorithm: false },
      (failed, text) => (failed ? reject(failed) : resolve(text)),
    ),
  ).catch(() => refuse('the assertion cannot be decrypted, or not by an algorithm that is accepted'))
}
