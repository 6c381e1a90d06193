/**
 * Looks at a cloud, and makes what the tests take for granted: two images, two flavors, an external network. What it makes is called
 * `conformance-…`, is found again by the next run, and stays.
 */
import type { Api } from './api.ts'

export interface Versions {
  readonly min: string
  readonly max: string
}

/** What the settings depend on. A part is undefined where the cloud has no such service. */
export interface CloudFacts {
  /** Catalog type and address by Tempest's name of the service. */
  readonly services: Readonly<Record<string, { readonly type: string; readonly url: string }>>
  readonly region: string
  readonly applicationCredentials: boolean
  readonly accessRules: boolean
  readonly image?: ImageFacts
  readonly compute?: ComputeFacts
  readonly placement?: Versions | undefined
  readonly network?: NetworkFacts
  readonly volume?: VolumeFacts
  readonly objectStore?: { readonly apis: readonly string[] }
}

export interface ImageFacts {
  readonly ref: string
  readonly alt: string
  readonly diskFormats: readonly string[]
  readonly containerFormats: readonly string[]
  readonly canImport: boolean
}

export interface ComputeFacts {
  readonly versions: Versions | undefined
  readonly flavor: string
  readonly flavorAlt: string
  readonly hosts: number
  readonly hypervisor: string
}

export interface NetworkFacts {
  readonly extensions: readonly string[]
  /** An external network's id and name. */
  readonly external: { readonly id: string; readonly name: string } | undefined
}

export interface VolumeFacts {
  readonly versions: Versions | undefined
  readonly extensions: readonly string[]
  readonly backup: boolean
  readonly backends: readonly string[]
  readonly protocol: string | undefined
  readonly vendor: string | undefined
}

/** Tempest's names of services, and the types that a catalog may call them by. */
export const SERVICES: Readonly<Record<string, readonly string[]>> = {
  keystone: ['identity'],
  glance: ['image'],
  nova: ['compute'],
  placement: ['placement'],
  neutron: ['network'],
  cinder: ['block-storage', 'volumev3', 'volume'],
  swift: ['object-store'],
  heat: ['orchestration'],
  designate: ['dns'],
  octavia: ['load-balancer'],
  barbican: ['key-manager'],
  manila: ['shared-file-system', 'sharev2', 'share'],
  magnum: ['container-infrastructure-management', 'container-infra'],
  ironic: ['baremetal'],
  ironic_inspector: ['baremetal-introspection'],
  mistral: ['workflow', 'workflowv2'],
  murano: ['application-catalog'],
  aodh: ['alarm', 'alarming'],
  gnocchi: ['metric'],
  ceilometer: ['metering', 'meter'],
  trove: ['database'],
  zaqar: ['message', 'messaging'],
  senlin: ['clustering'],
  vitrage: ['root-cause-analysis', 'rca'],
  watcher: ['resource-optimization', 'infra-optim'],
}

export async function lookAt(api: Api): Promise<CloudFacts> {
  const { authUrl } = api.login
  const services = servicesOf(api)
  const [image, compute, placement, network, volume, objectStore] = [
    services['glance'] && (await lookAtImages(api, services['glance'].url)),
    services['nova'] && (await lookAtCompute(api, services['nova'].url)),
    services['placement'] && (await versionsOf(api, services['placement'].url, 'v1')),
    services['neutron'] && (await lookAtNetworks(api, services['neutron'].url)),
    services['cinder'] && (await lookAtVolumes(api, services['cinder'].url)),
    services['swift'] && (await lookAtObjects(api, services['swift'].url)),
  ]
  return {
    services,
    region: api.login.region || (api.catalog[0]?.endpoints[0]?.region_id ?? 'RegionOne'),
    applicationCredentials: (await api.get(`${authUrl}/users/${api.userId}/application_credentials`)) !== undefined,
    accessRules: (await api.get(`${authUrl}/users/${api.userId}/access_rules`)) !== undefined,
    ...(image && { image }),
    ...(compute && { compute }),
    ...(placement && { placement }),
    ...(network && { network }),
    ...(volume && { volume }),
    ...(objectStore && { objectStore }),
  }
}

function servicesOf({ catalog, login }: Api): CloudFacts['services'] {
  const urlOf = (type: string) => {
    const open = catalog.find(one => one.type === type)?.endpoints.filter(one => one.interface === 'public') ?? []
    return (open.find(one => one.region_id === login.region) ?? open[0])?.url.replace(/\/$/, '')
  }
  return Object.fromEntries(
    Object.entries(SERVICES).flatMap(([name, types]) => {
      const type = types.find(one => urlOf(one) !== undefined)
      return type === undefined ? [] : [[name, { type, url: urlOf(type)! }]]
    }),
  )
}

/** Microversions of the API whose id begins with `major`, as the version document at the service's root or above tells them. */
async function versionsOf(api: Api, url: string, major: string): Promise<Versions | undefined> {
  for (let at = new URL(`${url}/`); ; at = new URL('../', at)) {
    const body = await api.get(at.href).catch(() => undefined)
    const listed = body?.versions?.values ?? body?.versions ?? [body?.version]
    for (const one of Array.isArray(listed) ? listed : []) {
      const max = one?.version || one?.max_version
      if (`${one?.id}`.startsWith(major) && max) return { min: one.min_version || max, max }
    }
    if (at.pathname === '/') return undefined
  }
}

