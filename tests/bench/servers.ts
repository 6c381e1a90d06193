/** Creating many servers over the API, and how long each takes from the request until it is ACTIVE. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Answer, Api } from '../scenarios/http.ts'

export interface Ground {
  readonly image: string
  readonly network: string
}

function must(answer: Answer): Answer {
  if (answer.status >= 300) throw new Error(`${answer.status} ${answer.text}`)
  return answer
}

/** A network with room for thousands of servers, quotas that allow them, and the image of every new cloud. */
export async function prepareGround(admin: Api): Promise<Ground> {
  const without = { instances: -1, cores: -1, ram: -1 }
  must(await admin.call('PUT', `/compute/v2.1/os-quota-sets/${admin.projectId}`, { body: { quota_set: without } }))
  must(await admin.call('PUT', `/network/v2.0/quotas/${admin.projectId}`, { body: { quota: { port: -1 } } }))
  const made = must(await admin.call('POST', '/network/v2.0/networks', { body: { network: { name: 'wide' } } }))
  const network: string = made.json.network.id
  const subnet = { network_id: network, ip_version: 4, cidr: '10.64.0.0/16' }
  must(await admin.call('POST', '/network/v2.0/subnets', { body: { subnet } }))
  const { images } = must(await admin.call('GET', '/image/v2/images?name=tiny-linux')).json
  return { image: images[0].id, network }
}

export interface Created {
  readonly id: string
  /** From the request to ACTIVE, as a client sees it that asks every few milliseconds. */
  readonly milliseconds: number
}

export async function createServer(api: Api, ground: Ground, name: string): Promise<Created> {
  const start = performance.now()
  const server = { name, imageRef: ground.image, flavorRef: '42', networks: [{ uuid: ground.network }] }
  const { id } = must(await api.call('POST', '/compute/v2.1/servers', { body: { server } })).json.server
  for (;;) {
    const { status, fault } = must(await api.call('GET', `/compute/v2.1/servers/${id}`)).json.server
    if (status === 'ACTIVE') return { id, milliseconds: performance.now() - start }
    if (status === 'ERROR') throw new Error(`${name}: ${fault?.message}`)
    await sleep(10)
  }
}

/** Creates `count` servers, so many in flight at any time. */
export async function createServers(options: {
  readonly api: Api
  readonly ground: Ground
  readonly count: number
  readonly inFlight: number
}): Promise<{ readonly created: readonly Created[]; readonly perSecond: number }> {
  const { api, ground, count, inFlight } = options
  const created: Created[] = []
  let next = 0
  const start = performance.now()
  const worker = async () => {
    while (next < count) created.push(await createServer(api, ground, `bench-${next++}`))
  }
  await Promise.all(Array.from({ length: inFlight }, worker))
  return { created, perSecond: count / ((performance.now() - start) / 1000) }
}
