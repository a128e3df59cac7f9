/**
 * The message worker: fetches, decompresses, searches and keeps rows on a thread of its own, so that reading a whole topic
 * never holds up the host. Owns every query and the connections they read through; ends with the host.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { createRealEnv } from '../../env/real.ts'
import type { Logger } from '../../env/types.ts'
import { createClient } from '../../client/client.ts'
import type { QueryEngine } from '../messages/engine-port.ts'
import { createQueryEngine } from '../messages/query-engine.ts'
import { toProblem } from '../problem.ts'
import { progressIntervalMs, type FromWorker, type WorkerCall, type WorkerSettings } from './worker-protocol.ts'

const port = parentPort
if (port === null) throw new Error('search-worker.ts runs as a worker thread only')
const settings = workerData as WorkerSettings

const send = (message: FromWorker): void => port.postMessage(message)

const log: Logger = {
  write(level, message, fields = {}) {
    const texts = Object.entries(fields).map(([name, value]) => [name, value instanceof Error ? value.message : String(value)])
    send({ type: 'log', level, message, fields: Object.fromEntries(texts) })
  },
}
const env = createRealEnv({ log })
const starting = createQueryEngine({
  env,
  spillDirectory: settings.spillDirectory,
  createClient: (bootstrapServers) =>
    createClient(env, { bootstrapServers, clientId: 'weir-console', softwareName: 'weir', softwareVersion: settings.clientVersion }),
})

port.on('message', (call: WorkerCall) => void answer(call))

async function answer({ id, name, parameters }: WorkerCall): Promise<void> {
  try {
    const engine = await starting
    const work = engine[name] as (...values: readonly unknown[]) => Promise<unknown>
    const value = await work(...parameters)
    if (name === 'open') reportProgress(engine, value as string)
    send({ type: 'result', id, value })
  } catch (error) {
    send({ type: 'failure', id, problem: toProblem(error) })
  }
}

/** Sends a query's progress after changes, gathered; the last state always comes through. */
function reportProgress(engine: QueryEngine, queryId: string): void {
  let isWaiting = false
  engine.changesOf(queryId).on(() => {
    if (isWaiting) return
    isWaiting = true
    env.timers.after(progressIntervalMs, () => {
      isWaiting = false
      engine.progress(queryId).then(
        (progress) => send({ type: 'progress', progress }),
        // Closed meanwhile: nobody is interested any more.
        () => undefined,
      )
    })
  })
}
