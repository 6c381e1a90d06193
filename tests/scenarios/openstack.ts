/** Debian's own `openstack` client, unmodified. */
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type Ended, run, type TestCloud } from './cloud.ts'

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

/**
 * One process for each command, as a user types it. `login` is an entry of the clouds.yaml that `strata up` wrote into the
 * test's home; `project` stands in for its own.
 */
export function openstack(cloud: Pick<TestCloud, 'env'>, login: 'strata' | 'strata-demo', project?: string): OpenStack {
  const entry = ['--os-cloud', login, ...(project === undefined ? [] : ['--os-project-name', project])]
  return clientBy(words => run({ program: '/usr/bin/openstack', words: [...entry, ...words], env: cloud.env }))
}

export interface ManyCommands {
  /** A client whose commands begin with these words: who logs in, and how. */
  as(...words: string[]): OpenStack
  stop(): void
}

/** One process for all commands, one after another: tests with a hundred of them would take minutes to start clients. */
export function manyCommands(cloud: Pick<TestCloud, 'env'>): ManyCommands {
  const script = join(import.meta.dirname, 'openstack-many.py')
  const child: ChildProcess = spawn('/usr/bin/python3', [script], {
    env: cloud.env,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const waiting: ((ended: Ended) => void)[] = []
  createInterface({ input: child.stdout! }).on('line', line => waiting.shift()?.(JSON.parse(line) as Ended))
  let over = false
  const ended: Ended = { code: -1, stdout: '', stderr: 'the process of the client has ended' }
  child.on('close', () => {
    over = true
    for (const tell of waiting.splice(0)) tell(ended)
  })
  const ask = (words: readonly string[]) =>
    new Promise<Ended>(resolve => {
      if (over) return resolve(ended)
      waiting.push(resolve)
      child.stdin!.write(`${JSON.stringify(words)}\n`)
    })
  return {
    as: (...first) => clientBy(words => ask([...first, ...words])),
    stop: () => void child.kill(),
  }
}

function clientBy(client: (words: readonly string[]) => Promise<Ended>): OpenStack {
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
