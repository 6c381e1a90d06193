/** `strata version`: of the project, the checkout and Node. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { say } from '../print.ts'
import { readJson, root } from '../state.ts'

export async function version(): Promise<void> {
  const { version: number } = readJson<{ version: string }>(join(root, 'package.json'))!
  const commit = await promisify(execFile)('git', ['-C', root, 'rev-parse', '--short', 'HEAD']).then(
    ({ stdout }) => ` (${stdout.trim()})`,
    () => '', // installed without git, or from an archive
  )
  say(`strata ${number}${commit}, Node ${process.version}`)
}
