/** The body of a creation: which members it may have, and what becomes of them. */
import { badRequest } from '@strata/toolkit/fault'
import { compileSchema, type Validator } from '@strata/toolkit/schema'
import { readOnly, reserved } from '../../contract/errors.ts'
import {
  baseAttributes,
  type Formats,
  type ImageSettings,
  imageSchema,
  READ_ONLY,
  RESERVED,
  RESERVED_PREFIX,
} from '../../contract/image.ts'

/** Checks members of an image against its schema. Throws a 400 that names the member. */
export type ImageCheck = (members: unknown) => asserts members is Record<string, unknown>

export function createImageCheck(formats: Formats): ImageCheck {
  const validate: Validator = compileSchema(imageSchema(formats))
  return members => {
    const [violation] = validate(members)
    if (violation)
      throw badRequest(
        `Provided object does not match schema 'image': ${violation.field || 'the body'} ${violation.problem}`,
        'InvalidObject',
      )
  }
}

/** Throws a 403 for a name that only the service may set. */
export function refuseServiceNames(name: string): void {
  if (READ_ONLY.includes(name)) throw readOnly(name)
  if (RESERVED.includes(name) || name.startsWith(RESERVED_PREFIX)) throw reserved(name)
}

export function checkPropertyName(name: string): void {
  if (name.length > 255) throw badRequest('Custom property should not be greater than 255 characters.')
  if (name.trim() === '') throw badRequest('A custom property must have a name.')
}

export interface NewImage extends Omit<ImageSettings, 'owner'> {
  readonly id?: string
  /** Unset: the caller's project. */
  readonly owner?: string | null
}

/** What a creation asks for, with defaults. Throws a 400 or 403 that names the member at fault. */
export function parseNewImage(body: unknown, check: ImageCheck): NewImage {
  if (body === undefined || body === null) throw badRequest('Body expected in request.')
  const forbidden = ['direct_url', 'self', 'file', 'schema', 'stores']
  if (typeof body === 'object') for (const name of forbidden) if (name in body) throw readOnly(name)
  check(body)
  const { id, tags, ...members } = body
  for (const name of Object.keys(members)) refuseServiceNames(name)
  const settings: Record<string, unknown> = {}
  const properties: Record<string, string> = {}
  for (const [name, value] of Object.entries(members)) {
    if (Object.hasOwn(BASE, name)) settings[name] = value
    else {
      checkPropertyName(name)
      properties[name] = value as string
    }
  }
  return {
    name: null,
    visibility: 'shared',
    protected: false,
    os_hidden: false,
    disk_format: null,
    container_format: null,
    min_disk: 0,
    min_ram: 0,
    ...settings,
    id: (id as string | undefined)?.toLowerCase(),
    tags: [...new Set(tags as readonly string[] | undefined)],
    properties,
  }
}

const BASE = baseAttributes({ diskFormats: [], containerFormats: [] })
