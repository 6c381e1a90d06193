/** `/traits` and `/resource_classes`. */

import { badRequest } from '@strata/toolkit/fault'
import { type ApiRequest, type Operation, reply } from '@strata/toolkit/service'
import { badQuery } from '../contract/errors.ts'
import { paths } from '../contract/paths.ts'
import { customName, listTraitsQuery, resourceClassSchema } from '../contract/trait.ts'
import type { Placement } from '../logic/change.ts'
import {
  createClass,
  ensureClass,
  ensureTrait,
  listClasses,
  listTraits,
  type Named,
  removeClass,
  removeTrait,
  renameClass,
  showClass,
  showTrait,
  type TraitFilter,
} from '../logic/names.ts'
import { since } from '../versions/history.ts'
import { answer, endpoint, hrefOf, newest } from './http.ts'

/** `?name=in:A,B` or `startswith:A`, `?associated=true`. */
function traitFilter(query: ApiRequest['query']): TraitFilter {
  const [name, associated] = ['name', 'associated'].map(key => [query[key]].flat().at(-1))
  const [, verb, value] = /^(in|startswith):(.*)$/s.exec(name ?? '') ?? []
  if (name !== undefined && verb === undefined)
    throw badQuery(
      `Badly formatted name parameter. Expected name query string parameter in form: ?name=[in|startswith]:[name1,name2|prefix]. Got: "${name}"`,
    )
  if (associated !== undefined && !/^(true|false)$/i.test(associated))
    throw badQuery('The query parameter "associated" only accepts "true" or "false"')
  return {
    names: verb === 'in' ? value!.split(',') : undefined,
    prefix: verb === 'startswith' ? value : undefined,
    associated: associated === undefined ? undefined : associated.toLowerCase() === 'true',
  }
}

export function traitEndpoints(placement: Placement): Operation[] {
  const now = () => placement.runtime.now()
  const path = '/traits/:name'
  return [
    endpoint({
      method: 'GET',
      path: '/traits',
      since: since.traits,
      policy: 'placement:traits:list',
      query: listTraitsQuery,
      async handler(request) {
        const traits = await listTraits(placement, traitFilter(request.query))
        const body = { traits: traits.map(one => one.name) }
        return answer(request, { body, modified: newest(traits.map(one => one.since)) }, now())
      },
    }),
    endpoint({
      method: 'GET',
      path,
      since: since.traits,
      policy: 'placement:traits:show',
      async handler(request) {
        const trait = await showTrait(placement, request.params['name']!)
        return answer(request, { status: 204, modified: trait.since }, now())
      },
    }),
    endpoint({
      method: 'PUT',
      path,
      since: since.traits,
      policy: 'placement:traits:update',
      async handler(request) {
        const trait = await ensureTrait(placement, request.params['name']!)
        const location = request.baseUrl + paths.trait(trait.name)
        return answer(request, { status: trait.created ? 201 : 204, modified: trait.since, location }, now())
      },
    }),
    endpoint({
      method: 'DELETE',
      path,
      since: since.traits,
      policy: 'placement:traits:delete',
      handler: request => removeTrait(placement, request.params['name']!).then(() => undefined),
    }),
  ]
}

interface WithName {
  readonly name: string
}

const classPath = '/resource_classes/:name'
const classView = (request: ApiRequest, { name }: Named) => ({
  name,
  links: [{ rel: 'self', href: hrefOf(request, paths.resourceClass(name)) }],
})

export const resourceClassEndpoints = (placement: Placement): Operation[] => [
  ...endpointsOfClasses(placement),
  ...endpointsThatName(placement),
]

function endpointsOfClasses(placement: Placement): Operation[] {
  const now = () => placement.runtime.now()
  return [
    endpoint({
      method: 'GET',
      path: '/resource_classes',
      since: since.resourceClasses,
      policy: 'placement:resource_classes:list',
      async handler(request) {
        const classes = await listClasses(placement)
        const body = { resource_classes: classes.map(one => classView(request, one)) }
        return answer(request, { body, modified: newest(classes.map(one => one.since)) }, now())
      },
    }),
    endpoint<WithName>({
      method: 'POST',
      path: '/resource_classes',
      since: since.resourceClasses,
      policy: 'placement:resource_classes:create',
      body: resourceClassSchema,
      async handler(request) {
        await createClass(placement, request.body.name)
        return reply(201, undefined, { location: request.baseUrl + paths.resourceClass(request.body.name) })
      },
    }),
    endpoint({
      method: 'GET',
      path: classPath,
      since: since.resourceClasses,
      policy: 'placement:resource_classes:show',
      async handler(request) {
        const one = await showClass(placement, request.params['name']!)
        return answer(request, { body: classView(request, one), modified: one.since }, now())
      },
    }),
  ]
}

function endpointsThatName(placement: Placement): Operation[] {
  return [
    endpoint<WithName>({
      method: 'PUT',
      path: classPath,
      since: since.resourceClasses,
      until: since.bodilessResourceClass - 1,
      policy: 'placement:resource_classes:update',
      body: resourceClassSchema,
      async handler(request) {
        await renameClass(placement, request.params['name']!, request.body.name)
        return classView(request, request.body)
      },
    }),
    endpoint({
      method: 'PUT',
      path: classPath,
      since: since.bodilessResourceClass,
      policy: 'placement:resource_classes:update',
      async handler(request) {
        const name = request.params['name']!
        if (!customName.test(name))
          throw badRequest(`JSON does not validate: name '${name}' does not match '^CUSTOM_[A-Z0-9_]+$'`)
        const created = await ensureClass(placement, name)
        return reply(created ? 201 : 204, undefined, { location: request.baseUrl + paths.resourceClass(name) })
      },
    }),
    endpoint({
      method: 'DELETE',
      path: classPath,
      since: since.resourceClasses,
      policy: 'placement:resource_classes:delete',
      handler: request => removeClass(placement, request.params['name']!).then(() => undefined),
    }),
  ]
}
