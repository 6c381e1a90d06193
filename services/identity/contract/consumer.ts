/**
 * OAuth 1.0 (RFC 5849): a *consumer* is a program that acts for users who never tell it their password. It asks for a
 * *request token*; a user *authorizes* that, for some of its roles on one project, and gets a *verifier*; for both the
 * consumer gets an *access token*, with which it logs in as that user, with those roles.
 */
import { resource } from '@strata/toolkit/resource'
import { text } from '@strata/toolkit/schema'
import { roleReferences } from './application-credential.ts'
import { description, extra, id } from './names.ts'
import type { Ref } from './token.ts'

export const consumer = resource({
  name: 'consumer',
  plural: 'consumers',
  path: '/v3/OS-OAUTH1/consumers',
  table: 'oauth_consumers',
  fields: {
    id: id(),
    description: description(),
    /** Never shown; the secret itself is, once, when it is made. */
    sealed_secret: text().readOnly(),
    extra: extra(),
  },
  policy: {
    list: 'identity:list_consumers',
    show: 'identity:get_consumer',
    create: 'identity:create_consumer',
    update: 'identity:update_consumer',
    delete: 'identity:delete_consumer',
  },
  extra: 'extra',
})

export const authorizeSchema = { type: 'object', properties: { roles: roleReferences } }

/** Body of `PUT /v3/OS-OAUTH1/authorize/{id}`. */
export interface AuthorizeRequest {
  readonly roles?: readonly Ref[]
}
