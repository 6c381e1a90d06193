/**
 * The plain verbs of a resource — list, show, create, update, delete — derived from its declaration. A service adds what is
 * its own by hooks that run inside the transaction, and leaves any verb out to write an ordinary operation instead.
 */
import { isDeepStrictEqual } from 'node:util'
import type { RequestContext } from '../context/index.ts'
import type { Dialect } from '../dialect/index.ts'
import { badRequest, Fault, forbidden, notFound } from '../fault/index.ts'
import { isoTime, uuidFromName } from '../runtime/index.ts'
import {
  type Create,
  creationSchema,
  type Fields,
  type JsonSchema,
  type Row,
  type Update,
  updateSchema,
} from '../schema/index.ts'
import { type ApiRequest, type Operation, operation, reply } from '../service/index.ts'
import { isUniqueViolation } from '../store/index.ts'
import type { AnyStore, ChangeScene, DeriveOptions, Hooks } from './hooks.ts'
import { pageOf, parseList } from './list-query.ts'
import { type Condition, type Repository, repository } from './repository.ts'
import type { Resource, Verb } from './resource.ts'

/** What the parts below share. */
interface Kit<F extends Fields> extends DeriveOptions<F> {
  readonly resource: Resource<F>
  readonly rows: Repository<F>
  readonly hooks: Hooks<F>
  /** Each field with the name of the rule that may guard its being shown. */
  readonly showRules: readonly (readonly [field: string, rule: string])[]
}

/** The operations of the verbs. */
export function derive<F extends Fields>(resource: Resource<F>, options: DeriveOptions<F>): Operation[] {
  const { fieldRule } = resource
  const showRules = fieldRule ? Object.keys(resource.fields).map(name => [name, fieldRule('get', name)] as const) : []
  const kit: Kit<F> = { ...options, resource, rows: repository(resource), hooks: options.hooks ?? {}, showRules }
  const item = `${resource.path}/:id`
  const { dialect, fields } = { ...options, fields: resource.fields }
  const operations: Record<Verb, () => Operation> = {
    list: () => operation({ method: 'GET', path: resource.path, handler: request => list(kit, request) }),
    show: () => operation({ method: 'GET', path: item, handler: request => show(kit, request) }),
    create: () =>
      operation({
        method: 'POST',
        path: resource.path,
        body: bodySchema(kit, creationSchema(fields), true),
        handler: request => create(kit, request),
      }),
    update: () =>
      operation({
        method: dialect.updateMethod,
        path: item,
        body: bodySchema(kit, updateSchema(fields), false),
        handler: request => update(kit, request),
      }),
    delete: () => operation({ method: 'DELETE', path: item, handler: request => remove(kit, request) }),
  }
  const verbs = options.verbs ?? (Object.keys(resource.policy) as Verb[])
  return verbs.map(verb => operations[verb]())
}

function bodySchema<F extends Fields>(kit: Kit<F>, inner: JsonSchema, creating: boolean): JsonSchema {
  const { resource, dialect } = kit
  const properties = { ...(inner['properties'] as Record<string, JsonSchema>) }
  for (const [alias, name] of Object.entries(resource.aliases ?? {}))
    if (properties[name]) properties[alias] = properties[name]
  const body: JsonSchema = { ...inner, properties, additionalProperties: resource.extra !== undefined }
  if (!dialect.envelope) return body
  const single: JsonSchema = { type: 'object', required: [resource.name], properties: { [resource.name]: body } }
  if (!creating || !dialect.bulkCreate) return single
  // Each of several may come in an envelope of its own.
  const { required, ...optional } = body
  const bulkItem: JsonSchema = {
    ...optional,
    properties: { ...properties, [resource.name]: body },
    if: { required: [resource.name] },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: { maxProperties: 1 },
    else: { required: required ?? [] },
  }
  return {
    type: 'object',
    properties: { [resource.name]: body, [resource.plural]: { type: 'array', minItems: 1, items: bulkItem } },
    if: { required: [resource.plural] },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: {},
    else: { required: [resource.name] },
  }
}

