/** All sagas of servers: what the executor is given. */
import { createServer } from './create.ts'
import { deleteServer } from './delete.ts'
import { attachInterface, detachInterface } from './interfaces.ts'
import { hardRebootServer, pauseServer, softRebootServer, startServer, stopServer, unpauseServer } from './power.ts'
import { rebuildServer } from './rebuild.ts'

export const serverSagas = [
  createServer,
  deleteServer,
  rebuildServer,
  stopServer,
  startServer,
  softRebootServer,
  hardRebootServer,
  pauseServer,
  unpauseServer,
  attachInterface,
  detachInterface,
] as const
