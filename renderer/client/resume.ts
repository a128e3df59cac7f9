import { follow, type Acknowledger, type StreamEvent } from '../../broker/contract/stream.ts'
import { backoffMs, pause } from '../lib/backoff.ts'
import { problemOf, type Problem } from '../lib/problem.ts'

/**
 * Keeps one subscription alive: opens it, hands over what arrives, and opens it again after a loss. Each opening starts with a snapshot, so nothing missed
 * in between needs to be asked for.
 *
 *   loading -> live: the first value arrived
 *   live -> stale: the stream ended or failed; what was shown stays, marked as old
 *   loading -> failed: it failed before anything arrived; tried again all the same
 *   stale, failed -> live: an opening delivered again
 */
export type FollowStatus = 'loading' | 'live' | 'stale' | 'failed'

export interface ResumeOptions<Value> {
  acknowledger: Acknowledger
  open: (signal: AbortSignal) => PromiseLike<AsyncIterable<StreamEvent<Value>>>
  onValue: (value: Value) => void
  onStatus: (status: FollowStatus, problem: Problem | null) => void
  signal: AbortSignal
  pauseMs?: (attempt: number) => number
}

export async function followAndResume<Value>(options: ResumeOptions<Value>): Promise<void> {
  const { signal } = options
  let attempt = 0
  let delivered = false
  while (!signal.aborted) {
    let problem: Problem | null = null
    try {
      await follow(options.acknowledger, options.open(signal), (value) => {
        if (signal.aborted) return
        attempt = 0
        delivered = true
        options.onStatus('live', null)
        options.onValue(value)
      })
    } catch (error) {
      problem = problemOf(error)
    }
    if (signal.aborted) return
    options.onStatus(delivered ? 'stale' : 'failed', problem)
    if (!(await pause((options.pauseMs ?? backoffMs)(attempt), signal))) return
    attempt += 1
  }
}