async function list<F extends Fields>(kit: Kit<F>, request: ApiRequest): Promise<object> {
  const { resource, rows, hooks, dialect, store } = kit
  const { context } = request
  if (!dialect.hidesForbidden)
    context.enforce(resource.policy.list!, await target(kit, request.query, context, store.db))
  const parsed = parseList(resource, dialect, request.query, Object.keys(hooks.filters ?? {}))
  const limit = Math.min(
    parsed.limit ?? kit.maxLimit ?? Number.POSITIVE_INFINITY,
    kit.maxLimit ?? Number.POSITIVE_INFINITY,
  )
  const after = parsed.marker === undefined ? undefined : await markerRow(kit, parsed.marker, context)
  const found = await rows.list(store.db, {
    where: parsed.where,
    conditions: [
      ...restriction(kit, context, 'list'),
      ...Object.entries(parsed.others).map(([name, values]) => hooks.filters![name]!(values, context)),
    ],
    sort: parsed.sort,
    // One more than asked for tells whether there is a next page.
    limit: Number.isFinite(limit) ? limit + 1 : undefined,
    after,
    reverse: parsed.reverse,
  })
  const more = found.length > limit
  const page = more ? (parsed.reverse ? found.slice(1) : found.slice(0, limit)) : found
  const full = page.length === limit
  const unlooked = dialect.linksUnlooked && parsed.limit !== undefined
  const onward = unlooked ? parsed.reverse || full : more || parsed.reverse
  const back = unlooked ? !parsed.reverse || full : parsed.marker !== undefined
  const marker = (row: Row<F> | undefined) => idOf(row) ?? (unlooked ? '' : undefined)
  const ids = { next: onward ? marker(page.at(-1)) : undefined, previous: back ? marker(page[0]) : undefined }
  return {
    [resource.plural]: await views(kit, page, request),
    ...dialect.pageLinks(resource.plural, pageOf(request, ids)),
  }
}

const idOf = (row: Record<string, unknown> | undefined): string | undefined => row?.['id'] as string | undefined

async function markerRow<F extends Fields>(kit: Kit<F>, marker: string, context: RequestContext): Promise<Row<F>> {
  const [row] = await kit.rows.list(kit.store.db, {
    where: { id: marker },
    conditions: restriction(kit, context, 'list'),
    limit: 1,
  })
  if (!row) throw badRequest(`Invalid input for marker: there is no ${kit.resource.name} ${marker}.`, 'InvalidInput')
  return row
}

async function show<F extends Fields>(kit: Kit<F>, request: ApiRequest): Promise<object> {
  const row = await authorized(kit, request, 'show', kit.store.db)
  const [view] = await views(kit, [row], request)
  return wrap(kit, view!)
}

async function create<F extends Fields>(kit: Kit<F>, request: ApiRequest): Promise<object> {
  const { resource, dialect, store } = kit
  const body = request.body as Record<string, unknown>
  const bulk = dialect.bulkCreate
    ? (body[resource.plural] as Record<string, unknown>[] | undefined)?.map(one => one[resource.name] ?? one)
    : undefined
  const bodies = bulk ?? [dialect.envelope ? (body[resource.name] as object) : body]
  const attempt = () =>
    store.transaction(async (tx, afterCommit) => {
      const scene = { tx, request, context: request.context, afterCommit }
      const made: Row<F>[] = []
      for (const [at, one] of bodies.entries())
        made.push(await createOne(kit, one as Record<string, unknown>, scene, at))
      return made
    })
  const created = await refuseDuplicates(kit, () =>
    attempt().catch(thrown => {
      // Where transactions run side by side, a call with the same key may have made the row in between: look again, once.
      if (idempotencyKey(request, 0) === undefined || !isUniqueViolation(thrown)) throw thrown
      return attempt()
    }),
  )
  const shown = await views(kit, created, request)
  return reply(dialect.status.create, bulk ? { [resource.plural]: shown } : wrap(kit, shown[0]!))
}

