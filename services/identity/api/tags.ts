/** The tags of a project, all of them or one by one. */
import { notFound } from '@strata/toolkit/fault'
import { type ApiRequest, type Operation, operation, reply } from '@strata/toolkit/service'
import { invalid } from '../contract/errors.ts'
import { maxTags, project, tagPattern, tagsSchema } from '../contract/project.ts'
import type { Parts } from '../logic/parts.ts'
import { projectTagLogic } from '../logic/tags.ts'

export function tagOperations(parts: Parts): Operation[] {
  const logic = projectTagLogic(parts)
  const allowed = async (request: ApiRequest, rule: string): Promise<string> => {
    const id = request.params['id']!
    const { facts, refuseMissing } = await logic.about(id)
    request.context.enforce(rule, { target: { project: facts } })
    refuseMissing()
    return id
  }
  const tagIn = ({ params }: ApiRequest): string => {
    const tag = params['tag']!
    if (tag.length > 255 || !tagPattern.test(tag))
      throw invalid('tag', 'may have no comma, no slash and 255 characters at most')
    return tag
  }
  const all = `${project.path}/:id/tags`
  const view = (tags: readonly string[], request: ApiRequest) => ({
    tags,
    links: { self: `${request.baseUrl}${request.path}` },
  })
  const one = `${all}/:tag`
  return [
    operation({
      method: 'GET',
      path: all,
      handler: async request => view(await logic.list(await allowed(request, 'identity:list_project_tags')), request),
    }),
    operation<{ tags: string[] }>({
      method: 'PUT',
      path: all,
      body: { type: 'object', required: ['tags'], properties: { tags: tagsSchema } },
      async handler(request) {
        const id = await allowed(request, 'identity:update_project_tags')
        await logic.replace(id, request.body.tags)
        return view(await logic.list(id), request)
      },
    }),
    operation({
      method: 'DELETE',
      path: all,
      async handler(request) {
        await logic.replace(await allowed(request, 'identity:delete_project_tags'), [])
        return reply(204)
      },
    }),
    operation({
      method: 'GET',
      path: one,
      async handler(request) {
        const tags = await logic.list(await allowed(request, 'identity:get_project_tag'))
        if (!tags.includes(tagIn(request))) throw notFound(`Could not find project tag: ${tagIn(request)}.`)
        return reply(204)
      },
    }),
    operation({
      method: 'PUT',
      path: one,
      async handler(request) {
        const id = await allowed(request, 'identity:create_project_tag')
        const tag = tagIn(request)
        const tags = await logic.list(id)
        if (!tags.includes(tag) && tags.length >= maxTags)
          throw invalid('tags', `must not have more than ${maxTags} items`)
        await logic.replace(id, [...new Set([...tags, tag])])
        return reply(201, null, { location: `${request.baseUrl}${request.path}` })
      },
    }),
    operation({
      method: 'DELETE',
      path: one,
      async handler(request) {
        const id = await allowed(request, 'identity:delete_project_tag')
        const tags = await logic.list(id)
        if (!tags.includes(tagIn(request))) throw notFound(`Could not find project tag: ${tagIn(request)}.`)
        await logic.replace(
          id,
          tags.filter(tag => tag !== tagIn(request)),
        )
        return reply(204)
      },
    }),
  ]
}
