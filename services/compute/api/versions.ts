/**
 * Which versions of the API there are, told to everybody, and the list of extensions that old clients ask for. `v2.0` is
 * the API as it was before microversions: that of 2.1, under a path of its own.
 */
import { notFound } from '@strata/toolkit/fault'
import { type ApiRequest, type Operation, operation, withChanges } from '@strata/toolkit/service'
import { extensions } from '../contract/extensions.ts'
import { microversions } from '../contract/microversions.ts'

interface Version {
  readonly id: string
  readonly path: string
  readonly status: string
  readonly version: string
  readonly min_version: string
  readonly updated: string
  readonly mediaType: string
}

const { major, min, max } = microversions
const versions: readonly Version[] = [
  {
    id: 'v2.0',
    path: '/v2',
    status: 'SUPPORTED',
    version: '',
    min_version: '',
    updated: '2011-01-21T11:33:21Z',
    mediaType: 'application/vnd.openstack.compute+json;version=2',
  },
  {
    id: 'v2.1',
    path: '/v2.1',
    status: 'CURRENT',
    version: `${major}.${max}`,
    min_version: `${major}.${min}`,
    updated: '2013-07-23T11:33:21Z',
    mediaType: 'application/vnd.openstack.compute+json;version=2.1',
  },
]

export function versionOperations(): Operation[] {
  return [
    operation({
      method: 'GET',
      path: '/',
      auth: 'none',
      handler: request => ({ versions: versions.map(version => brief(request, version)) }),
    }),
    ...versions.map(version =>
      operation({
        method: 'GET',
        path: version.path,
        auth: 'none',
        handler: request => ({
          version: {
            ...brief(request, version),
            'media-types': [{ base: 'application/json', type: version.mediaType }],
          },
        }),
      }),
    ),
  ]
}

const brief = ({ baseUrl }: ApiRequest, { path, mediaType: _, ...version }: Version) => ({
  ...version,
  links: [{ rel: 'self', href: `${baseUrl}${path}/` }],
})

const extensionDate = '2014-12-03T00:00:00Z'
const extension = ([alias, name, description]: (typeof extensions)[number]): object => ({
  alias,
  name,
  description,
  links: [],
  namespace: 'http://docs.openstack.org/compute/ext/fake_xml',
  updated: extensionDate,
})

export function extensionOperations(): Operation[] {
  const policy = 'os_compute_api:extensions'
  return [
    operation({
      method: 'GET',
      path: '/v2.1/extensions',
      policy,
      handler: () => ({ extensions: extensions.map(extension) }),
    }),
    operation({
      method: 'GET',
      path: '/v2.1/extensions/:alias',
      policy,
      handler({ params }) {
        const found = extensions.find(([alias]) => alias === params['alias'])
        if (!found) throw notFound('The resource could not be found.')
        return { extension: extension(found) }
      },
    }),
  ]
}

/** The same operations under `/v2`, as version 2.1 has them whatever version is asked for. */
export function beforeMicroversions(operations: readonly Operation[]): Operation[] {
  return operations
    .filter(({ path, since = 0 }) => path.startsWith('/v2.1/') && since <= min)
    .map(({ since: _since, until: _until, ...one }) => ({
      ...one,
      path: one.path.replace('/v2.1/', '/v2/'),
      body: typeof one.body === 'function' ? one.body(min) : one.body,
      query: typeof one.query === 'function' ? one.query(min) : one.query,
      handler: request => one.handler(withChanges(request, { minor: min })),
    }))
}
