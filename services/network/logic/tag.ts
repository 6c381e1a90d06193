/** Tags: short words that users put on resources and list by. */
import type { Condition } from '@strata/toolkit/resource'
import { invalidField, tagNotFound } from '../contract/faults.ts'
import type { NetworkDb, NetworkTransaction } from '../store/database.ts'
import { setTags, tagged, tagsOf } from '../store/tag.ts'

const MAX_LENGTH = 255
const MAX_TAGS = 50

const words = (values: readonly string[]): string[] => values.flatMap(value => value.split(',')).filter(Boolean)

const filter =
  (match: 'all' | 'any', negate: boolean) =>
  (values: readonly string[]): Condition =>
    tagged(words(values), match, negate)

/** `?tags=a,b` and its kin. */
export const tagFilters = {
  tags: filter('all', false),
  'tags-any': filter('any', false),
  'not-tags': filter('all', true),
  'not-tags-any': filter('any', true),
}

export const tagsFor = (db: NetworkDb, rows: readonly { readonly id: string }[]): Promise<Map<string, string[]>> =>
  tagsOf(
    db,
    rows.map(row => row.id),
  )

export const forgetTags = (tx: NetworkTransaction, id: string): Promise<void> => setTags(tx, id, [])

export async function readTags(db: NetworkDb, id: string): Promise<string[]> {
  return (await tagsOf(db, [id])).get(id) ?? []
}

export async function replaceTags(tx: NetworkTransaction, id: string, tags: readonly string[]): Promise<string[]> {
  if (new Set(tags).size > MAX_TAGS) throw invalidField('tags', `there may be ${MAX_TAGS} of them at most`)
  for (const tag of tags)
    if (tag.length === 0 || tag.length > MAX_LENGTH || tag.includes(',') || tag.includes('/'))
      throw invalidField('tags', `'${tag}' is no tag: 1 to ${MAX_LENGTH} characters, without comma and slash`)
  await setTags(tx, id, tags)
  return readTags(tx, id)
}

export const addTags = async (tx: NetworkTransaction, id: string, tags: readonly string[]): Promise<string[]> =>
  replaceTags(tx, id, [...(await readTags(tx, id)), ...tags])

export async function removeTag(tx: NetworkTransaction, id: string, tag: string): Promise<void> {
  const tags = await readTags(tx, id)
  if (!tags.includes(tag)) throw tagNotFound(tag)
  await setTags(
    tx,
    id,
    tags.filter(one => one !== tag),
  )
}
