/**
 * DeleteRecords at the leader of one partition (KIP-107): the log start moves at once, and the answer waits until the log of every
 * live replica starts there too. From then on no later leader brings the records back.
 *
 * What waits is bounded by the connections: each keeps a request of one of them under way.
 */
import type { DeletedRecords } from '../api/partitions.ts'
import type { Timers } from '../env/types.ts'
import type { PartitionLog } from '../log/types.ts'
import { ErrorCode } from '../wire/errors.ts'

export interface RecordDeletionsOptions {
  readonly log: PartitionLog
  readonly timers: Timers
  /** Where the logs of all live replicas start at least; -1 while one of them has not said. */
  readonly lowWatermark: () => number
  /** The log start moved: followers are to hear of it now. */
  readonly onMoved: () => void
}

interface Waiting {
  readonly offset: number
  settle(error: ErrorCode): void
}

export class RecordDeletions {
  readonly #options: RecordDeletionsOptions
  readonly #waiting = new Set<Waiting>()

  constructor(options: RecordDeletionsOptions) {
    this.#options = options
  }

  /**
   * -1 stands for the high watermark. REQUEST_TIMED_OUT when a live replica has not followed within `timeoutMs`; the records are
   * gone here all the same. POLICY_VIOLATION unless the topic deletes old records.
   */
  async before(offset: number, timeoutMs: number): Promise<DeletedRecords> {
    const { log, lowWatermark, onMoved } = this.#options
    const { highWatermark, config } = log
    if (!config.isDeleted) return failed(ErrorCode.POLICY_VIOLATION)
    const target = offset === -1 ? highWatermark : offset
    if (target < 0 || target > highWatermark) return failed(ErrorCode.OFFSET_OUT_OF_RANGE)
    const startBefore = log.logStartOffset
    const refusal = log.deleteRecordsBefore(target)
    if (refusal !== ErrorCode.NONE) return failed(refusal)
    if (log.logStartOffset > startBefore) onMoved()
    const error = lowWatermark() >= target ? ErrorCode.NONE : await this.#wait(target, timeoutMs)
    return error === ErrorCode.NONE ? { error, lowWatermark: lowWatermark() } : failed(error)
  }

  /** Replicas came, went, or said more: who waits may be done. */
  review(): void {
    if (this.#waiting.size === 0) return
    const reached = this.#options.lowWatermark()
    for (const waiting of this.#waiting) if (waiting.offset <= reached) waiting.settle(ErrorCode.NONE)
  }

  /** This replica does not lead any more. */
  fail(error: ErrorCode): void {
    for (const waiting of this.#waiting) waiting.settle(error)
  }

  #wait(offset: number, timeoutMs: number): Promise<ErrorCode> {
    return new Promise((resolve) => {
      const settle = (error: ErrorCode): void => {
        timer.cancel()
        this.#waiting.delete(waiting)
        resolve(error)
      }
      const waiting = { offset, settle }
      const timer = this.#options.timers.after(Math.max(0, timeoutMs), () => settle(ErrorCode.REQUEST_TIMED_OUT))
      this.#waiting.add(waiting)
    })
  }
}

function failed(error: ErrorCode): DeletedRecords {
  return { error, lowWatermark: -1 }
}
