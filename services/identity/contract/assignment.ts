/** Role assignments as `GET /v3/role_assignments` shows them: who has which role where, and how it came about. */
interface Owned {
  readonly id: string
  readonly name?: string
  readonly domain?: { readonly id: string; readonly name?: string }
}

export interface RoleAssignment {
  readonly role: Owned
  readonly user?: Owned
  readonly group?: Owned
  readonly scope: {
    readonly project?: Owned
    readonly domain?: { readonly id: string; readonly name?: string }
    readonly system?: { readonly all: true }
    readonly 'OS-INHERIT:inherited_to'?: 'projects'
  }
  readonly links: Readonly<Record<string, string>>
}
