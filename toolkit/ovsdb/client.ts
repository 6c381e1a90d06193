/** Databases on one OVSDB connection: schemas, transactions, and monitors that survive reconnections. */

import { type ConnectionOptions, createConnection, OvsdbError } from './connection.ts'
import { decodeResult, encodeOperation, type Operation, type OperationResult } from './operations.ts'
import { createReplicaState, type Replica, type ReplicaState, type TableColumns } from './replica.ts'
import { columnType, type DatabaseSchema, parseSchema } from './values.ts'

/** A transaction was refused as a whole. `index` is the operation at fault, or their count when the commit failed. */
export class TransactionError extends OvsdbError {
  override readonly name = 'TransactionError'
  readonly index: number
  constructor(code: string, message: string, index: number) {
    super(code, message)
    this.index = index
  }
}

export interface OvsdbClient {
  readonly connected: boolean
  /** Resolves when connected; rejects with code `timeout` after `timeoutMs` (default 10,000) but tries on. */
  connect(timeoutMs?: number): Promise<void>
  /** Any method of the protocol. Rejects with `OvsdbError`. */
  call(method: string, params: unknown): Promise<unknown>
  /** The schema of a database, asked for once. */
  schema(database: string): Promise<DatabaseSchema>
  /**
   * All of the operations or none. Rejects with `TransactionError` when refused, and with `OvsdbError`
   * `disconnected` when the connection was lost meanwhile: then nobody knows, look before repeating. Replicas of this
   * client hold the outcome when the promise resolves.
   */
  transact(database: string, operations: readonly Operation[]): Promise<readonly OperationResult[]>
  /** Copies tables into memory and keeps the copy. Columns that this server's schema has not are a `TypeError`. */
  monitor(database: string, columns: TableColumns): Promise<Replica>
  /** Hears connections and losses; after a connection the replicas have been filled again when this is called. */
  onState(listener: (connected: boolean) => void): () => void
  close(): void
}

interface Monitor {
  readonly database: string
  readonly columns: TableColumns
  readonly state: ReplicaState
}

function refusal(results: readonly unknown[], operations: readonly Operation[]): TransactionError | undefined {
  for (const [index, result] of results.entries()) {
    const { error, details } = (result ?? {}) as { error?: string; details?: string }
    if (typeof error !== 'string') continue
    const operation = operations[index]
    const where = operation === undefined ? 'commit' : `${operation.op} ${'table' in operation ? operation.table : ''}`
    return new TransactionError(error, `${where}: ${error}${details === undefined ? '' : `: ${details}`}`, index)
  }
  return undefined
}

export function createOvsdbClient(options: ConnectionOptions): OvsdbClient {
  const monitors = new Map<string, Monitor>()
  const schemas = new Map<string, Promise<DatabaseSchema>>()
  const stateListeners = new Set<(connected: boolean) => void>()
  let lastMonitor = 0

  const tell = (state: boolean): void => {
    for (const listener of [...stateListeners]) listener(state)
  }

  const connection = createConnection(options, {
    onConnect: () => {
      let missing = monitors.size
      if (missing === 0) return tell(true)
      for (const id of monitors.keys())
        start(id, error => {
          if (error !== undefined) options.log?.(`OVSDB monitor of ${options.remote}: ${error.message}`)
          if (--missing === 0) tell(true)
        })
    },
    onDisconnect: () => tell(false),
    onNotification: (method, params) => {
      if (method === 'update2') monitors.get(String(params[0]))?.state.update(params[1])
    },
  })

  function start(id: string, done: (error: OvsdbError | undefined) => void): void {
    const { database, columns, state } = monitors.get(id)!
    const requests: Record<string, unknown> = {}
    for (const [table, names] of Object.entries(columns)) requests[table] = [{ columns: names }]
    connection.send('monitor_cond', [database, id, requests], (error, result) => {
      if (error === undefined && monitors.has(id)) state.replace(result)
      done(error)
    })
  }

  const call: OvsdbClient['call'] = (method, params) =>
    new Promise((resolve, reject) => {
      connection.send(method, params, (error, result) => (error === undefined ? resolve(result) : reject(error)))
    })

  const schema: OvsdbClient['schema'] = database => {
    const known = schemas.get(database)
    if (known !== undefined) return known
    const asked = call('get_schema', [database]).then(parseSchema)
    schemas.set(database, asked)
    asked.catch(() => schemas.delete(database))
    return asked
  }

  return {
    get connected() {
      return connection.connected
    },
    connect: (timeoutMs = 10_000) => connection.open(timeoutMs),
    call,
    schema,
    async transact(database, operations) {
      const known = await schema(database)
      const wire = operations.map(operation => encodeOperation(known, operation))
      const results = (await call('transact', [database, ...wire])) as readonly unknown[]
      const refused = refusal(results, operations)
      if (refused !== undefined) throw refused
      return operations.map((operation, index) => decodeResult(known, operation, results[index]))
    },
    async monitor(database, columns) {
      const known = await schema(database)
      for (const [table, names] of Object.entries(columns)) for (const name of names) columnType(known, table, name)
      const id = `strata-${++lastMonitor}`
      const state = createReplicaState(known, columns)
      monitors.set(id, { database, columns, state })
      await new Promise<void>((resolve, reject) => {
        start(id, error => {
          if (error === undefined) return resolve()
          monitors.delete(id)
          reject(error)
        })
      })
      return {
        ...state,
        async close() {
          if (monitors.delete(id) && connection.connected) await call('monitor_cancel', [id])
        },
      }
    },
    onState(listener) {
      stateListeners.add(listener)
      return () => void stateListeners.delete(listener)
    },
    close: () => connection.close(),
  }
}
