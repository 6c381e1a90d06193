/**
 * The query string of a list of servers: which filters there are for whom, since when, and what they mean. Filters that a
 * caller may not use are passed over, as Nova does, until version 2.75 refuses unknown ones.
 */
import { badRequest, forbidden } from '@strata/toolkit/fault'
import { statesOf, type TaskState, type VmState } from '../../contract/states.ts'
import { compilePattern, isPlain, PatternError } from './pattern.ts'

export type Query = Readonly<Record<string, string | string[] | undefined>>

/** A column that must have one of these values, or contain this text, or match this pattern. */
export type ColumnFilter =
  | { readonly column: Column; readonly in: readonly (string | number | null)[] }
  | { readonly column: Column; readonly contains: string }
  | { readonly column: Column; readonly matches: (text: string) => boolean }

export type Column =
  | 'id'
  | 'project_id'
  | 'user_id'
  | 'name'
  | 'hostname'
  | 'description'
  | 'image_id'
  | 'flavor_id'
  | 'key_name'
  | 'config_drive'
  | 'availability_zone'
  | 'host'
  | 'vm_state'
  | 'task_state'
  | 'power_state'
  | 'progress'
  | 'access_ip_v4'
  | 'access_ip_v6'
  | 'locked'
  | 'reservation_id'
  | 'launch_index'
  | 'disk_config'
  | 'root_device_name'
  | 'launched_at'
  | 'created_at'
  | 'updated_at'

export interface TagFilter {
  readonly kind: 'tags' | 'tags-any' | 'not-tags' | 'not-tags-any'
  readonly tags: readonly string[]
}

export interface ServerQuery {
  readonly columns: readonly ColumnFilter[]
  /** `status`: any of these states, without those tasks that have a status of their own; or any of these tasks. */
  readonly status?: { readonly vmStates: readonly VmState[]; readonly taskStates: readonly TaskState[] }
  readonly tags: readonly TagFilter[]
  readonly ip: readonly { readonly version: 4 | 6; readonly matches: (address: string) => boolean }[]
  /** ISO 8601, UTC, milliseconds. */
  readonly changedSince?: string
  readonly changedBefore?: string
  readonly allProjects: boolean
  /** Nothing can match, and nothing is wrong. */
  readonly empty: boolean
  readonly sort: readonly { readonly column: Column; readonly direction: 'asc' | 'desc' }[]
  readonly limit: number
  readonly marker?: string
}

export interface QueryRights {
  readonly minor: number
  readonly allFilters: boolean
  readonly admin: boolean
  readonly maxLimit: number
}

type Kind = 'is' | 'pattern' | 'flag' | 'number' | 'state' | 'image' | 'never' | 'time'
interface Filter {
  readonly kind: Kind
  readonly column?: Column
  /** Minor since which everybody may use it; administrators always may. */
  readonly forAll?: number
  /** Minor before which there was no such filter. */
  readonly since?: number
}

const filters: Readonly<Record<string, Filter>> = {
  user_id: { kind: 'is', column: 'user_id', forAll: 83 },
  launch_index: { kind: 'number', column: 'launch_index' },
  image_ref: { kind: 'image', column: 'image_id' },
  image: { kind: 'image', column: 'image_id', forAll: 1 },
  kernel_id: { kind: 'never' },
  ramdisk_id: { kind: 'never' },
  hostname: { kind: 'pattern', column: 'hostname', forAll: 90 },
  key_name: { kind: 'is', column: 'key_name', forAll: 83 },
  power_state: { kind: 'number', column: 'power_state', forAll: 83 },
  vm_state: { kind: 'state', column: 'vm_state', forAll: 83 },
  task_state: { kind: 'state', column: 'task_state', forAll: 83 },
  host: { kind: 'is', column: 'host' },
  hypervisor_hostname: { kind: 'is', column: 'host' },
  node: { kind: 'is', column: 'host' },
  flavor: { kind: 'is', column: 'flavor_id', forAll: 1 },
  reservation_id: { kind: 'is', column: 'reservation_id', forAll: 1 },
  launched_at: { kind: 'time', column: 'launched_at', forAll: 83 },
  terminated_at: { kind: 'never', forAll: 83 },
  created_at: { kind: 'time', column: 'created_at', forAll: 83 },
  availability_zone: { kind: 'is', column: 'availability_zone', forAll: 83 },
  name: { kind: 'pattern', column: 'name', forAll: 1 },
  display_name: { kind: 'pattern', column: 'name' },
  description: { kind: 'pattern', column: 'description' },
  display_description: { kind: 'pattern', column: 'description' },
  locked_by: { kind: 'never' },
  locked: { kind: 'flag', column: 'locked', forAll: 73, since: 73 },
  uuid: { kind: 'is', column: 'id' },
  root_device_name: { kind: 'pattern', column: 'root_device_name' },
  config_drive: { kind: 'flag', column: 'config_drive', forAll: 83 },
  access_ip_v4: { kind: 'pattern', column: 'access_ip_v4' },
  access_ip_v6: { kind: 'pattern', column: 'access_ip_v6' },
  auto_disk_config: { kind: 'is', column: 'disk_config' },
  progress: { kind: 'number', column: 'progress', forAll: 83 },
}