async function createOne<F extends Fields>(
  kit: Kit<F>,
  given: Record<string, unknown>,
  bare: Omit<ChangeScene, 'given'>,
  at: number,
): Promise<Row<F>> {
  const { resource, rows, hooks, runtime } = kit
  const { context, request, tx } = bare
  const body = settable(resource, received(resource, given))
  const scene: ChangeScene = { ...bare, given: { ...body } }
  const defaults = Object.fromEntries(
    Object.entries(resource.fields).map(([name, field]) => [name, field.default ?? null]),
  )
  if ('project_id' in resource.fields && body['project_id'] === undefined && context.projectId)
    body['project_id'] = context.projectId
  const about = await target(kit, { ...defaults, ...body }, context, tx)
  context.enforce(resource.policy.create!, about)
  enforceFields(kit, 'create', body, context, about, defaults)
  const key = idempotencyKey(request, at)
  const id = (kit.newId ?? (uuid => uuid))(key === undefined ? runtime.uuid() : uuidFromName(key))
  if (key !== undefined) {
    const already = await rows.find(tx, id)
    if (already) return already
  }
  const now = isoTime(runtime.now())
  const initial = {
    ...defaults,
    ...body,
    id,
    created_at: now,
    updated_at: resource.fields['updated_at']?.default === null ? null : now,
  }
  const row = await rows.insert(tx, {
    ...initial,
    ...(await hooks.beforeCreate?.(initial as unknown as Create<F>, scene)),
  } as unknown as Partial<Row<F>> & Create<F>)
  await hooks.afterCreate?.(row, scene)
  await kit.changed?.({ verb: 'create', resource, row, scene })
  return row
}

/** Repeating a create under the same `Idempotency-Key` finds what the first made: its id follows from the key and the caller. */
function idempotencyKey(request: ApiRequest, at: number): string | undefined {
  const key = request.headers['idempotency-key']
  if (typeof key !== 'string' || key === '') return undefined
  const { userId, projectId } = request.context
  return [userId, projectId, request.path, key, at].join(':')
}

async function update<F extends Fields>(kit: Kit<F>, request: ApiRequest): Promise<object> {
  const { resource, rows, hooks, dialect, store, runtime } = kit
  const body = request.body as Record<string, unknown>
  const given = received(resource, (dialect.envelope ? body[resource.name] : body) as Record<string, unknown>)
  const after = await refuseDuplicates(kit, () =>
    store.transaction(async (tx, afterCommit) => {
      const scene: ChangeScene = { tx, request, context: request.context, afterCommit, given }
      const before = await authorized(kit, request, 'update', tx)
      refuseFixed(resource, given, before)
      // Rules of single fields are asked about what the resource is to become.
      const about = await target(kit, { ...before, ...given }, request.context, tx)
      enforceFields(kit, 'update', given, request.context, about, before)
      const merged =
        resource.extra && given[resource.extra]
          ? { ...given, [resource.extra]: mergeExtra(before[resource.extra], given[resource.extra]) }
          : given
      const change = {
        ...merged,
        updated_at: isoTime(runtime.now()),
        ...(await hooks.beforeUpdate?.(before, merged as Update<F>, scene)),
      }
      await rows.update(tx, before['id'] as string, change as Partial<Row<F>>)
      const row = (await rows.find(tx, before['id'] as string))!
      await hooks.afterUpdate?.(row, before, scene)
      await kit.changed?.({ verb: 'update', resource, row, before, scene })
      return row
    }),
  )
  const [view] = await views(kit, [after], request)
  return reply(dialect.status.update, wrap(kit, view!))
}

async function remove<F extends Fields>(kit: Kit<F>, request: ApiRequest): Promise<object> {
  const { hooks, rows, store, dialect } = kit
  await store.transaction(async (tx, afterCommit) => {
    const scene: ChangeScene = { tx, request, context: request.context, afterCommit, given: {} }
    const row = await authorized(kit, request, 'delete', tx)
    await hooks.beforeDelete?.(row, scene)
    await rows.remove(tx, row['id'] as string)
    await hooks.afterDelete?.(row, scene)
    await kit.changed?.({ verb: 'delete', resource: kit.resource, row, scene })
  })
  return reply(dialect.status.delete)
}

