/** `strata config`: every option of strata.yaml, with its default and what it does. */
import { loadCloud } from '../cloud.ts'
import { say } from '../print.ts'

export async function config(): Promise<void> {
  say((await loadCloud()).configReference().trimEnd())
}
