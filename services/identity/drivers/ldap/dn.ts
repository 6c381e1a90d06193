/** Distinguished names as text (RFC 4514): put together from values that may hold anything, taken apart, compared. */

/** A value as it must stand in a DN. */
export function escapeValue(value: string): string {
  const inner = value.replace(/["+,;<=>\\]/g, one => `\\${one}`).replaceAll('\0', '\\00')
  const front = /^[ #]/.test(inner) ? `\\${inner}` : inner
  // A blank that ends it, unless it is the first one, too.
  return value.length > 1 && value.endsWith(' ') ? `${front.slice(0, -1)}\\ ` : front
}

/** The DN of an entry below another. */
export const childDn = (attribute: string, value: string, parent: string): string =>
  `${attribute}=${escapeValue(value)},${parent}`

export interface NamePart {
  /** In lower case. */
  readonly attribute: string
  readonly value: string
}

/** The relative names of which it consists, each of one part or more. Undefined for what is no DN. */
export function parseDn(dn: string): NamePart[][] | undefined {
  const names: NamePart[][] = []
  let at = 0
  let parts: NamePart[] = []
  if (dn.trim() === '') return []
  for (;;) {
    const equals = dn.indexOf('=', at)
    if (equals < 0) return undefined
    const attribute = dn.slice(at, equals).trim().toLowerCase()
    const read = readValue(dn, equals + 1)
    if (attribute === '' || !read) return undefined
    parts.push({ attribute, value: read.value })
    at = read.end + 1
    if (dn[read.end] === '+') continue
    names.push(parts)
    parts = []
    if (read.end >= dn.length) return names
  }
}

/** From `at` to the comma, semicolon or plus sign that ends it. */
function readValue(dn: string, at: number): { value: string; end: number } | undefined {
  const bytes: Buffer[] = []
  let kept = 0
  let end = at
  while (dn[end] === ' ') end++
  while (end < dn.length && !',;+'.includes(dn[end]!)) {
    if (dn[end] !== '\\') {
      const one = String.fromCodePoint(dn.codePointAt(end)!)
      bytes.push(Buffer.from(one))
      // Blanks count when something follows them.
      if (one !== ' ') kept = bytes.length
      end += one.length
      continue
    }
    const hex = /^[0-9a-fA-F]{2}/.exec(dn.slice(end + 1, end + 3))?.[0]
    const escaped = dn.codePointAt(end + 1)
    if (!hex && escaped === undefined) return undefined
    const one = hex ? Buffer.from(hex, 'hex') : Buffer.from(String.fromCodePoint(escaped!))
    bytes.push(one)
    kept = bytes.length
    end += 1 + (hex ? 2 : String.fromCodePoint(escaped!).length)
  }
  return { value: Buffer.concat(bytes.slice(0, kept)).toString('utf8'), end }
}

/** Equal for DNs that name the same entry, written with other case or blanks. */
export function dnKey(dn: string): string {
  const names = parseDn(dn)
  if (!names) return dn
  const fold = (value: string) => value.trim().replace(/\s+/g, ' ').toLowerCase()
  return JSON.stringify(names.map(parts => parts.map(({ attribute, value }) => `${attribute}=${fold(value)}`).sort()))
}
