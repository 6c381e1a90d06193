/**
 * Which tests run. A *test id* is a dotted path with what the test is tagged with behind it:
 * `tempest.api.x.Class.test_y[id-UUID,smoke]`; its *name* is the path alone.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Area } from './areas.ts'

/** Non-empty lines of a list beside this file, without comments. */
export function readList(name: string): string[] {
  const text = readFileSync(join(import.meta.dirname, name), 'utf8')
  return text.split('\n').filter(line => line.trim() !== '' && !line.startsWith('#'))
}

export const nameOf = (id: string): string => id.replace(/\[.*$/, '')

/** `module.Class`, as the fixtures of a class are reported. */
export const classOf = (id: string): string => nameOf(id).replace(/\.[^.]*$/, '')

export const tagsOf = (id: string): string[] => /\[(.*)\]$/.exec(id)?.[1]?.split(',') ?? []

/** Tests of some areas; with `words`, those whose id contains one of them. */
export function select(options: {
  readonly ids: readonly string[]
  readonly areas: readonly Area[]
  readonly smoke: boolean
  readonly words: readonly string[]
}): string[] {
  const { ids, areas, smoke, words } = options
  return ids
    .filter(id => areas.some(area => area.tests.test(id)))
    .filter(id => !smoke || tagsOf(id).includes('smoke'))
    .filter(id => words.length === 0 || words.some(word => id.includes(word)))
}