/** The row, if it exists, the caller may know of it, and may do this to it. */
async function authorized<F extends Fields>(
  kit: Kit<F>,
  request: ApiRequest,
  verb: Verb,
  db: AnyStore['db'],
): Promise<Row<F>> {
  const { resource, dialect } = kit
  const { context, params } = request
  const id = params['id']!
  const row = await visibleRow(kit, { id, verb, context, db })
  const missing = () => {
    if (kit.hooks.missing) return kit.hooks.missing(id)
    const { code, message } = dialect.missing(resource.name, id)
    return notFound(message, code)
  }
  const rule = resource.policy[verb]!
  // Where forbidden things are not hidden, the rule is asked first, so that nobody learns which ids exist.
  if (!row) {
    const secret = !dialect.hidesForbidden && !kit.hooks.tellsMissing?.includes(verb)
    if (secret) context.enforce(rule, await target(kit, { id }, context, db))
    throw missing()
  }
  const about = await target(kit, row, context, db)
  if (context.can(rule, about)) return row
  if (dialect.hidesForbidden && (verb === 'show' || !context.can(resource.policy.show ?? rule, about))) throw missing()
  throw forbidden(`Policy doesn't allow ${rule} to be performed.`, 'PolicyNotAuthorized')
}

async function visibleRow<F extends Fields>(
  kit: Kit<F>,
  { id, verb, context, db }: { id: string; verb: Verb; context: RequestContext; db: AnyStore['db'] },
): Promise<Row<F> | undefined> {
  const own = kit.hooks.restrict?.(context, verb)
  if (own && own.length > 0) return (await kit.rows.list(db, { where: { id }, conditions: own, limit: 1 }))[0]
  const row = await kit.rows.find(db, id)
  const hidden = !own && row && seesOwnOnly(kit, context, verb) && row['project_id'] !== context.projectId
  return hidden ? undefined : row
}

/** The service's own restriction, or: who may not list everybody's sees what is of its own project. */
function restriction<F extends Fields>(kit: Kit<F>, context: RequestContext, verb: Verb): readonly Condition[] {
  const own = kit.hooks.restrict?.(context, verb)
  if (own) return own
  return seesOwnOnly(kit, context, verb) ? [eb => eb('project_id', '=', context.projectId)] : []
}

function seesOwnOnly<F extends Fields>(kit: Kit<F>, context: RequestContext, verb: Verb): boolean {
  const rule = kit.resource.policy[verb === 'list' ? 'list' : 'show'] ?? kit.resource.policy[verb]!
  return 'project_id' in kit.resource.fields && !context.can(rule, {})
}

async function target<F extends Fields>(
  kit: Kit<F>,
  values: Readonly<Record<string, unknown>>,
  context: RequestContext,
  db: AnyStore['db'],
): Promise<Readonly<Record<string, unknown>>> {
  if (kit.hooks.target) return kit.hooks.target(values, context, db)
  return 'project_id' in values ? { ...values, tenant_id: values['project_id'] } : values
}

/** Enforces the rules of single fields that are set to something else than `before`. */
function enforceFields<F extends Fields>(
  kit: Kit<F>,
  verb: 'create' | 'update',
  given: Readonly<Record<string, unknown>>,
  context: RequestContext,
  about: Readonly<Record<string, unknown>>,
  before: Readonly<Record<string, unknown>>,
): void {
  const { fieldRule } = kit.resource
  if (!fieldRule) return
  for (const [name, value] of Object.entries(given)) {
    const rule = fieldRule(verb, name)
    if (!isDeepStrictEqual(value, before[name]) && context.knows(rule)) context.enforce(rule, about)
  }
}

