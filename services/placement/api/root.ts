/** `GET /`: which versions there are, told to everybody. */

import type { Runtime } from '@strata/toolkit/runtime'
import type { Operation } from '@strata/toolkit/service'
import { microversions } from '../contract/microversions.ts'
import { answer, endpoint } from './http.ts'

export function rootEndpoints({ runtime }: { readonly runtime: Runtime }): Operation[] {
  const { major, min, max } = microversions
  const version = {
    id: `v${major}.${min}`,
    max_version: `${major}.${max}`,
    min_version: `${major}.${min}`,
    status: 'CURRENT',
    links: [{ rel: 'self', href: '' }],
  }
  return [
    endpoint({
      method: 'GET',
      path: '/',
      auth: 'none',
      handler: request => answer(request, { body: { versions: [version] } }, runtime.now()),
    }),
  ]
}
