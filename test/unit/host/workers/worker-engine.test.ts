import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createRealEnv } from '../../../../broker/env/real.ts'
import type { EngineCluster, QueryEngine } from '../../../../broker/host/messages/engine-port.ts'
import { createWorkerEngine } from '../../../../broker/host/workers/worker-engine.ts'
import { until } from '../../../support/until.ts'

const place = { topic: 't', partition: 0, offset: 0 }

let directory: string
let engine: QueryEngine
/** Takes connections and never answers, so that a call stays under way. */
let silent: Server
let connectionCount: number
let cluster: EngineCluster
let logged: string[]
let workers: Worker[]
const note = (worker: Worker): void => void workers.push(worker)

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'weir-worker-'))
  connectionCount = 0
  silent = createServer((socket) => {
    connectionCount++
    socket.on('error', () => socket.destroy()).resume()
  })
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  const { port } = silent.address() as { port: number }
  cluster = { clusterId: 'c', bootstrapServers: [`127.0.0.1:${port}`] }
  logged = []
  workers = []
  process.on('worker', note)
  const env = createRealEnv({ log: { write: (level, message) => void logged.push(`${level}: ${message}`) } })
  engine = createWorkerEngine(env, { spillDirectory: join(directory, 'spill'), clientVersion: '0' })
})
afterEach(async () => {
  process.off('worker', note)
  await Promise.all(workers.map((worker) => worker.terminate()))
  await new Promise((resolve) => silent.close(resolve))
  rmSync(directory, { recursive: true, force: true })
})

/** What no host sends: the worker cannot make sense of it and dies of an error nobody catches. */
const crash = (worker: Worker): void => worker.postMessage(null)

describe('the message worker', () => {
  test('is started by the first call that needs it', async () => {
    await engine.forget('c')
    expect(workers).toHaveLength(0)
    await expect(engine.rows('gone', 0, 1)).rejects.toMatchObject({ code: 'QUERY_NOT_FOUND', data: { subject: 'gone' } })
    expect(workers).toHaveLength(1)
  })

  test('that crashes fails what it was doing, with a reason, and is replaced by the next call', async () => {
    const underWay = Promise.allSettled([
      engine.at(cluster, place),
      engine.openTail(cluster, { topic: 't', partitions: null, text: null, backlog: 0 }),
    ])
    await until('the worker to read', () => connectionCount > 0)
    crash(workers[0]!)
    const lost = {
      status: 'rejected',
      reason: { code: 'QUERY_NOT_FOUND', message: 'The message worker ended.', data: { advice: 'Run the query again.' } },
    }
    expect(await underWay).toMatchObject([lost, lost])
    expect(logged).toContain('error: the message worker failed')

    const connectionsBefore = connectionCount
    const again = engine.at(cluster, place).catch((error: unknown) => error)
    await until('the new worker to read', () => connectionCount > connectionsBefore)
    expect(workers).toHaveLength(2)
    crash(workers[1]!)
    expect(await again).toMatchObject({ code: 'QUERY_NOT_FOUND' })
    await expect(engine.cancel('gone')).rejects.toMatchObject({ code: 'QUERY_NOT_FOUND', data: { subject: 'gone' } })
    expect(workers).toHaveLength(3)
  })

  test('ends with the host, and a host that has none ends as well', async () => {
    await engine.shutdown()
    await expect(engine.cancel('gone')).rejects.toMatchObject({ code: 'QUERY_NOT_FOUND' })
    let exitCode: number | null = null
    workers[0]!.on('exit', (code) => (exitCode = code))
    await engine.shutdown()
    expect(exitCode).not.toBeNull()
    expect(logged).toEqual([])
  })
})
