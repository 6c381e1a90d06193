/**
 * The configuration that a cloud was last started with, kept in its state folder: whoever ends the data plane later must know
 * with which bridges and databases it was made, and the operator's file may have been changed or lost by then.
 */
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const fileIn = (state: string): string => join(state, 'started-with.yaml')

export function keepConfig(state: string, configFile: string | undefined): void {
  const file = fileIn(state)
  if (configFile === undefined) rmSync(file, { force: true })
  else {
    writeFileSync(`${file}.new`, readFileSync(configFile), { mode: 0o600 })
    renameSync(`${file}.new`, file)
  }
}

/** Path of the kept file; undefined when the cloud was started without one. */
export function keptConfig(state: string): string | undefined {
  const file = fileIn(state)
  return existsSync(file) ? file : undefined
}
