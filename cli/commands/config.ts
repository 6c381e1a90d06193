/** `strata config`: every option of strata.yaml, with its default and what it does; with `--check`, what is wrong with a file. */
import { type CloudModule, loadCloud } from '../cloud.ts'
import { say } from '../print.ts'

export async function config(options: {
  /** The file to check. */
  readonly check?: string | undefined
  readonly load?: () => Promise<CloudModule>
}): Promise<void> {
  const clouds = await (options.load ?? loadCloud)()
  if (options.check === undefined) return say(clouds.configReference().trimEnd())
  clouds.checkConfig(options.check)
  say(`${options.check} is good.`)
}
