/**
 * Tokens as signed JSON (RFC 7515, RFC 7519), with the claims that Keystone gives them. One algorithm is known, ES256, whatever
 * the header of a token says: none that a public key could be mistaken for the secret of (RFC 8725, section 2.1).
 */
import { type KeyObject, sign, verify } from 'node:crypto'
import { type Federation, type Method, methods, type TokenPayload, type TokenScope } from './token-payload.ts'

const algorithm = 'ES256'

/** Unknown to those who made tokens before keys had ids; then each key is tried. */
export interface JwsHeader {
  readonly kid?: string
}

export function signJws(payload: TokenPayload, key: KeyObject, kid: string): string {
  const text = `${encode({ alg: algorithm, typ: 'JWT', kid })}.${encode(claimsOf(payload))}`
  return `${text}.${sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}

/**
 * What a token says whose signature fits one of the keys that `keysFor` has for its header; undefined for any other text.
 */
export function openJws(text: string, keysFor: (header: JwsHeader) => readonly KeyObject[]): TokenPayload | undefined {
  const [head = '', body = '', signature = '', ...more] = text.split('.')
  if (more.length > 0 || signature.length !== 86) return undefined
  const header = decode(head)
  // What is critical must be understood, and nothing is.
  if (header?.['alg'] !== algorithm || header['crit'] !== undefined) return undefined
  const { kid } = header
  const bytes = strictBytes(signature)
  if (!bytes || (kid !== undefined && typeof kid !== 'string')) return undefined
  const signed = Buffer.from(`${head}.${body}`)
  const fits = (key: KeyObject) => verify('sha256', signed, { key, dsaEncoding: 'ieee-p1363' }, bytes)
  if (!keysFor({ kid }).some(fits)) return undefined
  const claims = decode(body)
  return claims && payloadOf(claims)
}

type Claims = Readonly<Record<string, unknown>>

/** Times are seconds since 1970, with their fraction, which tells a token from a revocation of the same second. */
function claimsOf({ scope, delegation, federation, ...payload }: TokenPayload): Claims {
  const by = (type: string) => (delegation?.type === type ? delegation.id : undefined)
  // Claims that are undefined are left out.
  return {
    sub: payload.userId,
    iat: payload.issuedAt / 1000,
    exp: payload.expiresAt / 1000,
    openstack_methods: payload.methods,
    openstack_audit_ids: payload.auditIds,
    openstack_system: scope.type === 'system' ? 'all' : undefined,
    openstack_domain_id: scope.type === 'domain' ? scope.id : undefined,
    openstack_project_id: scope.type === 'project' ? scope.id : undefined,
    openstack_trust_id: by('trust'),
    openstack_app_cred_id: by('application_credential'),
    openstack_access_token_id: by('access_token'),
    openstack_thumbprint: by('certificate'),
    openstack_idp_id: federation?.idpId,
    openstack_protocol_id: federation?.protocolId,
    openstack_group_ids: federation?.groupIds,
  }
}

function payloadOf(claims: Claims): TokenPayload | undefined {
  const text = (name: string) => (typeof claims[name] === 'string' ? (claims[name] as string) : undefined)
  const time = (name: string) =>
    typeof claims[name] === 'number' ? Math.round((claims[name] as number) * 1000) : Number.NaN
  const texts = (name: string) => {
    const list = claims[name]
    return Array.isArray(list) && list.every(one => typeof one === 'string') ? (list as string[]) : undefined
  }
  const given = texts('openstack_methods')
  const auditIds = texts('openstack_audit_ids')
  const [userId, issuedAt, expiresAt] = [text('sub'), time('iat'), time('exp')]
  if (!userId || !given || !auditIds?.length || Number.isNaN(issuedAt + expiresAt)) return undefined
  if (given.some(method => !methods.includes(method as Method))) return undefined
  const delegation = delegationIn(text)
  const federation = federationIn(text, texts)
  return {
    userId,
    scope: scopeIn(text),
    methods: methods.filter(method => given.includes(method)),
    issuedAt,
    expiresAt,
    auditIds,
    ...(delegation && { delegation }),
    ...(federation && { federation }),
  }
}

type Text = (name: string) => string | undefined

function scopeIn(text: Text): TokenScope {
  const [project, domain] = [text('openstack_project_id'), text('openstack_domain_id')]
  if (project !== undefined) return { type: 'project', id: project }
  if (domain !== undefined) return { type: 'domain', id: domain }
  return { type: text('openstack_system') === undefined ? 'unscoped' : 'system' }
}

function delegationIn(text: Text): TokenPayload['delegation'] {
  const claims = {
    trust: 'openstack_trust_id',
    application_credential: 'openstack_app_cred_id',
    access_token: 'openstack_access_token_id',
    certificate: 'openstack_thumbprint',
  } as const
  for (const type of Object.keys(claims) as (keyof typeof claims)[]) {
    const id = text(claims[type])
    if (id !== undefined) return { type, id }
  }
  return undefined
}

function federationIn(text: Text, texts: (name: string) => string[] | undefined): Federation | undefined {
  const [idpId, protocolId] = [text('openstack_idp_id'), text('openstack_protocol_id')]
  if (idpId === undefined || protocolId === undefined) return undefined
  return { idpId, protocolId, groupIds: texts('openstack_group_ids') ?? [] }
}

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Each text has one spelling. */
function strictBytes(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url')
  return bytes.toString('base64url') === text ? bytes : undefined
}

function decode(text: string): Claims | undefined {
  try {
    const value: unknown = JSON.parse(strictBytes(text)?.toString('utf8') ?? '')
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Claims) : undefined
  } catch {
    return undefined
  }
}
