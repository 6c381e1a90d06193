/**
 * A directory: where the users and groups of a domain come from when they are not identity's own (LDAP, PAM). It knows them by
 * *local ids*, which never change. What it cannot do at all, or not now, it says by a `Fault` of `contract/errors.ts`:
 * `directoryReadOnly`, `directoryAway`, `directoryRefused`.
 */

export interface DirectoryUser {
  readonly id: string
  readonly name: string
  readonly enabled: boolean
  readonly defaultProjectId?: string
  /** What else it says: `email`, `description`, and what its options map. */
  readonly extra: Readonly<Record<string, unknown>>
}

export interface DirectoryGroup {
  readonly id: string
  readonly name: string
  readonly description?: string
  readonly extra: Readonly<Record<string, unknown>>
}

/** One condition on the name; `fold`: upper and lower case are one. */
export interface NameMatch {
  readonly kind: 'equals' | 'contains' | 'startswith' | 'endswith'
  readonly value: string
  readonly fold: boolean
}

export interface DirectoryQuery {
  readonly names: readonly NameMatch[]
  readonly enabled?: boolean
  /** Only those that come after this one, by name and then by id. */
  readonly after?: { readonly name: string; readonly id: string }
  /** At most so many. */
  readonly limit: number
}

/** What is to be written; null removes a property. */
export interface UserChange {
  readonly name?: string
  readonly enabled?: boolean
  readonly password?: string | null
  readonly defaultProjectId?: string | null
  readonly extra?: Readonly<Record<string, unknown>>
}

export interface GroupChange {
  readonly name?: string
  readonly description?: string | null
  readonly extra?: Readonly<Record<string, unknown>>
}

export interface Directory {
  /**
   * The user, when that is its password; also a disabled one. Costs as much when there is no such user, and none answers to a
   * name that several have.
   */
  authenticate(
    who: { readonly id: string } | { readonly name: string },
    password: string,
  ): Promise<DirectoryUser | undefined>
  findUser(id: string): Promise<DirectoryUser | undefined>
  /** By name, then by id. */
  listUsers(query: DirectoryQuery): Promise<DirectoryUser[]>
  findGroup(id: string): Promise<DirectoryGroup | undefined>
  listGroups(query: DirectoryQuery): Promise<DirectoryGroup[]>
  groupsOf(userId: string): Promise<DirectoryGroup[]>
  membersOf(groupId: string): Promise<DirectoryUser[]>
  /** The `id` is a proposal: where ids are not free to choose, another comes back. */
  createUser(values: UserChange & { readonly id: string; readonly name: string }): Promise<DirectoryUser>
  updateUser(id: string, change: UserChange): Promise<DirectoryUser>
  deleteUser(id: string): Promise<void>
  createGroup(values: GroupChange & { readonly id: string; readonly name: string }): Promise<DirectoryGroup>
  updateGroup(id: string, change: GroupChange): Promise<DirectoryGroup>
  deleteGroup(id: string): Promise<void>
  addMember(groupId: string, userId: string): Promise<void>
  removeMember(groupId: string, userId: string): Promise<void>
  /** Ends its connections, once what is under way is done. */
  close(): Promise<void>
}

/** Makes a directory of the options of a domain. Throws an `Error` that says which option is wrong. */
export type DirectoryDriver = (
  options: Readonly<Record<string, unknown>>,
  scene: { readonly domainId: string },
) => Directory

interface Entry {
  readonly id: string
  readonly name: string
  readonly enabled?: boolean
}

/** What a query asks for, chosen from entries as they come; of many no more is kept than is asked for. */
export function chooser<E extends Entry>(query: DirectoryQuery) {
  let kept: E[] = []
  const trim = () => {
    kept = kept.sort(inOrder).slice(0, query.limit)
  }
  return {
    offer(entry: E): void {
      if (query.enabled !== undefined && entry.enabled !== query.enabled) return
      if (!query.names.every(match => matches(match, entry.name))) return
      if (query.after && inOrder(entry, query.after) <= 0) return
      kept.push(entry)
      if (kept.length >= 2 * query.limit + 100) trim()
    },
    chosen(): E[] {
      trim()
      return kept
    },
  }
}

const inOrder = (a: Entry, b: Entry): number => compare(a.name, b.name) || compare(a.id, b.id)
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

function matches({ kind, value, fold }: NameMatch, name: string): boolean {
  const [wanted, text] = fold ? [value.toLowerCase(), name.toLowerCase()] : [value, name]
  if (kind === 'equals') return text === wanted
  if (kind === 'contains') return text.includes(wanted)
  return kind === 'startswith' ? text.startsWith(wanted) : text.endsWith(wanted)
}
