/**
 * What a guest may read about itself: the OpenStack tree and the EC2 tree (`169.254.169.254`), and the same as files of a
 * config drive. Pure: a tree is made of a *subject* (the server, as far as its guest may know it), and looked up by path.
 *
 * Words: a *version* is a date by which a guest names the shape it understands; `latest` is the newest. A *directory* lists
 * its entries, a *leaf* has content. Sources: the OpenStack metadata reference and the EC2 user guide.
 */
import { Buffer } from 'node:buffer'

/** A network card, as far as its guest may know it. */
export interface MetadataNic {
  readonly port_id: string
  readonly network_id: string
  readonly mac_address: string
  readonly mtu: number
  readonly vif_name: string
  readonly fixed_ips: readonly { readonly ip_address: string }[]
  readonly floating_ips: readonly { readonly floating_ip_address: string }[]
  readonly tag: string | null
}

export interface MetadataSubject {
  readonly id: string
  readonly name: string
  /** Without its domain. */
  readonly hostname: string
  readonly projectId: string
  readonly availabilityZone: string
  readonly launchIndex: number
  readonly reservationId: string
  readonly flavorName: string
  readonly imageId: string | null
  /** Gives EC2's name of the server: `i-0000002a`. */
  readonly seq: number
  readonly metadata: Readonly<Record<string, string>>
  readonly key?: { readonly name: string; readonly publicKey: string; readonly type?: string }
  readonly userData?: Uint8Array
  readonly nics: readonly MetadataNic[]
  readonly securityGroups?: readonly string[]
  /** `/dev/vda` unless set. */
  readonly rootDeviceName?: string
}

export interface MetadataOptions {
  /** Follows the hostname: `novalocal` unless set; the empty string for none. */
  readonly dhcpDomain?: string
  /** 512 random bytes that are this guest's alone. Without it the guest is given none. */
  readonly randomSeed?: Uint8Array
}

export interface Leaf {
  readonly kind: 'leaf'
  readonly type: 'text/plain' | 'application/json'
  content(): string | Uint8Array
}
export interface Directory {
  readonly kind: 'directory'
  /** By the name that stands in paths. */
  readonly entries: ReadonlyMap<string, MetadataNode>
  /** Names as the listing shows them, one a line. */
  readonly listing: readonly string[]
}
export type MetadataNode = Leaf | Directory

export const openstackVersions = [
  '2012-08-10',
  '2013-04-04',
  '2013-10-17',
  '2015-10-15',
  '2016-06-30',
  '2016-10-06',
  '2017-02-22',
  '2018-08-27',
  '2020-10-14',
] as const
export const ec2Versions = [
  '1.0',
  '2007-01-19',
  '2007-03-01',
  '2007-08-29',
  '2007-10-10',
  '2007-12-15',
  '2008-02-01',
  '2008-09-01',
  '2009-04-04',
] as const

/** The whole tree; `openstack` is one of its entries, all else is EC2's, which stands at the root. */
export function metadataTree(subject: MetadataSubject, options: MetadataOptions = {}): Directory {
  const ec2 = versions(ec2Versions, version => ec2Version(subject, options, version))
  const entries = new Map<string, MetadataNode>(ec2.entries)
  entries.set('ec2', ec2)
  entries.set(
    'openstack',
    versions(openstackVersions, version => openstackVersion(subject, options, version)),
  )
  return { kind: 'directory', entries, listing: ec2.listing }
}

/** The node at a URL's path; undefined when there is none. Slashes that are doubled, or at an end, mean nothing. */
export function lookUp(tree: Directory, path: string): MetadataNode | undefined {
  let node: MetadataNode | undefined = tree
  for (const part of path.split('/').filter(name => name !== '' && name !== '.')) {
    if (node?.kind !== 'directory') return undefined
    node = node.entries.get(part)
  }
  return node
}

/** A node as a guest reads it: a leaf's content, a directory's names. */
export function contentOf(node: MetadataNode): string | Uint8Array {
  return node.kind === 'leaf' ? node.content() : node.listing.join('\n')
}

