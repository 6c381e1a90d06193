/**
 * What lies inside a token: who, scoped to what, by which methods, from when until when. Packed, since tokens travel in the
 * headers of every request: ids that are UUIDs take 17 bytes, others their length.
 */
export type TokenScope =
  | { readonly type: 'unscoped' }
  | { readonly type: 'system' }
  | { readonly type: 'project' | 'domain'; readonly id: string }

export interface TokenPayload {
  readonly userId: string
  readonly scope: TokenScope
  readonly methods: readonly Method[]
  /** Milliseconds since 1970. */
  readonly issuedAt: number
  readonly expiresAt: number
  /** Its own, then that of the first of its chain; 16 bytes each, base64url. */
  readonly auditIds: readonly string[]
  /** What the user's right to it rests on, where that is not the user's own assignments alone. */
  readonly delegation?: Delegation
  readonly federation?: Federation
}

/** Who vouched for the user, and the groups that it is in for as long as the token lasts. */
export interface Federation {
  readonly idpId: string
  readonly protocolId: string
  readonly groupIds: readonly string[]
}

export interface Delegation {
  readonly type: (typeof delegations)[number]
  readonly id: string
}

// The place of each in the list stands for it in tokens: add at the end. The id of a certificate is its thumbprint.
export const delegations = ['application_credential', 'trust', 'access_token', 'certificate'] as const
// The place of each in the list is its bit in tokens: add at the end.
export const methods = [
  'password',
  'token',
  'application_credential',
  'ec2credential',
  'mapped',
  'saml2',
  'openid',
  'x509',
  'external',
  'totp',
  'oauth1',
  'oauth2_credential',
] as const
export type Method = (typeof methods)[number]
const format = 2
const scopes = ['unscoped', 'system', 'project', 'domain'] as const
/** Where a delegation's type would stand. */
const federationTag = 0x80
const hexId = /^[0-9a-f]{32}$/

export function packToken(payload: TokenPayload): Buffer {
  const { scope } = payload
  const bits = payload.methods.reduce((sum, method) => sum | (1 << methods.indexOf(method)), 0)
  const times = Buffer.alloc(12)
  times.writeUIntBE(payload.issuedAt, 0, 6)
  times.writeUIntBE(payload.expiresAt, 6, 6)
  return Buffer.concat([
    Buffer.from([format, bits >> 8, bits & 0xff, scopes.indexOf(scope.type)]),
    times,
    packId(payload.userId),
    'id' in scope ? packId(scope.id) : Buffer.alloc(0),
    Buffer.from([payload.auditIds.length]),
    ...payload.auditIds.map(id => Buffer.from(id, 'base64url')),
    ...packDelegation(payload.delegation),
    ...packFederation(payload.federation),
  ])
}

/** Undefined when it is not of this form (a token of a version to come). */
export function unpackToken(bytes: Buffer): TokenPayload | undefined {
  const scopeType = scopes[bytes[3] ?? -1]
  if (bytes[0] !== format || scopeType === undefined || bytes.length < 18) return undefined
  let at = 16
  const id = () => {
    const length = bytes[at++] ?? 0
    const end = at + (length === 0 ? 16 : length)
    const text = bytes.toString(length === 0 ? 'hex' : 'utf8', at, end)
    at = end
    return text
  }
  const userId = id()
  const scope: TokenScope =
    scopeType === 'project' || scopeType === 'domain' ? { type: scopeType, id: id() } : { type: scopeType }
  const count = bytes[at++] ?? 0
  const auditIds = Array.from({ length: count }, (_, n) => bytes.toString('base64url', at + n * 16, at + n * 16 + 16))
  at += count * 16
  const delegation =
    at < bytes.length && bytes[at] !== federationTag ? { type: delegations[bytes[at++]!], id: id() } : undefined
  if (delegation && delegation.type === undefined) return undefined
  const ids = () => Array.from({ length: ((bytes[at++] ?? 0) << 8) | (bytes[at++] ?? 0) }, id)
  const federation =
    bytes[at] === federationTag && ++at ? { idpId: id(), protocolId: id(), groupIds: ids() } : undefined
  if (bytes.length !== at) return undefined
  return {
    userId,
    scope,
    methods: methods.filter((_, bit) => bytes.readUInt16BE(1) & (1 << bit)),
    issuedAt: bytes.readUIntBE(4, 6),
    expiresAt: bytes.readUIntBE(10, 6),
    auditIds,
    ...(delegation && { delegation: delegation as Delegation }),
    ...(federation && { federation }),
  }
}

const packDelegation = (delegation: Delegation | undefined): Buffer[] =>
  delegation ? [Buffer.from([delegations.indexOf(delegation.type)]), packId(delegation.id)] : []

const packFederation = (federation: Federation | undefined): Buffer[] => {
  if (!federation) return []
  const { idpId, protocolId, groupIds } = federation
  const count = Buffer.from([groupIds.length >> 8, groupIds.length & 0xff])
  return [Buffer.from([federationTag]), packId(idpId), packId(protocolId), count, ...groupIds.map(packId)]
}

/** A length of 0 stands for 16 bytes that are shown in hexadecimal. */
function packId(id: string): Buffer {
  if (hexId.test(id)) return Buffer.concat([Buffer.from([0]), Buffer.from(id, 'hex')])
  const text = Buffer.from(id, 'utf8')
  if (text.length === 0 || text.length > 255) throw new Error(`an id of ${text.length} bytes does not fit a token`)
  return Buffer.concat([Buffer.from([text.length]), text])
}
