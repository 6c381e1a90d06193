/** One HTTP request on standard input, its answer from the files of the folder argv[2] on standard output. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

process.stdin.once('data', (request: Buffer) => {
  const path = /^GET (\/[\w./-]*) /.exec(request.toString())?.[1] ?? '/none'
  let answer = 'HTTP/1.0 404 Not Found\r\nContent-Length: 0\r\n\r\n'
  try {
    const body = readFileSync(join(process.argv[2] ?? '', path.endsWith('/') ? `${path}index` : path), 'utf8')
    answer = `HTTP/1.0 200 OK\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  } catch {}
  process.stdout.write(answer, () => process.exit(0))
})
