/**
 * The list of role assignments: as given, or as they amount to (`effective`), narrowed by what the caller asks for, a page at a
 * time. However many there are, a page reads little more than it shows.
 *
 * Words: a *source* is a part of the list, its own kind of targets, with what its assignments come to be *on*; sources follow each
 * other. A *place* is where a page ended: the source, the assignment, and how far what it amounts to was shown.
 */
import { badRequest } from '@strata/toolkit/fault'
import type { Actor } from '../../store/assignment.ts'
import {
  compareKeys,
  type Key,
  keyOf,
  membersAfter,
  projectsOfDomainAfter,
  projectsOfTreeAfter,
  readStream,
  type Stream,
} from '../../store/assignment-page.ts'
import type { Validity } from '../../store/expiring-membership.ts'
import { ancestors, findProject } from '../../store/project.ts'
import { allRoles, implications } from '../../store/role.ts'
import type { AssignmentRow, Db } from '../../store/tables.ts'
import type { Assignment } from '../rules/assignments.ts'
import { withImplied } from '../rules/roles.ts'
import { actorsOf } from './effective.ts'

export interface AssignmentQuery {
  /** With it, a user is also in the groups that its identity provider vouched for. */
  readonly validity?: Validity
  readonly userId?: string
  readonly groupId?: string
  readonly roleId?: string
  readonly projectId?: string
  readonly domainId?: string
  readonly system?: boolean
  readonly inherited?: boolean
  readonly effective: boolean
  /** With `projectId`: also all that is below. */
  readonly subtree: boolean
  /** Only what is on this domain and its projects: for callers whose token is of a domain. */
  readonly withinDomain?: string
}

export interface AssignmentPage {
  readonly assignments: readonly Assignment[]
  /** Where the next page begins; undefined when this is the last. */
  readonly next: string | undefined
}

interface Source {
  readonly stream: Omit<Stream, 'actor' | 'roleIds'>
  /** What inherited assignments come to be on; those that are not inherited are on their own targets. */
  readonly on?: 'below' | { readonly project: string } | { readonly tree: string }
}

/** Source, assignment, and the user, project and role up to which it was shown. */
type Place = readonly [source: number, key: Key, shown: readonly [string, string, string]]

/** Throws a 400 when the marker is none that such a list gave. */
export async function findAssignments(
  db: Db,
  query: AssignmentQuery,
  { limit, marker }: { readonly limit: number; readonly marker?: string },
): Promise<AssignmentPage> {
  const sources = query.effective ? await effectiveSources(db, query) : givenSources(query)
  const start = marker === undefined ? undefined : readPlace(marker)
  const found: { place: Place; assignment: Assignment }[] = []
  const reader = await createReader(db, query, Math.min(limit + 1, 1000))
  for (const [at, source] of sources.entries()) {
    if (start && at < start[0]) continue
    for await (const [shown, assignment, key] of reader(source, start?.[0] === at ? start : undefined)) {
      found.push({ place: [at, key, shown], assignment })
      if (found.length > limit) {
        const last = found[limit - 1]!
        return { assignments: found.slice(0, limit).map(one => one.assignment), next: writePlace(last.place) }
      }
    }
  }
  return { assignments: found.map(one => one.assignment), next: undefined }
}

const writePlace = (place: Place) => Buffer.from(JSON.stringify(place)).toString('base64url')

function readPlace(marker: string): Place {
  const wrong = () => badRequest('Invalid input for marker: it is none of this list.', 'InvalidInput')
  let read: unknown
  try {
    read = JSON.parse(Buffer.from(marker, 'base64url').toString())
  } catch {
    throw wrong()
  }
  const shapes = (value: unknown, shape: readonly string[]) =>
    Array.isArray(value) && value.length === shape.length && value.every((one, at) => typeof one === shape[at])
  const text = 'string'
  if (!Array.isArray(read) || read.length !== 3 || !Number.isInteger(read[0])) throw wrong()
  if (!shapes(read[1], [text, text, text, text, 'number']) || !shapes(read[2], [text, text, text])) throw wrong()
  return read as unknown as Place
}

