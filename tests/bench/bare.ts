/** The bare reference: a Node HTTP server, in a process of its own, that answers the same bytes to everything. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface BareServer {
  readonly url: string
  readonly pid: number
  /** Milliseconds from the start of the process until it listened. */
  readonly startedIn: number
  stop(): Promise<void>
}

export async function bareServer(answer: { readonly headers: Headers; readonly text: string }): Promise<BareServer> {
  const folder = mkdtempSync(join(tmpdir(), 'strata-bare-'))
  const file = join(folder, 'answer.json')
  const {
    'transfer-encoding': _,
    connection: __,
    'keep-alive': ___,
    date: ____,
    ...headers
  } = Object.fromEntries(answer.headers)
  writeFileSync(file, JSON.stringify({ headers, text: answer.text }))
  const start = performance.now()
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', import.meta.filename, file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [port] = (await once(child.stdout, 'data')) as [Buffer]
  return {
    url: `http://127.0.0.1:${Number(`${port}`)}/`,
    pid: child.pid!,
    startedIn: performance.now() - start,
    async stop() {
      child.kill()
      await once(child, 'close')
      rmSync(folder, { recursive: true })
    },
  }
}

if (import.meta.main) {
  const { headers, text } = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as {
    headers: Record<string, string>
    text: string
  }
  const body = Buffer.from(text)
  const server = createServer((_, response) => {
    response.writeHead(200, { ...headers, 'content-length': body.length })
    response.end(body)
  })
  server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port))
}
