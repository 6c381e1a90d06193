/**
 * Dialects: how each OpenStack API family words what is the same underneath — errors, envelopes, lists and their links,
 * success codes. Data and small functions; the rest of the toolkit never asks which family it serves.
 */
import { STATUS_CODES } from 'node:http'
import type { Fault } from '../fault/index.ts'
import type { Violation } from '../schema/index.ts'

export interface ErrorScene {
  readonly requestId: string
  /** URL path of the service's root, without a trailing slash. */
  readonly root: string
  /** Minor of the microversion in force; undefined where the service has none, or none was agreed on. */
  readonly minor?: number
}

export interface Page {
  /** Absolute URL of the list, without its query. */
  readonly url: string
  readonly query: Readonly<Record<string, string | string[] | undefined>>
  /** Marker of the next page; absent on the last one. An empty marker links without one: to the list's beginning, or its end. */
  readonly next?: string
  readonly previous?: string
}

export interface Dialect {
  readonly name: string
  error(fault: Fault, scene: ErrorScene): { readonly headers?: Record<string, string>; readonly body: unknown }
  /** The message of a 400 for a body that its schema refuses. */
  invalid(violation: Violation, where: 'body' | 'query'): string
  /** The message of a 404 for a resource of that name. */
  missing(resource: string, id: string): { readonly code: string; readonly message: string }
  /** Links of a page of a list, merged into its body: `{ networks_links: […] }`, `{ links: { next } }`. */
  pageLinks(plural: string, page: Page): Record<string, unknown>
  readonly updateMethod: 'PUT' | 'PATCH'
  readonly status: { readonly create: number; readonly update: number; readonly delete: number }
  /** False: resources are sent and answered bare (Glance). */
  readonly envelope: boolean
  /** `https://…/v3/users/1` under `links.self` of each resource (Keystone). */
  readonly selfLink: boolean
  /** Query parameters that are not filters. */
  readonly reserved: readonly string[]
  /** What becomes of a filter that the resource does not have. */
  readonly unknownFilter: 'ignore' | 'refuse'
  /** True: who may not even see a resource is told that there is none (404), not that it is forbidden (403). */
  readonly hidesForbidden: boolean
  /**
   * True: a page that was asked for by `limit` links on when it is full, and back always, without looking whether there is
   * more (Neutron): callers go on until a page is not full.
   */
  readonly linksUnlooked: boolean
  /** True: `POST {"networks": […]}` creates several, all or none. */
  readonly bulkCreate: boolean
  /** True: `?fields=id&fields=name` limits what is shown. */
  readonly fieldSelection: boolean
}

const title = (status: number): string => STATUS_CODES[status] ?? 'Error'

/** `NetworkNotFound` from `network`; `SecurityGroupRuleNotFound` from `security_group_rule`. */
const camel = (name: string): string => name.replace(/(?:^|[_-])([a-z])/g, (_, c: string) => c.toUpperCase())

/** The field's path below the envelope: `name` for `network.name`, `0.name` for `networks.0.name`. */
const inEnvelope = ({ field }: Violation): string => field.slice(field.indexOf('.') + 1) || 'body'

const pageUrl = (page: Page, changes: Record<string, string>): string => {
  const url = new URL(page.url)
  for (const [name, value] of Object.entries(page.query))
    if (!(name in changes) && name !== 'page_reverse')
      for (const one of Array.isArray(value) ? value : [value])
        if (one !== undefined) url.searchParams.append(name, one)
  for (const [name, value] of Object.entries(changes)) if (value !== '') url.searchParams.set(name, value)
  return url.href
}

const relLinks = (key: string, page: Page): Record<string, unknown> => {
  const links = []
  if (page.next !== undefined) links.push({ rel: 'next', href: pageUrl(page, { marker: page.next }) })
  if (page.previous !== undefined)
    links.push({ rel: 'previous', href: pageUrl(page, { marker: page.previous, page_reverse: 'True' }) })
  return links.length > 0 ? { [key]: links } : {}
}

export const keystone: Dialect = {
  name: 'keystone',
  error: fault => ({
    body: { error: { code: fault.status, message: fault.message, title: title(fault.status), ...fault.details } },
  }),
  invalid: v => `Invalid input for field '${inEnvelope(v)}': ${inEnvelope(v)} ${v.problem}`,
  missing: (resource, id) => ({
    code: `${camel(resource)}NotFound`,
    message: `Could not find ${resource.replaceAll('_', ' ')}: ${id}.`,
  }),
  pageLinks: (_plural, page) => ({
    links: {
      next: page.next === undefined ? null : pageUrl(page, { marker: page.next }),
      self: pageUrl(page, {}),
      previous: null,
    },
  }),
  updateMethod: 'PATCH',
  status: { create: 201, update: 200, delete: 204 },
  envelope: true,
  selfLink: true,
  reserved: ['limit', 'marker', 'sort_key', 'sort_dir'],
  unknownFilter: 'ignore',
  hidesForbidden: false,
  linksUnlooked: false,
  bulkCreate: false,
  fieldSelection: false,
}

