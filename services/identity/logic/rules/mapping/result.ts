/** What a mapping comes to. */
import type { DomainRef, MappedProject, MappedUser } from '../../../contract/mapping.ts'

export interface GroupRef {
  readonly name: string
  readonly domain: DomainRef
}

export interface Mapped {
  readonly user: MappedUser & { readonly type: 'local' | 'ephemeral' }
  readonly groupIds: readonly string[]
  readonly groups: readonly GroupRef[]
  readonly projects: readonly MappedProject[]
}

/** The assertion is mapped to nobody, or the mapping makes no sense of it. */
export class MappingFailure extends Error {
  override readonly name = 'MappingFailure'
}