/** The files of a config drive by path: every OpenStack version, and EC2's newest. */
export function configDriveFiles(subject: MetadataSubject, options: MetadataOptions = {}): Record<string, Uint8Array> {
  const files: Record<string, Uint8Array> = {}
  const put = (path: string, content: string | Uint8Array) => {
    files[path] = typeof content === 'string' ? Buffer.from(content) : content
  }
  for (const version of [...openstackVersions, 'latest'] as const) {
    const directory = openstackVersion(subject, options, version === 'latest' ? openstackVersions.at(-1)! : version)
    // A password is posted by the guest to the service; a drive cannot take one.
    for (const [name, node] of directory.entries)
      if (node.kind === 'leaf' && name !== 'password') put(`openstack/${version}/${name}`, node.content())
  }
  for (const version of [ec2Versions.at(-1)!, 'latest']) {
    put(`ec2/${version}/meta-data.json`, JSON.stringify(ec2MetaData(subject, options, ec2Versions.at(-1)!)))
    if (subject.userData) put(`ec2/${version}/user-data`, subject.userData)
  }
  return files
}

function versions(names: readonly string[], make: (version: string) => Directory): Directory {
  const entries = new Map<string, MetadataNode>(names.map(name => [name, make(name)]))
  entries.set('latest', entries.get(names.at(-1)!)!)
  return { kind: 'directory', entries, listing: [...names, 'latest'] }
}

const text = (content: string | Uint8Array): Leaf => ({ kind: 'leaf', type: 'text/plain', content: () => content })
const json = (content: () => unknown): Leaf => ({
  kind: 'leaf',
  type: 'application/json',
  content: () => JSON.stringify(content()),
})

/** Dates are compared as text, as they sort by it. */
function openstackVersion(subject: MetadataSubject, options: MetadataOptions, version: string): Directory {
  const entries = new Map<string, MetadataNode>()
  entries.set(
    'meta_data.json',
    json(() => openstackMetaData(subject, options, version)),
  )
  if (subject.userData) entries.set('user_data', text(subject.userData))
  if (version >= '2013-04-04') entries.set('password', text(''))
  if (version >= '2013-10-17')
    entries.set(
      'vendor_data.json',
      json(() => ({})),
    )
  if (version >= '2015-10-15')
    entries.set(
      'network_data.json',
      json(() => networkData(subject.nics)),
    )
  if (version >= '2016-10-06')
    entries.set(
      'vendor_data2.json',
      json(() => ({})),
    )
  return { kind: 'directory', entries, listing: [...entries.keys()] }
}

function openstackMetaData(subject: MetadataSubject, options: MetadataOptions, version: string): object {
  const { key } = subject
  const publicKey = key && `${key.publicKey.trim()}\n`
  return {
    uuid: subject.id,
    ...(Object.keys(subject.metadata).length > 0 ? { meta: subject.metadata } : {}),
    ...(key
      ? {
          public_keys: { [key.name]: publicKey },
          keys: [{ name: key.name, type: key.type ?? 'ssh', data: publicKey }],
        }
      : {}),
    hostname: fullHostname(subject, options),
    name: subject.name,
    launch_index: subject.launchIndex,
    availability_zone: subject.availabilityZone,
    ...(version >= '2013-04-04' && options.randomSeed
      ? { random_seed: Buffer.from(options.randomSeed).toString('base64') }
      : {}),
    ...(version >= '2015-10-15' ? { project_id: subject.projectId } : {}),
    ...(version >= '2016-06-30' ? { devices: devices(subject.nics, version) } : {}),
    ...(version >= '2020-10-14' ? { dedicated_cpus: [] } : {}),
  }
}

function fullHostname(subject: MetadataSubject, { dhcpDomain = 'novalocal' }: MetadataOptions): string {
  return dhcpDomain === '' ? subject.hostname : `${subject.hostname}.${dhcpDomain}`
}

/** Only devices that carry a tag are told of: by it the guest tells them apart. */
function devices(nics: readonly MetadataNic[], version: string): object[] {
  return nics
    .filter(nic => nic.tag !== null)
    .map(nic => ({
      ...(version >= '2018-08-27' ? { vf_trusted: false } : {}),
      type: 'nic',
      mac: nic.mac_address,
      bus: 'none',
      address: 'none',
      tags: [nic.tag],
    }))
}

