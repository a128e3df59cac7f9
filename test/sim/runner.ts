/** Lives many lifetimes in parallel processes, within a number, a time, or until one fails. */
import { fork, type ChildProcess } from 'node:child_process'
import { availableParallelism } from 'node:os'
import type { FromWorker, ToWorker } from './worker-messages.ts'

export interface RunOptions {
  readonly seed: string
  readonly runs: number
  /** No lifetime starts after it. */
  readonly timeLimitMs: number
  readonly jobs?: number
  readonly isUnbounded?: boolean
  /** Ends when one has failed. */
  readonly stopsAtFailure?: boolean
  readonly plantedBug?: string
  readonly onLifetime: (outcome: FromWorker) => void
}

/** Of the lifetimes that came to an end. */
export async function runLifetimes(options: RunOptions): Promise<void> {
  const startedMs = performance.now()
  let started = 0
  let isStopped = false
  const next = (): string | null => {
    if (isStopped || started >= options.runs || performance.now() - startedMs > options.timeLimitMs) return null
    const number = started++
    return number === 0 ? options.seed : `${options.seed}.${number}`
  }
  const onLifetime = (outcome: FromWorker): void => {
    options.onLifetime(outcome)
    if (options.stopsAtFailure === true && hasFailed(outcome)) isStopped = true
  }
  const jobs = Math.min(options.jobs ?? availableParallelism(), options.runs)
  await Promise.all(Array.from({ length: jobs }, () => work(options, next, onLifetime)))
}

export function hasFailed({ result, crash }: FromWorker): boolean {
  return crash !== null || result === null || result.violations.length > 0
}

/** One process after another: what a lifetime leaves behind when it crashes must not reach the next. */
async function work(options: RunOptions, next: () => string | null, onLifetime: (outcome: FromWorker) => void): Promise<void> {
  let worker: ChildProcess | null = null
  try {
    for (let seed = next(); seed !== null; seed = next()) {
      worker ??= fork(`${import.meta.dirname}/worker.ts`, options.plantedBug === undefined ? [] : [options.plantedBug], {
        stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      })
      const outcome = await live(worker, { seed, isUnbounded: options.isUnbounded === true })
      if (outcome.crash !== null) {
        worker.kill('SIGKILL')
        worker = null
      }
      onLifetime(outcome)
    }
  } finally {
    worker?.disconnect()
  }
}

function live(worker: ChildProcess, request: ToWorker): Promise<FromWorker> {
  const { seed } = request
  return new Promise((resolve) => {
    let errors = ''
    const onError = (chunk: Buffer): void => {
      errors = (errors + String(chunk)).slice(-8_000)
    }
    const settle = (outcome: FromWorker): void => {
      worker.off('message', onMessage)
      worker.off('close', onClose)
      worker.stderr?.off('data', onError)
      resolve(outcome)
    }
    const onMessage = (outcome: FromWorker): void => settle(outcome)
    const onClose = (): void => settle({ seed, result: null, crash: `the process ended: ${errors}` })
    worker.stderr?.on('data', onError)
    worker.on('message', onMessage)
    worker.on('close', onClose)
    worker.send(request)
  })
}
