/**
 * What a new cloud has at its first start: flavors, an image, an outside network, and a network with a router for the project
 * `demo`. Each is made through the public APIs under a key of its own, so that a start that was cut off goes on where it was;
 * once all are there, a mark in the state folder keeps what users delete later from coming back.
 *
 * All is made by `admin`, also what `demo` is to own: a policy that denies users to make networks must not keep a cloud from starting.
 */
import { createReadStream, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { network, router, subnet } from '@strata/network/contract'
import { client, type Session } from '@strata/sdk'
import type { Log } from '@strata/toolkit/log'

export interface FirstRunOptions {
  readonly state: string
  readonly admin: Session
  /** The same administrator with a token of the system: a policy may leave projects to those. */
  readonly systemAdmin: Session
  readonly log: Log
  /** This machine's address on the outside network, with its prefix: `172.24.4.1/24`. */
  readonly externalCidr: string
  /** Makes the guest image and gives its file; without it the image is a blank disk. */
  readonly guestImage?: (log: (message: string) => void) => Promise<string>
}

/** Name, memory in MiB, disk in GiB, vCPUs, id. */
const flavors = [
  ['m1.nano', 64, 1, 1, '42'],
  ['m1.tiny', 512, 1, 1, '1'],
  ['m1.small', 2048, 20, 1, '2'],
  ['m1.medium', 4096, 40, 2, '3'],
  ['m1.large', 8192, 80, 4, '4'],
  ['m1.xlarge', 16_384, 160, 8, '5'],
] as const

export async function firstRun(options: FirstRunOptions): Promise<void> {
  const mark = join(options.state, 'first-run.json')
  if (existsSync(mark)) return
  await Promise.all([makeFlavors(options.admin), makeImage(options), makeNetworks(options)])
  writeFileSync(mark, `${JSON.stringify({ done: true })}\n`)
}

async function makeFlavors(admin: Session): Promise<void> {
  for (const [name, ram, disk, vcpus, id] of flavors)
    await admin.call({
      service: 'compute',
      method: 'POST',
      path: '/v2.1/flavors',
      body: { flavor: { id, name, ram, disk, vcpus } },
      accept: [409],
    })
}

async function makeImage({ admin, guestImage, log }: FirstRunOptions): Promise<void> {
  const service = 'image'
  const name = 'tiny-linux'
  const { body: found } = await admin.call<{ images: readonly { id: string; status: string }[] }>({
    service,
    method: 'GET',
    path: '/v2/images',
    query: { name, visibility: 'public' },
  })
  if (found.images.some(image => image.status === 'active')) return
  for (const { id } of found.images)
    await admin.call({ service, method: 'DELETE', path: `/v2/images/${id}`, accept: [404] })
  const file = await guestImage?.(message => log.info({ part: 'tiny-linux' }, message))
  const format = file === undefined ? 'raw' : 'qcow2'
  const properties = { os_distro: 'tiny-linux', hw_rng_model: 'virtio', os_admin_user: 'tiny' }
  const { body: image } = await admin.call<{ id: string }>({
    service,
    method: 'POST',
    path: '/v2/images',
    body: {
      name,
      disk_format: format,
      container_format: 'bare',
      visibility: 'public',
      min_ram: file === undefined ? 0 : 64,
      ...properties,
    },
  })
  await admin.stream({
    service,
    method: 'PUT',
    path: `/v2/images/${image.id}/file`,
    body: file === undefined ? new Uint8Array(1024 * 1024) : createReadStream(file),
  })
  log.info({ image: image.id }, 'made the image tiny-linux')
}

async function makeNetworks({ admin, systemAdmin, externalCidr }: FirstRunOptions): Promise<void> {
  const service = 'network'
  const outside = externalSubnet(externalCidr)
  const key = (idempotencyKey: string) => ({ idempotencyKey: `first-run:${idempotencyKey}` })
  const external = await client(admin, service, network).create(
    { name: 'public', 'router:external': true, 'provider:network_type': 'flat', 'provider:physical_network': 'public' },
    key('public'),
  )
  await client(admin, service, subnet).create(
    { name: 'public-subnet', network_id: external.id, ip_version: 4, enable_dhcp: false, ...outside },
    key('public-subnet'),
  )
  const project_id = await projectId(systemAdmin, 'demo')
  const inside = await client(admin, service, network).create({ name: 'private', project_id }, key('private'))
  const insideSubnet = await client(admin, service, subnet).create(
    { name: 'private-subnet', project_id, network_id: inside.id, ip_version: 4, cidr: '10.0.0.0/24' },
    key('private-subnet'),
  )
  const gateway = await client(admin, service, router).create(
    { name: 'router1', project_id, external_gateway_info: { network_id: external.id } },
    key('router1'),
  )
  // Repeating this after a crash finds the interface there already.
  await admin.call({
    service,
    method: 'PUT',
    path: `/v2.0/routers/${gateway.id}/add_router_interface`,
    body: { subnet_id: insideSubnet.id },
    accept: [400, 409],
  })
}

async function projectId(admin: Session, name: string): Promise<string> {
  const { body } = await admin.call<{ projects: readonly { id: string }[] }>({
    service: 'identity',
    method: 'GET',
    path: '/v3/projects',
    query: { name, domain_id: 'default' },
  })
  const [project] = body.projects
  if (!project) throw new Error(`there is no project ${name}`)
  return project.id
}

/** The subnet around this machine's address: it is the gateway, and the pool leaves out the first addresses. */
function externalSubnet(cidr: string) {
  const [address = '', prefix = ''] = cidr.split('/')
  if (prefix !== '24') return { cidr, gateway_ip: address }
  const base = address.split('.').slice(0, 3).join('.')
  return { cidr: `${base}.0/24`, gateway_ip: address, allocation_pools: [{ start: `${base}.10`, end: `${base}.250` }] }
}
