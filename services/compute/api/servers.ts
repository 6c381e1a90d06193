/** Servers: the plain verbs. */
import { nova } from '@strata/toolkit/dialect'
import { andThen, type Eventual } from '@strata/toolkit/eventual'
import { type ApiRequest, type Operation, operation, type Reply, reply } from '@strata/toolkit/service'
import { paths } from '../contract/paths.ts'
import type { CreatedServer, ServerView } from '../contract/server.ts'
import type { CreateServer, UpdateServer } from '../contract/server-requests.ts'
import type { Compute } from '../logic/compute.ts'
import { serverFor } from '../logic/server/access.ts'
import { listFor } from '../logic/server/list.ts'
import { isOn, requestServers } from '../logic/server/request-create.ts'
import { requestDelete } from '../logic/server/request-delete.ts'
import { requestUpdate } from '../logic/server/request-update.ts'
import { viewScene } from '../logic/server/show.ts'
import { basicView, flavorLink, linksOf, serverView, type ViewScene } from '../logic/server/view.ts'
import { since } from '../versions/history.ts'
import { changedServerAt, createSchemaAt, serverAt, updateSchemaAt } from '../versions/index.ts'

type Server = Awaited<ReturnType<typeof serverFor>>

export function serverOperations(compute: Compute): readonly Operation[] {
  return [
    listOperation(compute, 'index'),
    listOperation(compute, 'detail'),
    operation<CreateServer>({
      method: 'POST',
      path: paths.servers,
      policy: 'os_compute_api:servers:create',
      body: createSchemaAt,
      // User data alone may be 64 KiB, and files of old versions come on top.
      bodyLimit: 1_048_576,
      handler: request => create(compute, request),
    }),
    operation({
      method: 'GET',
      path: '/v2.1/servers/:server_id',
      policy: 'os_compute_api:servers:show',
      handler: request => show(compute, request),
    }),
    operation<{ readonly server: UpdateServer }>({
      method: 'PUT',
      path: '/v2.1/servers/:server_id',
      policy: 'os_compute_api:servers:update',
      body: updateSchemaAt,
      async handler(request) {
        const { context, params, body, minor } = request
        const server = await requestUpdate(compute, context, { id: params['server_id']!, wanted: body.server })
        return { server: changedServerAt(minor, 'update', await shownServer(compute, request, server)) }
      },
    }),
    operation({
      method: 'DELETE',
      path: '/v2.1/servers/:server_id',
      policy: 'os_compute_api:servers:delete',
      handler: request =>
        requestDelete(compute, request.context, {
          ...about(request, 'os_compute_api:servers:delete'),
          action: 'delete',
        }).then(() => undefined),
    }),
  ]
}

const json = { 'content-type': 'application/json' }
/** Answers that were made, by the server, and by what else they depend on. */
const answers = new WeakMap<Server, Map<string, string>>()
/** Kept for each server: few versions are asked for, through few addresses. */
const rememberedAnswers = 4

function show(compute: Compute, request: ApiRequest): Eventual<Reply> {
  const { baseUrl, minor, context } = request
  const found = serverFor(compute, context, { ...about(request, 'os_compute_api:servers:show'), toShow: true })
  return andThen(found, server =>
    andThen(viewScene(compute, context, { baseUrl, minor, server }), scene => {
      const made = () => JSON.stringify({ server: inVersion(minor, scene, server) })
      // The state of a host changes without its servers.
      if (scene.hostStatus) return reply(200, made(), json)
      const { extended, extraSpecs, faultDetails, groups } = scene
      const key = `${minor} ${baseUrl} ${extended} ${extraSpecs} ${faultDetails} ${groups}`
      return reply(200, remembered(answers, server, key, made), json)
    }),
  )
}

function remembered(all: typeof answers, server: Server, key: string, make: () => string): string {
  let texts = all.get(server)
  const known = texts?.get(key)
  if (known !== undefined) return known
  if (!texts || texts.size >= rememberedAnswers) {
    texts = new Map()
    all.set(server, texts)
  }
  const text = make()
  texts.set(key, text)
  return text
}

const about = (request: ApiRequest, rule: string) => ({ id: request.params['server_id']!, rule })

/** A server as the request's version and caller see it. */
export function shownServer(compute: Compute, request: ApiRequest, server: Server): Eventual<ServerView> {
  const { baseUrl, minor, context } = request
  return andThen(viewScene(compute, context, { baseUrl, minor, server }), scene => inVersion(minor, scene, server))
}

const inVersion = (minor: number, scene: ViewScene, server: Server): ServerView =>
  serverAt(minor)(serverView(scene, server), { flavor: flavorLink(scene, server), extended: scene.extended })

function listOperation(compute: Compute, verb: 'index' | 'detail'): Operation {
  return operation({
    method: 'GET',
    path: verb === 'index' ? paths.servers : paths.serversDetail,
    policy: `os_compute_api:servers:${verb}`,
    async handler(request) {
      const { context, query, minor, baseUrl } = request
      const page = await listFor(compute, context, { query, minor, verb })
      const servers =
        verb === 'index' ? basicList(request, page.servers) : await detailedList(compute, request, page.servers)
      const next = page.more ? page.servers.at(-1)!.id : undefined
      return { servers, ...nova.pageLinks('servers', { url: `${baseUrl}${request.path}`, query, next }) }
    },
  })
}

const basicList = (request: ApiRequest, servers: readonly Server[]) => servers.map(server => basicView(request, server))

async function detailedList(compute: Compute, request: ApiRequest, servers: readonly Server[]) {
  const { baseUrl, minor, context } = request
  const scene = await viewScene(compute, context, { baseUrl, minor })
  return servers.map(server => inVersion(minor, scene, server))
}

async function create(compute: Compute, request: ApiRequest<CreateServer>) {
  const { body, context, minor } = request
  // A server's name was its description, too.
  const description = minor < since.description ? { description: body.server.name } : {}
  const accepted = await requestServers(compute, context, { ...body, server: { ...body.server, ...description } })
  if (isOn(body.server.return_reservation_id)) return reply(202, { reservation_id: accepted.reservationId })
  const [server] = accepted.servers
  const links = linksOf(request, 'servers', server!.id)
  const view: CreatedServer = {
    id: server!.id,
    links,
    'OS-DCF:diskConfig': server!.disk_config,
    security_groups: accepted.securityGroups.map(name => ({ name })),
    adminPass: compute.config.enable_instance_password ? accepted.password : undefined,
  }
  return reply(202, { server: view }, { location: links[0]!.href })
}
