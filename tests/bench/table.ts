/** What benchmarks print: each figure with the bare reference that was measured beside it, and what was hoped for. */

export interface Row {
  readonly what: string
  readonly strata: string
  /** The same thing without Strata, on the same machine in the same run. */
  readonly bare?: string
  readonly ratio?: string
  readonly aim?: string
}

export function printTable(rows: readonly Row[]): void {
  const cells = [
    ['', 'Strata', 'bare', 'ratio', 'aim'],
    ...rows.map(({ what, strata, bare = '', ratio = '', aim = '' }) => [what, strata, bare, ratio, aim]),
  ]
  const widths = cells[0]!.map((_, at) => Math.max(...cells.map(row => row[at]!.length)))
  for (const row of cells)
    console.log(row.map((cell, at) => (at ? cell.padStart(widths[at]!) : cell.padEnd(widths[0]!))).join('  '))
}

export const ms = (value: number) => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`
export const mebibytes = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`
export const perSecond = (value: number) => `${Math.round(value)}/s`
export const percent = (share: number) => `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`