/** Every address is given by DHCP, so the guest needs to know no more than which links to ask on. */
function networkData(nics: readonly MetadataNic[]): object {
  const networks: object[] = []
  for (const nic of nics)
    for (const family of new Set(nic.fixed_ips.map(ip => (ip.ip_address.includes(':') ? 'ipv6_dhcp' : 'ipv4_dhcp'))))
      networks.push({ id: `network${networks.length}`, type: family, link: nic.vif_name, network_id: nic.network_id })
  return {
    links: nics.map(nic => ({
      id: nic.vif_name,
      vif_id: nic.port_id,
      type: 'ovs',
      mtu: nic.mtu,
      ethernet_mac_address: nic.mac_address,
    })),
    networks,
    services: [],
  }
}

type Ec2Value = string | number | readonly string[] | { readonly [name: string]: Ec2Value }

function ec2Version(subject: MetadataSubject, options: MetadataOptions, version: string): Directory {
  const metaData = ec2Directory(ec2MetaData(subject, options, version))
  const entries = new Map<string, MetadataNode>([['meta-data', metaData]])
  if (subject.userData) entries.set('user-data', text(subject.userData))
  return {
    kind: 'directory',
    entries,
    listing: [...entries].map(([name, node]) => (node.kind === 'directory' ? `${name}/` : name)),
  }
}

function ec2MetaData(
  subject: MetadataSubject,
  options: MetadataOptions,
  version: string,
): { readonly [name: string]: Ec2Value } {
  const hostname = fullHostname(subject, options)
  const addresses = subject.nics.flatMap(nic => nic.fixed_ips.map(ip => ip.ip_address))
  const floating = subject.nics.flatMap(nic => nic.floating_ips.map(ip => ip.floating_ip_address))
  const since = (date: string) => version >= date
  const root = subject.rootDeviceName ?? '/dev/vda'
  return {
    'ami-id': `ami-${subject.imageId?.slice(0, 8) ?? '00000000'}`,
    'ami-launch-index': subject.launchIndex,
    // There are no manifests; this very word is what OpenStack answers.
    'ami-manifest-path': 'FIXME',
    'instance-id': `i-${subject.seq.toString(16).padStart(8, '0')}`,
    hostname,
    'local-ipv4': addresses.find(address => !address.includes(':')) ?? '',
    'reservation-id': subject.reservationId,
    'security-groups': subject.securityGroups ?? [],
    ...(subject.key ? { 'public-keys': { [`0=${subject.key.name}`]: { 'openssh-key': subject.key.publicKey } } } : {}),
    ...(since('2007-01-19')
      ? { 'local-hostname': hostname, 'public-hostname': hostname, 'public-ipv4': floating[0] ?? '' }
      : {}),
    ...(since('2007-08-29') ? { 'instance-type': subject.flavorName } : {}),
    ...(since('2007-12-15') ? { 'block-device-mapping': { ami: root.replace(/^\/dev\//, ''), root } } : {}),
    ...(since('2008-02-01') ? { placement: { 'availability-zone': subject.availabilityZone } } : {}),
    ...(since('2008-09-01') ? { 'instance-action': 'none' } : {}),
  }
}

/** Sub-directories are listed with a slash, save for keys: they are listed as `0=name` and found under `0`. */
function ec2Directory(values: { readonly [name: string]: Ec2Value }): Directory {
  const entries = new Map<string, MetadataNode>()
  const listing: string[] = []
  for (const [name, value] of Object.entries(values)) {
    if (typeof value === 'string' || typeof value === 'number') entries.set(name, text(String(value)))
    else if (Array.isArray(value)) entries.set(name, text(value.join('\n')))
    else entries.set(name.split('=')[0]!, ec2Directory(value as { readonly [name: string]: Ec2Value }))
    const numbered = name.includes('=')
    listing.push(typeof value === 'object' && !Array.isArray(value) && !numbered ? `${name}/` : name)
  }
  return { kind: 'directory', entries, listing }
}
