/**
 * `npm run coverage:api [-- SERVICE… | --write]`: which operations of the catalog the services offer, and what is missing.
 * `--write` renews the page in `docs/generated`; `--json` prints everything for programs.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { readCatalog } from './catalog.ts'
import { type Coverage, compare } from './compare.ts'
import { asPage, asText } from './report.ts'
import { builtServices } from './services.ts'

const PAGE = join(import.meta.dirname, '..', '..', 'docs', 'generated', 'api-coverage.md')

export const coverage = async (): Promise<Coverage[]> => compare(readCatalog(), await builtServices())

/** The page as it is checked in. */
export const readPage = (): string => readFileSync(PAGE, 'utf8')

if (import.meta.main) {
  const options = { write: { type: 'boolean' }, json: { type: 'boolean' } } as const
  const { values, positionals: names } = parseArgs({ options, allowPositionals: true })
  const all = await coverage()
  const unknown = names.filter(name => !all.some(one => one.service === name || one.project === name))
  const chosen =
    names.length === 0 ? all : all.filter(one => names.includes(one.service) || names.includes(one.project))
  if (unknown.length > 0) {
    console.error(`the catalog has no ${unknown.join(', ')}; it has ${all.map(one => one.service).join(', ')}`)
    process.exitCode = 2
  } else if (values.write) {
    mkdirSync(dirname(PAGE), { recursive: true })
    writeFileSync(PAGE, asPage(all))
  } else {
    console.log(values.json ? JSON.stringify(chosen, null, 2) : asText(chosen))
  }
}
