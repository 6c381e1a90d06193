/** The documents by which clients find out which versions answer where. */
import { type ApiRequest, type Operation, operation, reply } from '@strata/toolkit/service'

const version = (request: ApiRequest) => ({
  id: 'v3.14',
  status: 'stable',
  updated: '2020-04-07T00:00:00Z',
  links: [{ rel: 'self', href: `${request.baseUrl}/v3/` }],
  'media-types': [{ base: 'application/json', type: 'application/vnd.openstack.identity-v3+json' }],
})

export const versionOperations: readonly Operation[] = [
  operation({
    method: 'GET',
    path: '/',
    auth: 'none',
    handler: request =>
      reply(300, { versions: { values: [version(request)] } }, { location: `${request.baseUrl}/v3/` }),
  }),
  operation({
    method: 'GET',
    path: '/v3',
    auth: 'none',
    handler: request => ({ version: version(request) }),
  }),
]