/** The body under the fields' first names, with undeclared members gathered in the resource's `extra`. */
function received(resource: Resource, given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const body: Record<string, unknown> = {}
  const extra: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(given)) {
    const name = resource.aliases?.[key] ?? key
    if (resource.fields[name] && name !== resource.extra) body[name] = value
    // Links are made when it is shown; a caller that sends back what it was shown sends them too.
    else if (key !== 'links') extra[key] = value
  }
  if (resource.extra && Object.keys(extra).length > 0) body[resource.extra] = extra
  return body
}

/** Bodies with room for extra attributes can also name fields that are the service's own to set: those are passed over. */
function settable(resource: Resource, body: Record<string, unknown>): Record<string, unknown> {
  if (!resource.extra) return body
  return Object.fromEntries(
    Object.entries(body).filter(([name]) => name === resource.extra || resource.fields[name]!.create !== 'never'),
  )
}

/** In such bodies a field that cannot be changed may be named, as it is. */
function refuseFixed(
  resource: Resource,
  given: Record<string, unknown>,
  before: Readonly<Record<string, unknown>>,
): void {
  if (!resource.extra) return
  for (const [name, value] of Object.entries(given)) {
    if (name === resource.extra || resource.fields[name]!.update) continue
    if (value !== before[name]) throw badRequest(`Invalid input for field '${name}': ${name} cannot be changed`)
    delete given[name]
  }
}

const mergeExtra = (before: unknown, given: unknown): object => ({ ...(before as object | null), ...(given as object) })

async function views<F extends Fields>(kit: Kit<F>, rows: readonly Row<F>[], request: ApiRequest): Promise<object[]> {
  const { resource, hooks, dialect, store } = kit
  const decorated = (hooks.decorate ? await hooks.decorate(rows, request, store.db) : rows) as readonly Record<
    string,
    unknown
  >[]
  const wanted = selection(dialect, request)
  const guarded = guardedFields(kit, request.context)
  const targets =
    guarded.size === 0 ? [] : await Promise.all(decorated.map(row => target(kit, row, request.context, store.db)))
  return decorated.map((row, at) => {
    const view: Record<string, unknown> = {}
    for (const [name, value] of Object.entries(row)) {
      if (name === resource.extra || (wanted && !wanted.has(name))) continue
      const rule = guarded.get(name)
      if (rule !== undefined && !request.context.can(rule, targets[at])) continue
      view[name] = value
    }
    for (const [alias, name] of Object.entries(resource.aliases ?? {}))
      if (name in row && (!wanted || wanted.has(alias))) view[alias] = row[name]
    if (resource.extra) Object.assign(view, { ...(row[resource.extra] as object | null), ...view })
    if (dialect.selfLink)
      view['links'] = {
        self: `${request.baseUrl}${resource.path}/${row['id']}`,
        ...(view['links'] as object | undefined),
      }
    return view
  })
}

function selection(dialect: Dialect, request: ApiRequest): ReadonlySet<string> | undefined {
  const fields = request.query['fields']
  return dialect.fieldSelection && fields !== undefined ? new Set([fields].flat()) : undefined
}

/** Fields that are shown to those alone who pass a rule: name → rule. */
function guardedFields<F extends Fields>(kit: Kit<F>, context: RequestContext): ReadonlyMap<string, string> {
  return new Map(kit.showRules.filter(([, rule]) => context.knows(rule)))
}

function wrap<F extends Fields>(kit: Kit<F>, view: object): object {
  return kit.dialect.envelope ? { [kit.resource.name]: view } : view
}

/** A unique constraint is the last word on names that must differ; hooks give better words where they can. */
async function refuseDuplicates<F extends Fields, T>(kit: Kit<F>, change: () => Promise<T>): Promise<T> {
  try {
    return await change()
  } catch (thrown) {
    if (!isUniqueViolation(thrown)) throw thrown
    throw new Fault({
      status: 409,
      code: 'Conflict',
      message: `Conflict occurred attempting to store ${kit.resource.name.replaceAll('_', ' ')} - Duplicate entry.`,
      cause: thrown,
    })
  }
}
