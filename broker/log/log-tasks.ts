/**
 * What a log does besides appending and reading (sync, roll, truncate, delete, compact): one at a time, in the order
 * asked. A task that fails because of the disk takes the log offline, and no further task runs.
 */
import { ErrorCode } from '../wire/errors.ts'

export class LogTasks {
  #last: Promise<unknown> = Promise.resolve()
  #hasFailed = false
  readonly #onFailure: (error: unknown) => void

  constructor(onFailure: (error: unknown) => void) {
    this.#onFailure = onFailure
  }

  /** Resolves with NONE or KAFKA_STORAGE_ERROR; never rejects. */
  run(task: () => Promise<void>): Promise<ErrorCode> {
    const outcome = this.#last.then(() => this.#carryOut(task))
    this.#last = outcome
    return outcome
  }

  /** No task is carried out any more; those under way end. */
  stop(): void {
    this.#hasFailed = true
  }

  async idle(): Promise<void> {
    await this.#last
  }

  async #carryOut(task: () => Promise<void>): Promise<ErrorCode> {
    if (this.#hasFailed) return ErrorCode.KAFKA_STORAGE_ERROR
    try {
      await task()
      return ErrorCode.NONE
    } catch (error) {
      this.#hasFailed = true
      this.#onFailure(error)
      return ErrorCode.KAFKA_STORAGE_ERROR
    }
  }
}
