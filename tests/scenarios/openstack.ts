/** Debian's own `openstack` client, unmodified: one process for each command, as a user types it. */
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

/** `login` is an entry of the clouds.yaml that `strata up` wrote into the test's home; `project` stands in for its own. */
export function openstack(cloud: Pick<TestCloud, 'env'>, login: 'strata' | 'strata-demo', project?: string): OpenStack {
  const entry = ['--os-cloud', login, ...(project === undefined ? [] : ['--os-project-name', project])]
  const client = (words: readonly string[]) =>
    run({ program: '/usr/bin/openstack', words: [...entry, ...words], env: cloud.env })
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
