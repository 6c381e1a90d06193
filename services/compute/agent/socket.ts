/** An HTTP server on a Unix socket that one other account of the machine may use: how guests' proxies reach metadata. */
import { chmod, chown, readFile, rm } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'

/** Replaces what an earlier process left at `path`. Without the group on this machine, only our own account may connect. */
export async function listenOnSocket(
  path: string,
  group: string,
  handler: RequestListener,
): Promise<{ close(): Promise<void> }> {
  await rm(path, { force: true })
  const server = createServer(handler)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })
  await chmod(path, 0o660)
  const gid = await groupId(group)
  if (gid !== undefined) await chown(path, process.getuid!(), gid)
  return {
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function groupId(name: string): Promise<number | undefined> {
  const line = (await readFile('/etc/group', 'utf8')).split('\n').find(entry => entry.startsWith(`${name}:`))
  return line === undefined ? undefined : Number(line.split(':')[2])
}