const tagFilters = ['tags', 'tags-any', 'not-tags', 'not-tags-any'] as const
const special = [
  ...['status', 'ip', 'ip6', 'changes-since', 'changes-before', 'all_tenants', 'project_id', 'tenant_id', 'deleted'],
  ...['soft_deleted', 'limit', 'marker', 'sort_key', 'sort_dir', 'page_size', ...tagFilters],
]
const joinedTables = new Set([
  ...['block_device_mapping', 'services', 'metadata', 'system_metadata', 'info_cache', 'security_groups'],
  'pci_devices',
])

const many = (value: string | string[] | undefined): readonly string[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value]
const last = (value: string | string[] | undefined): string | undefined => many(value).at(-1)
const invalid = (name: string, problem: string) =>
  badRequest(`Invalid input for query parameters ${name}: ${problem}`, 'ValidationError')

/** Throws a 400 that names the parameter, or a 403 for what only administrators may ask. */
export function parseServerQuery(query: Query, rights: QueryRights): ServerQuery {
  const { minor } = rights
  refuseUnknown(query, rights)
  const columns: ColumnFilter[] = []
  let empty = false
  for (const [name, filter] of Object.entries(filters)) {
    const value = last(query[name])
    if (value === undefined || minor < (filter.since ?? 1)) continue
    if (!rights.allFilters && minor < (filter.forAll ?? Number.POSITIVE_INFINITY)) continue
    if (filter.kind === 'never') empty ||= value !== ''
    else columns.push(columnFilter(name, filter, many(query[name])))
  }
  const status = statusFilter(query, rights)
  return {
    columns,
    status: status === 'none' ? undefined : status,
    tags: minor >= 26 ? tagFilters.flatMap(kind => tagFilter(kind, last(query[kind]))) : [],
    ip: [...addressFilter(query, 'ip', 4), ...(minor >= 5 || rights.allFilters ? addressFilter(query, 'ip6', 6) : [])],
    ...changes(query, minor),
    allProjects: allProjects(query),
    empty: empty || status === 'none' || (rights.allFilters && isDeletedAsked(query)),
    sort: sortOf(query, rights),
    limit: limitOf(query, rights.maxLimit),
    marker: last(query['marker']) || undefined,
  }
}

function refuseUnknown(query: Query, { minor, allFilters }: QueryRights): void {
  for (const name of Object.keys(query)) {
    if (name in filters || special.includes(name)) continue
    if (allFilters && (name.startsWith('_') || joinedTables.has(name)))
      throw badRequest(`Invalid filter field: ${name}.`)
    if (minor >= 75) throw invalid(name, 'is not a parameter of this list')
  }
}

function columnFilter(name: string, filter: Filter, values: readonly string[]): ColumnFilter {
  const column = filter.column!
  const value = values.at(-1)!
  switch (filter.kind) {
    case 'number':
      if (!/^-?\d{1,9}$/.test(value)) throw invalid(name, `${JSON.stringify(value)} is not a number`)
      return { column, in: [Number(value)] }
    case 'flag':
      return { column, in: [flagOf(name, value) ? 1 : 0] }
    case 'image':
      return { column, in: [value.split('/').at(-1)!] }
    case 'state':
      return { column, in: values.map(state => (state === 'None' || state === '' ? null : state)) }
    case 'time':
      return { column, in: [timeOf(name, value)] }
    case 'pattern':
      // Nova reads names as patterns; most are plain words, which the database itself finds.
      return isPlain(value) ? { column, contains: value } : { column, matches: patternOf(name, value) }
    default:
      return { column, in: values.length > 1 ? values : [value] }
  }
}

function patternOf(name: string, source: string): (text: string) => boolean {
  try {
    return compilePattern(source)
  } catch (thrown) {
    if (thrown instanceof PatternError) throw invalid(name, `is not a pattern that is understood: ${thrown.message}`)
    throw thrown
  }
}

function flagOf(name: string, text: string): boolean {
  if (/^(true|1|on|yes|t|y)$/i.test(text)) return true
  if (/^(false|0|off|no|f|n|)$/i.test(text)) return false
  throw invalid(name, `${JSON.stringify(text)} is neither true nor false`)
}

function allProjects(query: Query): boolean {
  const text = last(query['all_tenants'])
  return text !== undefined && (text === '' || flagOf('all_tenants', text))
}

const isDeletedAsked = (query: Query): boolean => /^(true|1|on|yes|t|y)$/i.test(last(query['deleted']) ?? '')

function statusFilter(query: Query, { minor, admin }: QueryRights): ServerQuery['status'] | 'none' {
  const asked = many(query['status'])
  if (asked.length === 0) return undefined
  const found = asked.flatMap(word => statesOf(word) ?? [])
  if (found.length === 0) {
    if (minor >= 38) throw badRequest('Invalid status value')
    return 'none'
  }
  const vmStates = found.flatMap(one => one.vmStates)
  if (vmStates.length === 1 && vmStates[0] === 'deleted' && !admin)
    throw forbidden('Only administrators may list deleted instances')
  return { vmStates, taskStates: found.flatMap(one => one.taskStates) }
}

