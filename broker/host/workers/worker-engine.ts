/**
 * The message engine behind a worker thread. Invariant: every call that was sent is answered or, when the worker ends,
 * rejected. A worker that died is replaced by the next call; its queries are gone and say so.
 */
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { QueryProgress } from '../../contract/messages.ts'
import type { Env } from '../../env/types.ts'
import type { QueryEngine } from '../messages/engine-port.ts'
import { HostError } from '../problem.ts'
import { createChanges, type Changes } from '../rpc/changes.ts'
import type { CallName, FromWorker, WorkerCall, WorkerSettings } from './worker-protocol.ts'

/** Calls sent and not yet answered; more are refused. */
const pendingCallsMax = 2_000

interface PendingCall {
  resolve(value: never): void
  reject(error: Error): void
}

export function createWorkerEngine(env: Env, settings: WorkerSettings): QueryEngine {
  let worker: Worker | null = null
  let nextId = 1
  const pending = new Map<number, PendingCall>()
  const watched = new Map<string, { readonly changes: Changes; progress: QueryProgress | null }>()

  function start(): Worker {
    const started = new Worker(workerEntry(), { workerData: settings, name: 'weir-search' })
    // The host's own listeners keep the process alive, not this thread.
    started.unref()
    started.on('message', receive)
    started.on('error', (error) => env.log.write('error', 'the message worker failed', { error }))
    started.on('exit', () => {
      if (worker === started) worker = null
      failAll()
    })
    return started
  }

  function failAll(): void {
    const calls = [...pending.values()]
    pending.clear()
    for (const call of calls) call.reject(new HostError('QUERY_NOT_FOUND', 'The message worker ended.', { advice: 'Run the query again.' }))
    const states = [...watched.values()]
    watched.clear()
    for (const { changes } of states) changes.emit()
  }

  function receive(message: FromWorker): void {
    switch (message.type) {
      case 'result':
        pending.get(message.id)?.resolve(message.value as never)
        pending.delete(message.id)
        return
      case 'failure': {
        const { code, message: text, ...data } = message.problem
        pending.get(message.id)?.reject(new HostError(code, text, data))
        pending.delete(message.id)
        return
      }
      case 'progress': {
        const state = watched.get(message.progress.queryId)
        if (state === undefined) return
        state.progress = message.progress
        state.changes.emit()
        return
      }
      case 'log':
        env.log.write(message.level, message.message, message.fields)
    }
  }

  function call<Value>(name: CallName, ...parameters: readonly unknown[]): Promise<Value> {
    if (pending.size >= pendingCallsMax) {
      return Promise.reject(new HostError('QUERY_LIMIT', 'Too many message calls are waiting.', { advice: 'Try again in a moment.' }))
    }
    worker ??= start()
    const id = nextId
    nextId += 1
    const message: WorkerCall = { id, name, parameters }
    return new Promise<Value>((resolve, reject) => {
      pending.set(id, { resolve: resolve as PendingCall['resolve'], reject })
      worker?.postMessage(message)
    })
  }

  return {
    async open(cluster, query) {
      const queryId = await call<string>('open', cluster, query)
      watched.set(queryId, { changes: createChanges(), progress: null })
      return queryId
    },
    progress: (queryId) => call('progress', queryId),
    rows: (queryId, from, count) => call('rows', queryId, from, count),
    detail: (queryId, index) => call('detail', queryId, index),
    at: (cluster, place) => call('at', cluster, place),
    payload: (cluster, request) => call('payload', cluster, request),
    more: (queryId, rows) => call('more', queryId, rows),
    cancel: (queryId) => call('cancel', queryId),
    async close(queryId) {
      watched.delete(queryId)
      if (worker !== null) await call('close', queryId)
    },
    histogram: (queryId, buckets) => call('histogram', queryId, buckets),
    openTail: (cluster, query) => call('openTail', cluster, query),
    nextTail: (queryId) => call('nextTail', queryId),
    async forget(clusterId) {
      if (worker !== null) await call('forget', clusterId)
    },
    changesOf(queryId) {
      const state = watched.get(queryId)
      if (state !== undefined) return state.changes
      throw new HostError('QUERY_NOT_FOUND', 'The query is not open any more.', { subject: queryId, advice: 'Run it again.' })
    },
    async shutdown() {
      if (worker === null) return
      const ending = worker
      await call('shutdown').catch((error: unknown) => env.log.write('warn', 'the message worker did not end cleanly', { error }))
      await ending.terminate()
    },
  }
}

/** From source in tests; in the bundle the worker lies beside this file. */
function workerEntry(): string {
  const isSource = import.meta.filename.endsWith('.ts')
  return isSource ? join(import.meta.dirname, 'search-worker.ts') : join(import.meta.dirname, 'search-worker.js')
}
