/** Debian's own `openstack` client, unmodified: one process for each command, as a user types it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { run, type TestCloud } from './cloud.ts'

/** What `-f json` prints of one resource: its columns by the client's own names, snake_case or as headed. */
export type Shown = Readonly<Record<string, unknown>> & { readonly id: string; readonly name: string }
export type Listed = Readonly<Record<string, unknown>>

export interface OpenStack {
  /** Runs a command; rejects with what it said when it fails. */
  run(...words: string[]): Promise<string>
  /** The resource that a `create` or `show` prints. */
  show(...words: string[]): Promise<Shown>
  /** The rows that a `list` prints. */
  list(...words: string[]): Promise<readonly Listed[]>
  /** Runs a command that is to fail, and gives what it said; rejects when it succeeds. */
  refused(...words: string[]): Promise<string>
}

/** `login` is an entry of the clouds.yaml that `strata up` wrote into the test's home, or of one beside it. */
export function openstack(cloud: Pick<TestCloud, 'env'>, login: string): OpenStack {
  const client = (words: readonly string[]) =>
    run({ program: '/usr/bin/openstack', words: ['--os-cloud', login, ...words], env: cloud.env })
  const must = async (words: readonly string[]) => {
    const { code, stdout, stderr } = await client(words)
    if (code !== 0) throw new Error(`openstack ${words.join(' ')}: exit ${code}\n${stdout}${stderr}`)
    return stdout
  }
  const json = async <T>(words: readonly string[]) => JSON.parse(await must([...words, '-f', 'json'])) as T
  return {
    run: (...words) => must(words),
    show: (...words) => json(words),
    list: (...words) => json(words),
    async refused(...words) {
      const { code, stdout, stderr } = await client(words)
      if (code === 0) throw new Error(`openstack ${words.join(' ')} succeeded:\n${stdout}`)
      return stdout + stderr
    },
  }
}

/** The password of a login, from the openrc-like file that `strata up` wrote. */
export function passwordOf(cloud: TestCloud, login: 'strata' | 'strata-demo'): string {
  const text = readFileSync(join(cloud.state, 'clouds.yaml'), 'utf8')
  const entry = text.slice(text.indexOf(`\n  ${login}:\n`))
  const found = /\n +password: "?([^"\n]+)"?\n/.exec(entry)?.[1]
  if (found === undefined) throw new Error(`no password of ${login} in clouds.yaml`)
  return found
}
