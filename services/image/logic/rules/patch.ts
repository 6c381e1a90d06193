/**
 * JSON patches of images, in the two dialects that the API takes: version 2.1 (`{"op", "path", "value"}`, drafts from the tenth
 * on) and 2.0 (`{"add": path, "value"}`, the fourth draft).
 */
import { badRequest, conflict, forbidden, unsupportedMediaType } from '@strata/toolkit/fault'
import { type ImageSettings, MUTABLE_ONLY_WHEN_QUEUED, SETTABLE, type Settable } from '../../contract/image.ts'
import { checkPropertyName, type ImageCheck, refuseServiceNames } from './body.ts'

export type Change =
  | { readonly op: 'remove'; readonly name: string }
  | {
      readonly op: 'add' | 'replace'
      readonly name: string
      readonly value: unknown
      /** In the older dialect `add` may not hit what exists. */
      readonly strict: boolean
    }

const V20 = 'application/openstack-images-v2.0-json-patch'
const V21 = 'application/openstack-images-v2.1-json-patch'
const OPS = ['add', 'remove', 'replace'] as const
type Op = (typeof OPS)[number]

/** Throws a 415, a 400 or a 403, of the first operation that is at fault. */
export function parseChanges(contentType: string | undefined, body: unknown, check: ImageCheck): readonly Change[] {
  const type = contentType?.split(';')[0]?.trim().toLowerCase()
  if (type !== V20 && type !== V21)
    throw unsupportedMediaType('Unsupported Content-Type for a patch of an image.', undefined, {
      headers: { 'accept-patch': `${V20}, ${V21}` },
    })
  if (body === undefined) throw badRequest('Body expected in request.')
  if (!Array.isArray(body)) throw badRequest('Request body must be a JSON array of operation objects.')
  return body.map((raw: unknown) => {
    if (typeof raw !== 'object' || raw === null || Array.isArray(raw))
      throw badRequest('Operations must be JSON objects.')
    return parseChange(raw as Record<string, unknown>, type === V20, check)
  })
}

function parseChange(raw: Record<string, unknown>, strict: boolean, check: ImageCheck): Change {
  const op = strict ? opOfV20(raw) : opOfV21(raw)
  const pointer = strict ? raw[op] : raw['path']
  if (typeof pointer !== 'string') throw badRequest("Unable to find 'path' in JSON Schema change")
  const path = decodePointer(pointer)
  const [name] = path as [string, ...string[]]
  if (name === 'locations') throw forbidden('It is not allowed to change locations: they are invisible.')
  if (path.length !== 1) throw badRequest(`Invalid JSON pointer for this resource: '/${path.join('/')}'`)
  if (op !== 'remove' && !('value' in raw)) throw badRequest(`Operation "${op}" requires a member named "value".`)
  refuseServiceNames(name)
  if (op === 'remove') return { op, name }
  check({ [name]: raw['value'] })
  if (!isSettable(name)) checkPropertyName(name)
  return { op, name, value: raw['value'], strict }
}

function opOfV21(raw: Record<string, unknown>): Op {
  const available = `It must be one of the following: ${OPS.join(', ')}.`
  const op = raw['op']
  if (op === undefined) throw badRequest(`Unable to find \`op\` in JSON Schema change. ${available}`)
  if (!OPS.includes(op as Op)) throw badRequest(`Invalid operation: \`${String(op)}\`. ${available}`)
  return op as Op
}

function opOfV20(raw: Record<string, unknown>): Op {
  const ops = OPS.filter(op => op in raw)
  if (ops.length !== 1)
    throw badRequest('Operation objects must contain exactly one member named "add", "remove", or "replace".')
  return ops[0]!
}

/** RFC 6901, of which only non-empty names are taken. */
function decodePointer(pointer: string): readonly string[] {
  if (!pointer.startsWith('/')) throw badRequest(`Pointer \`${pointer}\` does not start with "/".`)
  if (/\/\s*\//.test(pointer)) throw badRequest(`Pointer \`${pointer}\` contains adjacent "/".`)
  if (pointer.endsWith('/') || pointer.slice(1).trim() === '') throw badRequest(`Pointer \`${pointer}\` end with "/".`)
  if (/~(?![01])/.test(pointer))
    throw badRequest(`Pointer \`${pointer}\` contains "~" not part of a recognized escape sequence.`)
  return pointer
    .slice(1)
    .split('/')
    .map(part => part.replaceAll('~1', '/').replaceAll('~0', '~').trim())
}

function isSettable(name: string): name is Settable {
  return (SETTABLE as readonly string[]).includes(name)
}

/** The settings after one change. Throws a 403 or 409 for what the image does not allow. */
export function applyChange(settings: ImageSettings, change: Change, queued: boolean): ImageSettings {
  const { name, op } = change
  if (isSettable(name)) {
    if (op === 'remove') throw forbidden(`Property ${name} may not be removed.`)
    if (change.strict && op === 'add') throw conflict(`Property ${name} already present.`)
    if (!queued && MUTABLE_ONLY_WHEN_QUEUED.includes(name) && change.value !== settings[name])
      throw forbidden(`Attribute ${name} can be only replaced for a queued image.`)
    const value = name === 'tags' ? [...new Set(change.value as string[])].sort() : change.value
    return { ...settings, [name]: value }
  }
  const exists = Object.hasOwn(settings.properties, name)
  if (op !== 'add' && !exists) throw conflict(`Property ${name} does not exist.`)
  if (op === 'remove') {
    const { [name]: _gone, ...properties } = settings.properties
    return { ...settings, properties }
  }
  if (change.strict && op === 'add' && exists) throw conflict(`Property ${name} already present.`)
  return { ...settings, properties: { ...settings.properties, [name]: change.value as string } }
}