export const neutron: Dialect = {
  name: 'neutron',
  error: fault => ({
    body: { NeutronError: { type: fault.code, message: fault.message, detail: '', ...fault.details } },
  }),
  invalid: v => `Invalid input for ${inEnvelope(v)}. Reason: ${inEnvelope(v)} ${v.problem}.`,
  missing: (resource, id) => ({
    code: `${camel(resource)}NotFound`,
    message: `${camel(resource)} ${id} could not be found.`,
  }),
  pageLinks: (plural, page) => relLinks(`${plural}_links`, page),
  updateMethod: 'PUT',
  status: { create: 201, update: 200, delete: 204 },
  envelope: true,
  selfLink: false,
  reserved: [
    'limit',
    'marker',
    'page_reverse',
    'sort_key',
    'sort_dir',
    'fields',
    'tags',
    'tags-any',
    'not-tags',
    'not-tags-any',
  ],
  unknownFilter: 'refuse',
  hidesForbidden: true,
  linksUnlooked: true,
  bulkCreate: true,
  fieldSelection: true,
}

const novaNames: Readonly<Record<number, string>> = {
  400: 'badRequest',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'itemNotFound',
  405: 'badMethod',
  406: 'notAcceptable',
  409: 'conflictingRequest',
  410: 'gone',
  413: 'overLimit',
  415: 'badMediaType',
  429: 'overLimit',
  501: 'notImplemented',
  503: 'serviceUnavailable',
}

export const nova: Dialect = {
  name: 'nova',
  error: fault => ({
    body: {
      [novaNames[fault.status] ?? 'computeFault']: { code: fault.status, message: fault.message, ...fault.details },
    },
  }),
  invalid: (v, where) =>
    where === 'query'
      ? `Invalid input for query parameters ${v.field}: ${v.problem}`
      : `Invalid input for field/attribute ${v.field.split('.').at(-1) || 'body'}: ${v.field} ${v.problem}`,
  missing: (resource, id) => ({
    code: `${camel(resource)}NotFound`,
    message: `${camel(resource)} ${id} could not be found.`,
  }),
  pageLinks: (plural, page) =>
    page.next === undefined ? {} : relLinks(`${plural}_links`, { ...page, previous: undefined }),
  updateMethod: 'PUT',
  status: { create: 200, update: 200, delete: 204 },
  envelope: true,
  selfLink: false,
  reserved: ['limit', 'marker', 'sort_key', 'sort_dir'],
  unknownFilter: 'ignore',
  hidesForbidden: true,
  linksUnlooked: false,
  bulkCreate: false,
  fieldSelection: false,
}

export const glance: Dialect = {
  name: 'glance',
  error: fault => ({
    body: {
      message: fault.message,
      code: `${fault.status} ${title(fault.status)}`,
      title: title(fault.status),
      ...fault.details,
    },
  }),
  invalid: v => `Invalid ${v.field || 'body'}: ${v.field || 'it'} ${v.problem}`,
  missing: (resource, id) => ({ code: `${camel(resource)}NotFound`, message: `No ${resource} found with ID ${id}` }),
  pageLinks: (_plural, page) => {
    const path = (url: string) => url.replace(/^https?:\/\/[^/]+/, '')
    const links: Record<string, unknown> = {
      first: path(pageUrl({ ...page, query: { ...page.query, marker: undefined } }, {})),
    }
    if (page.next !== undefined) links['next'] = path(pageUrl(page, { marker: page.next }))
    return links
  },
  updateMethod: 'PATCH',
  status: { create: 201, update: 200, delete: 204 },
  envelope: false,
  selfLink: false,
  reserved: ['limit', 'marker', 'sort_key', 'sort_dir', 'sort'],
  unknownFilter: 'ignore',
  hidesForbidden: true,
  linksUnlooked: false,
  bulkCreate: false,
  fieldSelection: false,
}

export const placement: Dialect = {
  ...nova,
  name: 'placement',
  error: (fault, scene) => ({
    body: {
      errors: [
        {
          status: fault.status,
          title: title(fault.status),
          detail: fault.message,
          // Codes came with 1.23; an older client would not know what to make of them.
          ...((scene.minor ?? 0) >= 23 ? { code: fault.code } : {}),
          request_id: scene.requestId,
          ...fault.details,
        },
      ],
    },
  }),
  invalid: (v, where) =>
    where === 'query'
      ? `Invalid query string parameters: ${v.field} ${v.problem}`
      : `JSON does not validate: ${v.field} ${v.problem}`,
  pageLinks: () => ({}),
}
