/**
 * Gets appended bytes to the disk, in order: one write at a time per log, each taking everything gathered since the last
 * began, so that a busy log writes large pieces and an idle one at once.
 *
 * After a failure nothing is written any more: a later batch must not land behind a hole.
 */
import type { Scheduler } from '../env/types.ts'
import { ErrorCode } from '../wire/errors.ts'
import type { Segment } from './segment.ts'

/** Bytes appended and not yet taken by the disk, over all logs that share it. */
export class PendingWrites {
  bytes = 0
  readonly bytesMax: number

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax
  }

  get isFull(): boolean {
    return this.bytes > this.bytesMax
  }
}

interface Gather {
  readonly pieces: { readonly segment: Segment; readonly position: number; readonly chunks: Buffer[]; bytes: number }[]
  bytes: number
  endOffset: number
  readonly done: PromiseWithResolvers<ErrorCode>
}

export interface LogWriterOptions {
  readonly scheduler: Scheduler
  readonly pending: PendingWrites
  readonly onWritten: (endOffset: number) => void
  readonly onFailure: (error: unknown) => void
}

export class LogWriter {
  readonly #options: LogWriterOptions
  #gather: Gather | null = null
  #inFlight: Promise<ErrorCode> | null = null
  #hasFailed = false

  constructor(options: LogWriterOptions) {
    this.#options = options
  }

  /** Resolves when the bytes, and all before them, have been written. Never rejects. */
  write(segment: Segment, position: number, chunk: Buffer, endOffset: number): Promise<ErrorCode> {
    if (this.#hasFailed) return storageError
    const gather = (this.#gather ??= this.#newGather())
    const last = gather.pieces.at(-1)
    if (last !== undefined && last.segment === segment && last.position + last.bytes === position) {
      last.chunks.push(chunk)
      last.bytes += chunk.length
    } else {
      gather.pieces.push({ segment, position, chunks: [chunk], bytes: chunk.length })
    }
    gather.bytes += chunk.length
    gather.endOffset = endOffset
    this.#options.pending.bytes += chunk.length
    return gather.done.promise
  }

  /** Resolves when everything given so far has been written, or could not be. */
  drained(): Promise<ErrorCode> {
    if (this.#hasFailed) return storageError
    return this.#gather?.done.promise ?? this.#inFlight ?? none
  }

  #newGather(): Gather {
    if (this.#inFlight === null) this.#options.scheduler.afterTurn(() => this.#start())
    return { pieces: [], bytes: 0, endOffset: 0, done: Promise.withResolvers() }
  }

  #start(): void {
    const gather = this.#gather
    if (gather === null || this.#inFlight !== null) return
    this.#gather = null
    this.#inFlight = gather.done.promise
    void this.#carryOut(gather)
  }

  async #carryOut(gather: Gather): Promise<void> {
    let outcome: ErrorCode = ErrorCode.NONE
    try {
      for (const piece of gather.pieces) {
        const file = await piece.segment.file()
        await file.write(piece.position, piece.chunks)
        piece.segment.writtenBytes = piece.position + piece.bytes
      }
      this.#options.onWritten(gather.endOffset)
    } catch (error) {
      outcome = ErrorCode.KAFKA_STORAGE_ERROR
      this.#fail(error)
    }
    this.#options.pending.bytes -= gather.bytes
    this.#inFlight = null
    gather.done.resolve(outcome)
    this.#start()
  }

  #fail(error: unknown): void {
    this.#hasFailed = true
    const behind = this.#gather
    this.#gather = null
    this.#options.onFailure(error)
    if (behind === null) return
    this.#options.pending.bytes -= behind.bytes
    behind.done.resolve(ErrorCode.KAFKA_STORAGE_ERROR)
  }
}

const none: Promise<ErrorCode> = Promise.resolve(ErrorCode.NONE)
const storageError: Promise<ErrorCode> = Promise.resolve(ErrorCode.KAFKA_STORAGE_ERROR)
