/** What the operator sees: short lines, aligned tables. Errors that are the operator's to mend are `Refusal`s. */

/** A reason why a command cannot do its work, said without a stack trace; `status` is the exit status. */
export class Refusal extends Error {
  readonly status: number
  constructor(message: string, status = 1) {
    super(message)
    this.status = status
  }
}

/** What the operator can mend is said in a sentence; undefined for anything else, which is ours and keeps its stack. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof Refusal) return error
  if (!(error instanceof Error)) return
  const { code, path, message, name } = error as NodeJS.ErrnoException
  if (name === 'ConfigError') return new Refusal(message)
  if (code === 'EACCES' || code === 'EPERM')
    return new Refusal(`no permission for ${path ?? message}: whose cloud is it?`)
  if (code === 'ENOSPC' || code === 'EROFS') return new Refusal(`${path ?? message} cannot be written (${code})`)
  return
}

export function say(line = ''): void {
  process.stdout.write(`${line}\n`)
}

export function warn(line: string): void {
  process.stderr.write(`strata: ${line}\n`)
}

/** Columns padded to their widest cell. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows.reduce<number[]>((all, row) => {
    row.forEach((cell, at) => {
      all[at] = Math.max(all[at] ?? 0, cell.length)
    })
    return all
  }, [])
  return rows
    .map(row =>
      row
        .map((cell, at) => cell.padEnd(widths[at]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

export function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`
}

/** `3d 4h`, `2h 5m`, `42s`: the two largest units. */
export function duration(seconds: number): string {
  const units: [string, number][] = [
    ['d', Math.floor(seconds / 86_400)],
    ['h', Math.floor(seconds / 3_600) % 24],
    ['m', Math.floor(seconds / 60) % 60],
    ['s', Math.floor(seconds) % 60],
  ]
  const first = units.findIndex(([, count]) => count > 0)
  const shown = first < 0 ? units.slice(3) : units.slice(first, first + 2).filter(([, count]) => count > 0)
  return shown.map(([unit, count]) => `${count}${unit}`).join(' ')
}

/** Whoever read our words may stop listening (`strata up | head -1`); the work goes on. */
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
