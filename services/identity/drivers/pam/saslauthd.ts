/**
 * Asking PAM by way of saslauthd (`saslauthd -a pam`), over its Unix socket: name, password, service and realm, each after
 * its length in two bytes; the answer, likewise, begins with `OK` or `NO`.
 */
import { connect } from 'node:net'

/** Milliseconds; PAM delays the answer to a wrong password, by some seconds often. */
const patience = 20_000

/** Rejects when there is no answer. */
export function askSaslauthd(options: {
  readonly socket: string
  readonly service: string
  readonly name: string
  readonly password: string
}): Promise<boolean> {
  const fields = [options.name, options.password, options.service, ''].map(one => Buffer.from(one))
  // Longer ones, or a zero inside, would be something else on the other side.
  if (fields.some(one => one.length > 255 || one.includes(0))) return Promise.resolve(false)
  const request = Buffer.concat(fields.flatMap(field => [Buffer.from([field.length >> 8, field.length & 0xff]), field]))
  return new Promise((resolve, reject) => {
    const socket = connect(options.socket)
    let answer = Buffer.alloc(0)
    socket.setTimeout(patience, () => socket.destroy(new Error(`saslauthd did not answer within ${patience} ms`)))
    socket.on('connect', () => socket.write(request))
    socket.on('data', chunk => {
      answer = Buffer.concat([answer, chunk])
    })
    socket.on('error', reject)
    socket.on('close', () => {
      const length = answer.length < 2 ? undefined : answer.readUInt16BE(0)
      const words = length === undefined ? '' : answer.toString('utf8', 2, 2 + length)
      if (length === undefined || answer.length < 2 + length || !/^(OK|NO)/.test(words))
        reject(new Error('saslauthd broke off its answer'))
      else resolve(words.startsWith('OK'))
    })
  })
}
