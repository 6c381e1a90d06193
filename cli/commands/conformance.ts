/** `strata conformance AREA [-- WORDS]`: runs `tests/conformance` with our Node, its words as they were given, its output on ours. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { root } from '../state.ts'

/** Exit status: there is no Tempest here, and it cannot be installed. */
export const NO_TEMPEST = 4

/** Resolves to the exit status. */
export function conformance(words: readonly string[]): Promise<number> {
  const program = join(root, 'tests', 'conformance', 'main.ts')
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program, ...words], {
      stdio: 'inherit',
    })
    // Ctrl-C reaches both of us; the child ends its cloud, and then we end.
    const wait = () => {}
    process.on('SIGINT', wait)
    child.once('error', reject)
    child.once('close', code => {
      process.off('SIGINT', wait)
      resolve(code ?? 1)
    })
  })
}