async function made(api: Api, url: string, body: object): Promise<Record<string, string>> {
  const { status, json } = await api.call('POST', url, body)
  if (status >= 300) throw new Error(`POST ${url}: ${status} ${JSON.stringify(json)}`)
  return json
}

async function lookAtImages(api: Api, url: string): Promise<ImageFacts> {
  const root = `${url.replace(/\/v2$/, '')}/v2`
  const ready = (await api.get(`${root}/images?status=active&limit=200`))?.images ?? []
  const names = ['conformance-image-1', 'conformance-image-2']
  const refs: string[] = []
  for (const name of names) {
    const found = ready.find((one: { name: string }) => one.name === name)
    refs.push(found ? found.id : await makeImage(api, root, name))
  }
  const properties = (await api.get(`${root}/schemas/image`))?.properties ?? {}
  const choices = (field: string): string[] => (properties[field]?.enum ?? []).filter(Boolean)
  const methods = (await api.get(`${root}/info/import`))?.['import-methods']?.value ?? []
  return {
    ref: refs[0]!,
    alt: refs[1]!,
    diskFormats: choices('disk_format'),
    containerFormats: choices('container_format'),
    canImport: methods.length > 0,
  }
}

async function makeImage(api: Api, root: string, name: string): Promise<string> {
  const format = { disk_format: 'raw', container_format: 'bare' }
  const { id } = await made(api, `${root}/images`, { name, visibility: 'public', ...format })
  const { status } = await api.call('PUT', `${root}/images/${id}/file`, new Uint8Array(1 << 20))
  if (status !== 204) throw new Error(`PUT ${root}/images/${id}/file: ${status}`)
  return id!
}

async function lookAtCompute(api: Api, url: string): Promise<ComputeFacts> {
  const have = (await api.get(`${url}/flavors/detail?is_public=None`))?.flavors ?? []
  const flavorOf = async (name: string, ram: number): Promise<string> => {
    const found = have.find((one: { name: string }) => one.name === name)
    if (found) return found.id
    const body = await made(api, `${url}/flavors`, { flavor: { name, ram, vcpus: 1, disk: 1 } })
    return (body['flavor'] as unknown as { id: string }).id
  }
  const hypervisors = (await api.get(`${url}/os-hypervisors/detail`))?.hypervisors ?? []
  return {
    versions: await versionsOf(api, url, 'v2.1'),
    flavor: await flavorOf('conformance-1', 128),
    flavorAlt: await flavorOf('conformance-2', 192),
    hosts: Math.max(1, hypervisors.length),
    hypervisor: hypervisors[0]?.hypervisor_type ?? '',
  }
}

async function lookAtNetworks(api: Api, url: string): Promise<NetworkFacts> {
  const root = `${url.replace(/\/v2\.0$/, '')}/v2.0`
  const listed: { alias: string }[] = (await api.get(`${root}/extensions`))?.extensions ?? []
  const agents: { agent_type: string }[] = (await api.get(`${root}/agents`))?.agents ?? []
  // The extension is listed also where no agent of the kind is there to be scheduled to.
  const runs = (type: string) => agents.some(one => one.agent_type === type)
  const idle = [
    ...(runs('DHCP agent') ? [] : ['dhcp_agent_scheduler']),
    ...(runs('L3 agent') ? [] : ['l3_agent_scheduler']),
  ]
  const extensions = listed.map(one => one.alias).filter(alias => !idle.includes(alias))
  const external = (await api.get(`${root}/networks?router:external=True`))?.networks?.[0]
  return { extensions, external: external && { id: external.id, name: external.name } }
}

async function lookAtVolumes(api: Api, url: string): Promise<VolumeFacts> {
  const services: { binary: string; state: string }[] = (await api.get(`${url}/os-services`))?.services ?? []
  const pools = (await api.get(`${url}/scheduler-stats/get_pools?detail=True`))?.pools ?? []
  const capabilities = pools.map((one: { capabilities?: Record<string, string> }) => one.capabilities ?? {})
  const extensions: { alias: string }[] = (await api.get(`${url}/extensions`))?.extensions ?? []
  return {
    versions: await versionsOf(api, url, 'v3'),
    extensions: extensions.map(one => one.alias),
    backup: services.some(one => one.binary === 'cinder-backup' && one.state === 'up'),
    backends: [
      ...new Set<string>(capabilities.flatMap((one: Record<string, string>) => one['volume_backend_name'] ?? [])),
    ],
    protocol: capabilities[0]?.storage_protocol,
    vendor: capabilities[0]?.vendor_name,
  }
}

async function lookAtObjects(api: Api, url: string): Promise<{ apis: string[] }> {
  const root = url.replace(/\/v1(\/.*)?$/, '')
  const info: Record<string, { realms?: object }> = (await api.get(`${root}/info`)) ?? {}
  // Synchronising containers needs a realm of clusters: the middleware alone cannot do it.
  const apis = Object.keys(info).filter(name => name !== 'swift')
  return { apis: apis.filter(name => name !== 'container_sync' || Object.keys(info[name]?.realms ?? {}).length > 0) }
}
