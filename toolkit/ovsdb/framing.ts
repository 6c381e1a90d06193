/**
 * Cuts a byte stream of concatenated JSON objects (how JSON-RPC 1.0 peers of OVSDB talk, RFC 7047 section 4) into
 * messages. Each byte is looked at once, whatever the chunks are; only braces outside strings count.
 */

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN = 0x7b
const CLOSE = 0x7d

/**
 * Returns a function to be fed with chunks; it calls `onMessage` with each object as soon as its last byte is there.
 * Throws `SyntaxError` when an object is not JSON, `RangeError` when one exceeds `maxBytes`; the stream is then of no use.
 */
export function createFrameReader(
  onMessage: (message: unknown) => void,
  maxBytes = 512 * 1024 * 1024,
): (chunk: Buffer) => void {
  let held: Buffer[] = []
  let heldBytes = 0
  let depth = 0
  let inString = false
  let escaped = false

  const take = (rest: Buffer): string => {
    if (held.length === 0) return rest.toString('utf8')
    held.push(rest)
    const text = Buffer.concat(held).toString('utf8')
    held = []
    heldBytes = 0
    return text
  }

  return chunk => {
    let start = 0
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at]
      if (inString) {
        if (escaped) escaped = false
        else if (byte === BACKSLASH) escaped = true
        else if (byte === QUOTE) inString = false
      } else if (byte === QUOTE) inString = true
      else if (byte === OPEN) depth++
      else if (byte === CLOSE && --depth === 0) {
        const text = take(chunk.subarray(start, at + 1))
        start = at + 1
        onMessage(JSON.parse(text))
      } else if (depth < 0) throw new SyntaxError('unbalanced JSON on the OVSDB connection')
    }
    if (start === chunk.length) return
    heldBytes += chunk.length - start
    if (heldBytes > maxBytes) throw new RangeError(`an OVSDB message exceeds ${maxBytes} bytes`)
    held.push(start === 0 ? chunk : chunk.subarray(start))
  }
}