const tagFilter = (kind: TagFilter['kind'], text: string | undefined): readonly TagFilter[] =>
  text === undefined || text === '' ? [] : [{ kind, tags: text.split(',') }]

const addressFilter = (query: Query, name: 'ip' | 'ip6', version: 4 | 6): ServerQuery['ip'] => {
  const text = last(query[name])
  return text === undefined || text === '' ? [] : [{ version, matches: patternOf(name, text) }]
}

function changes(query: Query, minor: number): Pick<ServerQuery, 'changedSince' | 'changedBefore'> {
  const since = last(query['changes-since'])
  const before = minor >= 66 ? last(query['changes-before']) : undefined
  const changedSince = since === undefined ? undefined : timeOf('changes-since', since)
  const changedBefore = before === undefined ? undefined : timeOf('changes-before', before)
  if (changedSince !== undefined && changedBefore !== undefined && changedBefore < changedSince)
    throw badRequest('The value of changes-since must be less than or equal to changes-before.')
  return { changedSince, changedBefore }
}

/** Without a zone, a time is in UTC. */
function timeOf(name: string, text: string): string {
  const shape = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?(Z|[+-]\d{2}:?\d{2})?$/.exec(text)
  const dated = shape?.[1] === undefined || shape[4] !== undefined ? text : `${text}Z`
  const ms = shape ? Date.parse(dated.replace(' ', 'T')) : Number.NaN
  if (Number.isNaN(ms)) throw invalid(name, `${JSON.stringify(text)} is not a time`)
  return new Date(ms).toISOString()
}

const sortColumns: Readonly<Record<string, Column>> = {
  access_ip_v4: 'access_ip_v4',
  access_ip_v6: 'access_ip_v6',
  auto_disk_config: 'disk_config',
  availability_zone: 'availability_zone',
  config_drive: 'config_drive',
  created_at: 'created_at',
  display_description: 'description',
  display_name: 'name',
  host: 'host',
  hostname: 'hostname',
  image_ref: 'image_id',
  instance_type_id: 'flavor_id',
  key_name: 'key_name',
  launch_index: 'launch_index',
  launched_at: 'launched_at',
  locked: 'locked',
  node: 'host',
  power_state: 'power_state',
  progress: 'progress',
  project_id: 'project_id',
  root_device_name: 'root_device_name',
  task_state: 'task_state',
  updated_at: 'updated_at',
  user_id: 'user_id',
  uuid: 'id',
  vm_state: 'vm_state',
}
/** Known to Nova, and without effect. */
const ignoredSortKeys = new Set(
  `architecture cell_name cleaned default_ephemeral_device default_swap_device deleted deleted_at disable_terminate
  ephemeral_gb ephemeral_key_uuid id key_data launched_on locked_by memory_mb os_type reservation_id root_gb
  shutdown_terminate user_data vcpus vm_mode kernel_id ramdisk_id terminated_at`.split(/\s+/),
)

function sortOf(query: Query, { minor, admin }: QueryRights): ServerQuery['sort'] {
  const directions = many(query['sort_dir'])
  const sort: { column: Column; direction: 'asc' | 'desc' }[] = []
  for (const [at, key] of many(query['sort_key']).entries()) {
    if (ignoredSortKeys.has(key) || (key === 'locked' && minor < 73)) continue
    const column = sortColumns[key]
    if (!column) throw invalid('sort_key', `servers are not sorted by ${key}`)
    if (column === 'host' && !admin) throw forbidden(`Only administrators can sort servers by ${key}`)
    const direction = directions[at] ?? directions.at(-1) ?? 'desc'
    if (direction !== 'asc' && direction !== 'desc')
      throw badRequest(`Unknown sort direction, must be one of: asc, desc (sort_dir is ${JSON.stringify(direction)})`)
    sort.push({ column, direction })
  }
  for (const direction of directions)
    if (direction !== 'asc' && direction !== 'desc')
      throw badRequest(`Unknown sort direction, must be one of: asc, desc (sort_dir is ${JSON.stringify(direction)})`)
  const first = sort.length > 0 ? sort : [{ column: 'created_at' as const, direction: 'desc' as const }]
  return first.some(one => one.column === 'id')
    ? first
    : [...first, { column: 'id', direction: first.at(-1)!.direction }]
}

function limitOf(query: Query, max: number): number {
  const text = last(query['limit'])
  if (text === undefined) return max
  if (!/^\d{1,15}$/.test(text)) throw invalid('limit', `${JSON.stringify(text)} is not a non-negative integer`)
  return Math.min(Number(text), max)
}

/** The project that an administrator asked for, with `all_tenants`. */
export const projectOf = (query: Query): string | undefined => last(query['project_id']) ?? last(query['tenant_id'])
