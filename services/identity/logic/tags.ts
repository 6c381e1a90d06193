/** Tags of projects, and the filters of lists by them (API-SIG guideline): all of them, any of them, not all, none. */
import type { Condition } from '@strata/toolkit/resource'
import { sql } from '@strata/toolkit/store'
import { missing } from '../contract/errors.ts'
import { findProject, setTags, tagsOf } from '../store/project.ts'
import type { Parts } from './parts.ts'

const names = (values: readonly string[]) => (values.at(-1) ?? '').split(',').filter(name => name !== '')

const having = (tags: readonly string[], join: ' and ' | ' or ') =>
  tags.length === 0
    ? sql<boolean>`1 = 1`
    : sql<boolean>`(${sql.join(
        tags.map(
          tag =>
            sql`exists (select 1 from project_tags where project_tags.project_id = projects.id and project_tags.name = ${tag})`,
        ),
        sql.raw(join),
      )})`

const filter =
  (join: ' and ' | ' or ', wanted: boolean) =>
  (values: readonly string[]): Condition =>
  () =>
    wanted ? having(names(values), join) : sql<boolean>`not ${having(names(values), join)}`

export const tagFilters: Readonly<Record<string, (values: readonly string[]) => Condition>> = {
  tags: filter(' and ', true),
  'tags-any': filter(' or ', true),
  'not-tags': filter(' and ', false),
  'not-tags-any': filter(' or ', false),
}

export function projectTagLogic(parts: Parts) {
  const { store } = parts
  return {
    async about(id: string) {
      const facts = await findProject(store.db, id)
      return {
        facts: facts ?? { id },
        refuseMissing() {
          if (!facts) throw missing('project', id)
        },
      }
    },
    list: async (id: string): Promise<readonly string[]> => (await tagsOf(store.db, [id])).get(id) ?? [],
    replace: (id: string, tags: readonly string[]) => store.transaction(tx => setTags(tx, id, tags)),
  }
}
