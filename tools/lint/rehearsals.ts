/**
 * The rule that every saga is rehearsed: what a file of `services/*\/logic` exports of its making (each constant that is no
 * function, where the file imports `saga`) must be imported, by its name, by a `*.rehearsal.test.ts` of the same service
 * that imports the toolkit's `rehearse`. So a saga that is written and forgotten there fails the build; that a rehearsal
 * which imports a saga also plays it is what its own test of completeness is for.
 */
import { posix } from 'node:path'
import type { Facts } from './parse.ts'

const SAGA = '@strata/toolkit/saga'
const REHEARSAL = '@strata/toolkit/rehearsal'

/** Sagas that no rehearsal names: the file that exports each, its line and its name. */
export function unrehearsed(facts: ReadonlyMap<string, Facts>): { file: string; line: number; name: string }[] {
  const named = new Set<string>()
  for (const [file, { imports }] of facts) {
    if (!file.endsWith('.rehearsal.test.ts') || !imports.some(one => one.specifier === REHEARSAL)) continue
    for (const { specifier, names } of imports)
      for (const name of names) named.add(`${posix.join(posix.dirname(file), specifier)} ${name}`)
  }
  return [...facts]
    .filter(([file, { imports }]) => isLogic(file) && imports.some(one => makesSagas(one.specifier, one.names)))
    .flatMap(([file, { constants }]) => constants.map(one => ({ file, ...one })))
    .filter(({ file, name }) => !named.has(`${file} ${name}`))
}

const isLogic = (file: string): boolean => /^services\/[^/]+\/logic\//.test(file) && !file.endsWith('.test.ts')
const makesSagas = (specifier: string, names: readonly string[]): boolean =>
  specifier === SAGA && names.includes('saga')
