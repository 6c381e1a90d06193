/** `strata compile`: loads every module of the server, so that Node's compile cache has them when the server starts. */
import { loadCloud } from '../cloud.ts'
import './serve.ts'

export async function compile(): Promise<void> {
  await (await loadCloud()).loadEngines()
}
