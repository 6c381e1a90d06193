/** Members and tags of images. */
import { badRequest } from '@strata/toolkit/fault'
import { type ApiRequest, type Operation, operation } from '@strata/toolkit/service'
import type { ImageDeps } from '../logic/deps.ts'
import { addTag, removeTag } from '../logic/image/update.ts'
import { addMember, answerOffer, membersOf, showMember, withdrawOffer } from '../logic/member.ts'
import { memberView } from './views.ts'

const id = (request: ApiRequest): string => request.params['image_id']!.toLowerCase()
const member = (request: ApiRequest): string => request.params['member_id']!

export function memberOperations(deps: ImageDeps): readonly Operation[] {
  return [
    operation({
      method: 'POST',
      path: '/v2/images/:image_id/members',
      status: 200,
      handler: async request =>
        memberView(await addMember(deps, request.context, id(request), newMember(request.body))),
    }),
    operation({
      method: 'GET',
      path: '/v2/images/:image_id/members',
      handler: async request => ({
        members: (await membersOf(deps, request.context, id(request))).map(memberView),
        schema: '/v2/schemas/members',
      }),
    }),
    operation({
      method: 'GET',
      path: '/v2/images/:image_id/members/:member_id',
      handler: async request => memberView(await showMember(deps, request.context, id(request), member(request))),
    }),
    operation({
      method: 'PUT',
      path: '/v2/images/:image_id/members/:member_id',
      async handler(request) {
        const key = { imageId: id(request), memberId: member(request) }
        return memberView(await answerOffer(deps, request.context, key, newStatus(request.body)))
      },
    }),
    operation({
      method: 'DELETE',
      path: '/v2/images/:image_id/members/:member_id',
      handler: async request =>
        withdrawOffer(deps, request.context, id(request), member(request)).then(() => undefined),
    }),
  ]
}

const isObject = (body: unknown): body is Record<string, unknown> =>
  typeof body === 'object' && body !== null && !Array.isArray(body)

function newMember(body: unknown): string {
  if (!isObject(body)) throw badRequest('Expected a member in the form: {"member": "image_id"}')
  const { member } = body
  if (member === undefined) throw badRequest('Member to be added not specified')
  if (member === '' || member === null) throw badRequest("Member can't be empty")
  if (typeof member !== 'string' || member.length > 255)
    throw badRequest('Invalid member: member must be a string of at most 255 characters')
  return member
}

function newStatus(body: unknown): unknown {
  if (!isObject(body)) throw badRequest('Expected a status in the form: {"status": "status"}')
  if (body['status'] === undefined) throw badRequest('Status not specified')
  return body['status']
}

export function tagOperations(deps: ImageDeps): readonly Operation[] {
  const path = '/v2/images/:image_id/tags/:tag'
  return [
    operation({
      method: 'PUT',
      path,
      async handler(request) {
        const tag = request.params['tag']!
        if (tag.length > 255) throw badRequest('Invalid tag: tag must have at most 255 characters')
        await addTag(deps, request.context, id(request), tag)
        return undefined
      },
    }),
    operation({
      method: 'DELETE',
      path,
      async handler(request) {
        await removeTag(deps, request.context, id(request), request.params['tag']!)
        return undefined
      },
    }),
  ]
}
