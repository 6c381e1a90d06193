/** A cloud that is only a `/healthz`, for the command's own tests: it starts at once and guests are never there. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { CloudModule } from '../cloud.ts'
import { serve } from '../commands/serve.ts'
import { up } from '../commands/up.ts'
import { parse } from '../main.ts'
import { stateAt } from '../state.ts'

const login = (username: string, project: string) => ({
  username,
  password: `of ${username}`,
  project,
  domain: 'Default',
})

export const fakeClouds: CloudModule = {
  async startCloud({ configFile, host = '127.0.0.1', port = 0 }) {
    if (configFile?.endsWith('broken.yaml'))
      throw Object.assign(new Error(`${configFile}: "porrt" is no option`), { name: 'ConfigError' })
    if (configFile?.endsWith('unlucky.yaml')) throw new Error('the bridge fell into the river')
    if (configFile?.endsWith('dying.yaml')) process.kill(process.pid, 'SIGKILL')
    const server = createServer((_, response) => {
      response.setHeader('content-type', 'application/json')
      response.end(
        JSON.stringify({ status: 'ready', services: { identity: { status: 'ready' } }, engines: { state: 'none' } }),
      )
    })
    await new Promise<void>(resolve => server.listen(port, host, resolve))
    return {
      url: `http://${host}:${(server.address() as AddressInfo).port}`,
      region: 'RegionOne',
      admin: login('admin', 'admin'),
      demo: login('demo', 'demo'),
      stop: async () => {
        server.closeAllConnections()
        await new Promise(resolve => server.close(resolve))
      },
    }
  },
  loadEngines: async () => {},
  stopDataPlane: async () => {},
  removeDataPlane: async () => {},
  checkConfig: () => {},
  keysOf: () => [],
  databasesOf: async () => [],
  migrateDatabases: async () => {},
  copyDatabases: async () => {},
  changeKeys: async () => [],
  configReference: () => 'port: 5000\n',
}

if (import.meta.main) {
  console.log('the fake cloud was started')
  const { command, config: configFile, host, port, ...given } = parse(process.argv.slice(2))
  const options = { state: stateAt(given.state!), configFile, host, port, load: async () => fakeClouds }
  if (command === 'up') await up({ ...options, simulated: true, foreground: true })
  else await serve({ ...options, mode: 'simulated' })
}
