/** A role assignment as lists show it: as it was given, or as it came about. */
export interface Assignment {
  readonly actor_type: 'user' | 'group'
  readonly actor_id: string
  readonly target_type: 'project' | 'domain' | 'system'
  readonly target_id: string
  readonly role_id: string
  readonly inherited: number
  /** How it came about, when it was not given as it stands: by whose, from which role, from where above. */
  readonly through?: {
    readonly group?: string
    readonly prior?: string
    readonly project?: string
    readonly domain?: string
  }
}
