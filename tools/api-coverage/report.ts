/** How coverage is told: as text in a terminal, and as the page in `docs/generated`. */
import type { CatalogOperation } from './catalog.ts'
import type { Coverage } from './compare.ts'

const percent = ({ implemented, total }: Pick<Coverage, 'implemented' | 'total'>): string =>
  total === 0 ? '' : `${Math.floor((100 * implemented) / total)} %`

const sumOf = (all: readonly Coverage[]) => ({
  implemented: all.reduce((sum, one) => sum + one.implemented, 0),
  total: all.reduce((sum, one) => sum + one.total, 0),
})

/** `POST /v2.1/servers/{server_id}/action rescue`. */
const lineOf = ({ method, path, action }: CatalogOperation): string =>
  `${method} ${path}${action === undefined ? '' : ` ${action}`}`

/** A line for each service; those that have begun are followed by what they miss. */
export function asText(all: readonly Coverage[]): string {
  const row = (name: string, counts: Pick<Coverage, 'implemented' | 'total'>) =>
    `${name.padEnd(36)} ${`${counts.implemented}/${counts.total}`.padStart(10)}  ${percent(counts).padStart(5)}`
  const lines = all.map(one => row(one.service, one))
  const details = begun(all).flatMap(one => [
    '',
    `missing of ${one.service}:`,
    ...one.missing.map(op => `  ${lineOf(op)}`),
  ])
  return [...lines, ...(all.length > 1 ? [row('all', sumOf(all))] : []), ...details].join('\n')
}

/** Services of which something is there and something is not. */
const begun = (all: readonly Coverage[]) =>
  all.filter(one => one.missing.length > 0 && (one.implemented > 0 || all.length === 1))

/** The page. Services that have not begun stand in the table alone: everything of them is missing. */
export function asPage(all: readonly Coverage[]): string {
  const row = (name: string, project: string, counts: Pick<Coverage, 'implemented' | 'total'>) =>
    `| ${name} | ${project} | ${counts.implemented} | ${counts.total} | ${percent(counts)} |`
  const missing = begun(all).flatMap(one => [
    ...['', `## Missing of ${one.service}`, '', '```'],
    ...one.missing.map(lineOf),
    '```',
  ])
  return [
    '# API coverage',
    '',
    'Which of the operations of OpenStack’s public APIs the services answer. Made by `npm run coverage:api -- --write`, which',
    'compares the services’ operations with the catalog in `tools/api-coverage/catalog`; a test fails when this page is out of date.',
    'Actions behind one path count one by one. Old majors, removed routes and aliases do not count.',
    '',
    '| service | speaks for | implemented | operations | |',
    '| --- | --- | ---: | ---: | ---: |',
    ...all.map(one => row(one.service, one.project, one)),
    row('**all**', '', sumOf(all)),
    ...missing,
    '',
  ].join('\n')
}
