/** What this service is: its version, resources and extensions. */
import { type ApiRequest, type Operation, operation } from '@strata/toolkit/service'
import { extensions } from '../contract/extensions.ts'
import { extensionNotFound } from '../contract/faults.ts'
import { floatingip } from '../contract/floatingip.ts'
import { network } from '../contract/network.ts'
import { port } from '../contract/port.ts'
import { rbacPolicy } from '../contract/rbac-policy.ts'
import { router } from '../contract/router.ts'
import { securityGroup, securityGroupRule } from '../contract/security-group.ts'
import { subnet } from '../contract/subnet.ts'

const resources = [network, subnet, port, router, floatingip, securityGroup, securityGroupRule, rbacPolicy]

export function discoveryOperations(): Operation[] {
  const version = ({ baseUrl }: ApiRequest) => ({
    id: 'v2.0',
    status: 'CURRENT',
    links: [{ rel: 'self', href: `${baseUrl}/v2.0/` }],
  })
  return [
    operation({
      method: 'GET',
      path: '/',
      auth: 'none',
      handler: request => ({ versions: [version(request)] }),
    }),
    operation({
      method: 'GET',
      path: '/v2.0',
      auth: 'none',
      handler: ({ baseUrl }) => ({
        resources: resources.map(({ name, plural, path }) => ({
          name,
          collection: plural,
          links: [{ rel: 'self', href: `${baseUrl}${path}` }],
        })),
      }),
    }),
    operation({ method: 'GET', path: '/v2.0/extensions', handler: () => ({ extensions }) }),
    operation({
      method: 'GET',
      path: '/v2.0/extensions/:alias',
      handler({ params }) {
        const found = extensions.find(one => one.alias === params['alias'])
        if (!found) throw extensionNotFound(params['alias']!)
        return { extension: found }
      },
    }),
  ]
}
