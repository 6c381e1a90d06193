/** A client of one resource, typed by its declaration. */
import type { Resource } from '@strata/toolkit/resource'
import type { Create, Fields, Row, Update } from '@strata/toolkit/schema'
import type { ApiCall, Session } from './session.ts'

export interface Client<F extends Fields> {
  list(query?: ApiCall['query']): Promise<Row<F>[]>
  /** Undefined when there is none, or none that the session may see. */
  find(id: string): Promise<Row<F> | undefined>
  /** Throws `ApiError` with status 404 when there is none. */
  show(id: string): Promise<Row<F>>
  create(
    body: Create<F>,
    options?: { readonly idempotencyKey?: string; readonly signal?: AbortSignal },
  ): Promise<Row<F>>
  update(id: string, body: Update<F>): Promise<Row<F>>
  /** Gone already counts as done. */
  remove(id: string): Promise<void>
}

/** `service` is the official service type; the resource's envelope is used unless `bare`. */
export function client<F extends Fields>(
  session: Session,
  service: string,
  resource: Resource<F>,
  options: { readonly updateMethod?: 'PUT' | 'PATCH' } = {},
): Client<F> {
  const { name, plural, path } = resource
  const item = (id: string) => `${path}/${encodeURIComponent(id)}`
  const one = (body: unknown) => (body as Record<string, Row<F>>)[name]!
  return {
    list: async query =>
      ((await session.call({ service, method: 'GET', path, query })).body as Record<string, Row<F>[]>)[plural]!,
    async find(id) {
      const answer = await session.call({ service, method: 'GET', path: item(id), accept: [404] })
      return answer.status === 404 ? undefined : one(answer.body)
    },
    show: async id => one((await session.call({ service, method: 'GET', path: item(id) })).body),
    create: async (body, { idempotencyKey, signal } = {}) =>
      one((await session.call({ service, method: 'POST', path, body: { [name]: body }, idempotencyKey, signal })).body),
    update: async (id, body) =>
      one(
        (await session.call({ service, method: options.updateMethod ?? 'PUT', path: item(id), body: { [name]: body } }))
          .body,
      ),
    async remove(id) {
      await session.call({ service, method: 'DELETE', path: item(id), accept: [404] })
    },
  }
}