/** As they were given. */
function givenSources({ projectId, domainId, system, inherited, subtree, withinDomain }: AssignmentQuery): Source[] {
  const within = (type: Stream['type']): Stream =>
    withinDomain === undefined
      ? { type, inherited }
      : type === 'domain'
        ? { type, inherited, targets: [withinDomain] }
        : { type, inherited, inDomain: withinDomain }
  const onSystem: Source[] = withinDomain === undefined ? [{ stream: { type: 'system', inherited } }] : []
  if (system) return onSystem
  if (domainId !== undefined) {
    const wanted = withinDomain === undefined || withinDomain === domainId
    return wanted ? [{ stream: { type: 'domain', targets: [domainId], inherited } }] : []
  }
  if (projectId !== undefined)
    return [{ stream: { ...within('project'), ...(subtree ? { tree: projectId } : { targets: [projectId] }) } }]
  return [{ stream: within('domain') }, { stream: within('project') }, ...onSystem]
}

/** As they amount to: inherited ones come from above, and are on projects only. */
async function effectiveSources(db: Db, query: AssignmentQuery): Promise<Source[]> {
  const { projectId, subtree, withinDomain } = query
  if (projectId === undefined) {
    const given = givenSources(query)
    const own = query.domainId !== undefined || query.system
    return given.flatMap(({ stream }): Source[] => [
      ...(query.inherited === true ? [] : [{ stream: { ...stream, inherited: false } }]),
      ...(own || query.inherited === false || stream.type === 'system'
        ? []
        : [{ stream: { ...stream, inherited: true }, on: 'below' as const }]),
    ])
  }
  const project = await findProject(db, projectId)
  if (!project || (withinDomain !== undefined && project.domain_id !== withinDomain)) return []
  const here = subtree ? { tree: projectId } : { targets: [projectId] }
  const direct: Source = { stream: { type: 'project', inherited: false, ...here } }
  const on = subtree ? { tree: projectId } : { project: projectId }
  const above = (await ancestors(db, project)).map(row => row.id)
  const inherited: Source[] = [
    ...(subtree ? [{ stream: { type: 'project', inherited: true, ...here } as const, on: 'below' as const }] : []),
    ...(above.length > 0 ? [{ stream: { type: 'project', inherited: true, targets: above } as const, on }] : []),
    ...(project.domain_id === null
      ? []
      : [{ stream: { type: 'domain', inherited: true, targets: [project.domain_id] } as const, on }]),
  ]
  return [...(query.inherited === true ? [] : [direct]), ...(query.inherited === false ? [] : inherited)]
}

type Shown = readonly [shown: Place[2], assignment: Assignment, key: Key]

/** Reads sources: what they show after a place, in order; `most` rows at once. */
async function createReader(db: Db, query: AssignmentQuery, most: number) {
  const rules = await implications(db)
  const roles = await allRoles(db)
  const ofDomains = new Set(roles.filter(role => role.domain_id !== null).map(role => role.id))
  const { effective, roleId, userId, groupId } = query
  /** What a role amounts to, by id, with the role that it came from. A role of a domain is in no token itself. */
  const amounts = (id: string): (readonly [string, string | undefined])[] =>
    effective
      ? [...withImplied([id], rules)]
          .filter(([one]) => !ofDomains.has(one) && (roleId === undefined || one === roleId))
          .sort(([a], [b]) => (a < b ? -1 : 1))
      : [[id, undefined]]
  const roleIds =
    roleId === undefined
      ? undefined
      : effective
        ? roles.map(role => role.id).filter(id => amounts(id).length > 0)
        : [roleId]
  const actors: readonly (Actor | undefined)[] =
    userId !== undefined
      ? effective
        ? await actorsOf(db, userId, { validity: query.validity })
        : [{ type: 'user', id: userId }]
      : groupId !== undefined
        ? [{ type: 'group', id: groupId }]
        : [undefined]
  /** Each reads one range of an index; several are merged. */
  const streamsOf = (source: Source): Stream[] => {
    const { stream } = source
    const ids = roleIds ?? []
    const byActor = actors.flatMap(actor => (actor ? [{ ...stream, actor, roleIds }] : []))
    if (byActor.length > 0) return roleIds?.length === 0 ? [] : byActor
    if (!roleIds) return [stream]
    const inheritances = stream.inherited === undefined ? [false, true] : [stream.inherited]
    return ids.flatMap(id => inheritances.map(inherited => ({ ...stream, roleIds: [id], inherited })))
  }
  const usersOf = ({ actor_type: type, actor_id: id }: AssignmentRow): Walk =>
    !effective || type === 'user' ? only(id) : userId !== undefined ? only(userId) : page => membersAfter(db, id, page)
  const placesOf = (row: AssignmentRow, { on }: Source): Walk => {
    const { target_id: id } = row
    if (!effective || on === undefined || row.inherited === 0) return only(id)
    if (on === 'below')
      return row.target_type === 'domain'
        ? page => projectsOfDomainAfter(db, id, page)
        : page => projectsOfTreeAfter(db, { id, below: true, ...page })
    return 'project' in on ? only(on.project) : page => projectsOfTreeAfter(db, { id: on.tree, below: false, ...page })
  }

  return async function* read(source: Source, start: Place | undefined): AsyncGenerator<Shown> {
    for await (const row of merged(db, { streams: streamsOf(source), from: start?.[1], most })) {
      const key = keyOf(row)
      const [user, place, role] = start && compareKeys(key, start[1]) === 0 ? start[2] : ['', '', '']
      for await (const userId of walk(usersOf(row), user, most)) {
        const sameUser = userId === user
        for await (const placeId of walk(placesOf(row, source), sameUser ? place : '', most)) {
          const after = sameUser && placeId === place ? role : ''
          for (const [id, prior] of amounts(row.role_id))
            if (id > after) yield [[userId, placeId, id], shown(row, { userId, placeId, id, prior }), key]
        }
      }
    }
  }
}

