/**
 * Reading and writing XML that came from strangers. What has no place in messages of SAML is refused before anything is made
 * of it: document types (and with them entities), comments and processing instructions, which make one reader see another
 * text than the next; ids that stand twice.
 */
import { DOMParser } from '@xmldom/xmldom'

/** What of the DOM is used here; `@xmldom/xmldom` leaves its types to the browser's. */
export interface XmlNode {
  readonly nodeType: number
  readonly textContent: string | null
  readonly childNodes: ArrayLike<XmlNode>
  toString(): string
}
export interface XmlElement extends XmlNode {
  readonly localName: string
  readonly namespaceURI: string | null
  readonly attributes: ArrayLike<{ readonly name: string; readonly localName: string; readonly value: string }>
  hasAttribute(name: string): boolean
  getAttribute(name: string): string | null
}

/** The message is not what it should be. Its words are for the operator's log: callers hear no reason. */
export class SamlError extends Error {
  override readonly name = 'SamlError'
}

export const refuse = (problem: string): never => {
  throw new SamlError(problem)
}

const elementNode = 1
const deepest = 64
const mostElements = 20_000

/**
 * The root of a well-formed document. `comments: true` for what an operator wrote, where they do no harm.
 * Throws `SamlError`.
 */
export function parseXml(text: string, { comments = false } = {}): XmlElement {
  const body = text.replace(/^\uFEFF?\s*<\?xml\s[^?]*\?>/, '')
  const known = comments ? body.replace(/<!--[\s\S]*?-->/g, '') : body
  if (/<[!?]/.test(known)) refuse('the XML has a document type, a comment, a CDATA section or a processing instruction')
  const root = parse(known)
  inspect(root)
  return root
}

function parse(text: string): XmlElement {
  const strict = (_level: string, message: string) => refuse(`the XML is not well-formed: ${message.split('\n')[0]}`)
  let root: unknown
  try {
    root = new DOMParser({ errorHandler: strict }).parseFromString(text, 'text/xml')?.documentElement
  } catch (thrown) {
    if (thrown instanceof SamlError) throw thrown
    refuse('the XML is not well-formed')
  }
  return (root as XmlElement | undefined) ?? refuse('the XML is empty')
}

/** Not deeper than a stack, not larger than is reasonable, and every id once. */
function inspect(root: XmlElement): void {
  const ids = new Set<string>()
  let elements = 0
  const look = (element: XmlElement, depth: number): void => {
    elements++
    if (depth > deepest || elements > mostElements) refuse('the XML is nested too deeply or too large')
    for (const { localName, value } of Array.from(element.attributes)) {
      if (localName.toLowerCase() !== 'id') continue
      if (ids.has(value)) refuse('an id stands twice in the XML')
      ids.add(value)
    }
    for (const child of elementsOf(element)) look(child, depth + 1)
  }
  look(root, 0)
}

const elementsOf = (parent: XmlNode): XmlElement[] =>
  Array.from(parent.childNodes).filter((node): node is XmlElement => node.nodeType === elementNode)

/** Direct children of that name. */
export const children = (parent: XmlElement, namespace: string, name: string): XmlElement[] =>
  elementsOf(parent).filter(child => child.namespaceURI === namespace && child.localName === name)

/** The one direct child of that name, or undefined. Throws when there are several. */
export function child(parent: XmlElement, namespace: string, name: string): XmlElement | undefined {
  const [first, second] = children(parent, namespace, name)
  return second ? refuse(`there are several ${name} in a ${parent.localName}`) : first
}

export const requireChild = (parent: XmlElement, namespace: string, name: string): XmlElement =>
  child(parent, namespace, name) ?? refuse(`there is no ${name} in a ${parent.localName}`)

export const isElement = (element: XmlElement, namespace: string, name: string): boolean =>
  element.namespaceURI === namespace && element.localName === name

/** An attribute without a namespace; undefined when it is absent. */
export const attribute = (element: XmlElement, name: string): string | undefined =>
  element.hasAttribute(name) ? (element.getAttribute(name) ?? undefined) : undefined

export const textOf = (element: XmlElement | undefined): string => (element?.textContent ?? '').trim()

/** Markup that is already escaped. */
export interface Xml {
  readonly xml: string
}

type Part = string | number | Xml | undefined | readonly Xml[]

const toXml = (part: Part): string => {
  if (part === undefined) return ''
  if (Array.isArray(part)) return part.map(toXml).join('')
  return typeof part === 'object' ? (part as Xml).xml : escapeXml(String(part))
}

/** A template whose values are escaped, for elements and quoted attributes of XML and HTML. */
export const xml = (texts: TemplateStringsArray, ...parts: readonly Part[]): Xml => ({
  xml: texts.map((text, at) => text + toXml(parts[at])).join(''),
})

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Characters that XML cannot hold are left out. */
export const escapeXml = (text: string): string =>
  text
    // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what it is about
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '')
    .replace(/[&<>"']/g, one => entities[one]!)
