/**
 * Microversions (API-SIG guideline): `OpenStack-API-Version: compute 2.53`. The major is fixed per API, so a version is told
 * by its minor number alone inside.
 */
import { badRequest, notAcceptable } from '../fault/index.ts'

export interface MicroversionRange {
  /** The word in the header: `compute`, `placement`, `volume`. */
  readonly service: string
  /** An older header of the service's own, with the bare version: `X-OpenStack-Nova-API-Version`. */
  readonly legacyHeader?: string
  readonly major: number
  /** Smallest and largest minor that are answered. */
  readonly min: number
  readonly max: number
}

type Headers = Readonly<Record<string, string | string[] | undefined>>

/** The minor asked for; `min` when none is. Throws 400 for a malformed and 406 for an unknown version. */
export function negotiate(range: MicroversionRange, headers: Headers): number {
  const asked = requested(range, headers)
  if (asked === undefined) return range.min
  if (asked === 'latest') return range.max
  const [, major, minor] = /^(\d+)\.(\d+)$/.exec(asked) ?? []
  if (major === undefined)
    throw badRequest(
      `API Version String ${asked} is of invalid format. Must be of format MajorNum.MinorNum.`,
      'InvalidAPIVersionString',
    )
  if (Number(major) !== range.major || Number(minor) < range.min || Number(minor) > range.max)
    throw notAcceptable(
      `Version ${asked} is not supported by the API. Minimum is ${range.major}.${range.min} and maximum is ${range.major}.${range.max}.`,
      'VersionNotFoundForAPI',
      { details: { min_version: `${range.major}.${range.min}`, max_version: `${range.major}.${range.max}` } },
    )
  return Number(minor)
}

function requested(range: MicroversionRange, headers: Headers): string | undefined {
  const header = headers['openstack-api-version']
  if (header === undefined) return legacyVersion(range, headers)
  for (const part of [header].flat().flatMap(value => value.split(','))) {
    const [service, version] = part.trim().split(/\s+/)
    if (service === range.service && version) return version
  }
  return legacyVersion(range, headers)
}

function legacyVersion(range: MicroversionRange, headers: Headers): string | undefined {
  const legacy = range.legacyHeader && headers[range.legacyHeader.toLowerCase()]
  return typeof legacy === 'string' ? legacy.trim() : undefined
}

const headersByRange = new WeakMap<MicroversionRange, Map<number, Record<string, string>>>()

/** Response headers that tell which version answered; made once for each version. */
export function versionHeaders(range: MicroversionRange, minor: number): Readonly<Record<string, string>> {
  const byMinor = headersByRange.get(range) ?? new Map<number, Record<string, string>>()
  headersByRange.set(range, byMinor)
  const headers = byMinor.get(minor) ?? makeVersionHeaders(range, minor)
  byMinor.set(minor, headers)
  return headers
}

function makeVersionHeaders(range: MicroversionRange, minor: number): Record<string, string> {
  const version = `${range.major}.${minor}`
  return {
    'openstack-api-version': `${range.service} ${version}`,
    ...(range.legacyHeader ? { [range.legacyHeader.toLowerCase()]: version } : {}),
    vary: varyHeader(range),
  }
}

/** The request headers on which every answer of the service depends, also one that refuses the version. */
export const varyHeader = ({ legacyHeader }: MicroversionRange): string =>
  legacyHeader ? `OpenStack-API-Version, ${legacyHeader}` : 'OpenStack-API-Version'
