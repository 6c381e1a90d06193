/** The image and network services behind the proxy APIs, over their own APIs and with the caller's token. */
import { type ImageView, paths } from '@strata/image/contract'
import { floatingip, network, port, securityGroup, securityGroupRule } from '@strata/network/contract'
import { ApiError, client, type Session } from '@strata/sdk'
import { Fault } from '@strata/toolkit/fault'
import type { ProxiedFloatingIp, ProxiedImage, Proxies, ProxiesFor } from '../../logic/ports/proxies.ts'
import { type FloatingIp, floatingIpOf, groupOf, imageOf, ruleOf } from './caller.ts'

const patchType = 'application/openstack-images-v2.1-json-patch'

/** `session` is any; its transport is used with the caller's token. */
export function proxiesOf(session: Session): ProxiesFor {
  return caller => {
    const own = session.as(caller.tokenText ?? '')
    return { ...images(own), ...groups(own), ...floatingIps(own) }
  }
}

/** What another service refused is refused here, in its words. */
async function passedOn<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (thrown) {
    if (!(thrown instanceof ApiError) || thrown.status < 400 || thrown.status > 499) throw thrown
    throw new Fault({ status: statusOf(thrown), code: 'Refused', message: thrown.message, cause: thrown })
  }
}

/** This API has no conflicts with networks: over a quota is forbidden, and what is in use or there already a bad request. */
function statusOf({ service, status, body }: ApiError): number {
  if (service !== 'network' || status !== 409) return status
  const { type } = (body as { readonly NeutronError?: { readonly type?: string } } | undefined)?.NeutronError ?? {}
  return type === 'OverQuota' ? 403 : 400
}

type ImageProxies = Pick<Proxies, 'images' | 'image' | 'removeImage' | 'changeImage'>

function images(session: Session): ImageProxies {
  const call = <T>(method: 'GET' | 'DELETE', path: string, query?: Record<string, string | number>) =>
    passedOn(session.call<T>({ service: 'image', method, path, query }))
  const image = async (id: string) => (await call<ImageView>('GET', paths.image(id))).body
  return {
    async images({ filters, limit, marker }) {
      const query = { ...filters, limit, ...(marker === undefined ? {} : { marker }) }
      const { body } = await call<{ readonly images: readonly ImageView[]; readonly next?: string }>(
        'GET',
        paths.images,
        query,
      )
      return { images: body.images.map(proxiedImage), more: body.next !== undefined }
    },
    image: async id => proxiedImage(await image(id)),
    async removeImage(id) {
      await call('DELETE', paths.image(id))
    },
    async changeImage(id, properties) {
      const before = imageOf(await image(id)).properties
      const body = Object.entries(properties).flatMap(([name, value]) => {
        const path = `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
        if (value !== undefined) return { op: name in before ? 'replace' : 'add', path, value }
        return name in before ? { op: 'remove', path } : []
      })
      const headers = { 'content-type': patchType }
      const patched = session.call<ImageView>({
        service: 'image',
        method: 'PATCH',
        path: paths.image(id),
        body,
        headers,
      })
      return proxiedImage((await passedOn(patched)).body)
    },
  }
}

const proxiedImage = (view: ImageView): ProxiedImage => ({
  ...imageOf(view),
  createdAt: view.created_at,
  updatedAt: view.updated_at,
})

type GroupProxies = Pick<
  Proxies,
  | 'securityGroups'
  | 'securityGroup'
  | 'createSecurityGroup'
  | 'updateSecurityGroup'
  | 'removeSecurityGroup'
  | 'createRule'
  | 'removeRule'
>

function groups(session: Session): GroupProxies {
  const known = client(session, 'network', securityGroup)
  const rules = client(session, 'network', securityGroupRule)
  return {
    securityGroups: async projectId =>
      (await passedOn(known.list(projectId === undefined ? {} : { project_id: projectId }))).map(groupOf),
    securityGroup: async id => groupOf(await passedOn(known.show(id))),
    createSecurityGroup: async given => groupOf(await passedOn(known.create(given))),
    updateSecurityGroup: async (id, given) => groupOf(await passedOn(known.update(id, given))),
    removeSecurityGroup: id => passedOn(removeKnown(session, securityGroup.path, id)),
    async createRule(rule) {
      const made = await passedOn(
        rules.create({
          security_group_id: rule.groupId,
          direction: 'ingress',
          ethertype: rule.remotePrefix?.includes(':') ? 'IPv6' : 'IPv4',
          protocol: rule.protocol,
          port_range_min: rule.portMin,
          port_range_max: rule.portMax,
          remote_ip_prefix: rule.remotePrefix,
          remote_group_id: rule.remoteGroupId,
        }),
      )
      return ruleOf(made)
    },
    removeRule: id => passedOn(removeKnown(session, securityGroupRule.path, id)),
  }
}

/** Unlike a client's `remove`, tells of what was not there. */
async function removeKnown(session: Session, path: string, id: string): Promise<void> {
  await session.call({ service: 'network', method: 'DELETE', path: `${path}/${encodeURIComponent(id)}` })
}

type FloatingIpProxies = Omit<Proxies, keyof ImageProxies | keyof GroupProxies>

function floatingIps(session: Session): FloatingIpProxies {
  const known = client(session, 'network', floatingip)
  return {
    pools: async () =>
      (await client(session, 'network', network).list({ 'router:external': true })).map(({ id, name }) => ({
        id,
        name,
      })),
    floatingIps: async projectId => (await passedOn(known.list({ project_id: projectId }))).map(proxiedFloatingIp),
    floatingIp: async id => proxiedFloatingIp(await passedOn(known.show(id))),
    createFloatingIp: async networkId =>
      proxiedFloatingIp(await passedOn(known.create({ floating_network_id: networkId }))),
    removeFloatingIp: id => passedOn(removeKnown(session, floatingip.path, id)),
    async serversOf(portIds) {
      if (portIds.length === 0) return new Map()
      const found = await client(session, 'network', port).list({ id: [...portIds] })
      return new Map(found.map(({ id, device_id }) => [id, device_id]))
    },
  }
}

const proxiedFloatingIp = (found: FloatingIp): ProxiedFloatingIp => ({
  ...floatingIpOf(found),
  networkId: found.floating_network_id,
  fixedAddress: found.fixed_ip_address,
})