/** The assignment as it came to be for a user, on a target, with a role. */
function shown(
  row: AssignmentRow,
  at: { userId: string; placeId: string; id: string; prior: string | undefined },
): Assignment {
  const ofGroup = row.actor_type === 'group' && at.userId !== row.actor_id
  const fromAbove = row.inherited === 1 && at.placeId !== row.target_id
  if (!ofGroup && !fromAbove && at.prior === undefined) return row
  return {
    ...row,
    actor_type: ofGroup ? 'user' : row.actor_type,
    actor_id: at.userId,
    role_id: at.id,
    ...(fromAbove && { target_type: 'project', target_id: at.placeId, inherited: 0 }),
    through: {
      ...(ofGroup && { group: row.actor_id }),
      ...(at.prior !== undefined && { prior: at.prior }),
      ...(fromAbove && { [row.target_type]: row.target_id }),
    },
  }
}

/** Gives ids after one, in order, so many at most. */
type Walk = ((page: { after: string; limit: number }) => Promise<string[]>) | { readonly only: string }
const only = (id: string): Walk => ({ only: id })

/** All ids from `first` on, that one included. */
async function* walk(ids: Walk, first: string, most: number): AsyncGenerator<string> {
  if (typeof ids !== 'function') return void (yield ids.only)
  if (first !== '') yield first
  let after = first
  for (;;) {
    const page = await ids({ after, limit: most })
    yield* page
    if (page.length < most) return
    after = page.at(-1)!
  }
}

/** The streams' assignments in the order of their keys, from one on. */
async function* merged(
  db: Db,
  { streams, from, most }: { streams: readonly Stream[]; from: Key | undefined; most: number },
): AsyncGenerator<AssignmentRow> {
  const heads = streams.map(stream => rowsOf(db, { stream, from, most }))
  const next = await Promise.all(heads.map(head => head.next()))
  for (;;) {
    let first = -1
    for (const [at, one] of next.entries())
      if (!one.done && (first < 0 || compareKeys(keyOf(one.value), keyOf(next[first]!.value!)) < 0)) first = at
    if (first < 0) return
    yield next[first]!.value!
    next[first] = await heads[first]!.next()
  }
}

async function* rowsOf(
  db: Db,
  { stream, from, most }: { stream: Stream; from: Key | undefined; most: number },
): AsyncGenerator<AssignmentRow, undefined> {
  let at = from
  let skip: Key | undefined
  for (;;) {
    const rows = await readStream(db, { stream, from: at, limit: most + 1 })
    for (const row of rows) if (!skip || compareKeys(keyOf(row), skip) !== 0) yield row
    if (rows.length <= most) return
    at = skip = keyOf(rows.at(-1)!)
  }
}
