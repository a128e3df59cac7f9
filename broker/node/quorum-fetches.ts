/**
 * The metadata log for those who follow it: answers valid fetches with what comes next. One that finds nothing new is parked until
 * there is news, its time is over, or nobody waits for the answer any more; then it is a request again, as if it had just come.
 */
import type { Env } from '../env/types.ts'
import type { FetchRequest, FetchResponse, QuorumState } from '../quorum/types.ts'
import { ErrorCode } from '../wire/errors.ts'
import type { MetadataLog } from './metadata-log.ts'
import { ParkedFetches } from './parked-fetches.ts'

const REPLY_BYTES_MAX = 8 * 1024 * 1024

export interface QuorumFetchesOptions {
  readonly log: MetadataLog
  readonly answer: (token: number, response: FetchResponse) => void
  /** The fetch is to be judged anew. */
  readonly askAgain: (token: number, request: FetchRequest) => void
}

export class QuorumFetches {
  readonly #options: QuorumFetchesOptions
  readonly #parked: ParkedFetches

  constructor(env: Env, options: QuorumFetchesOptions) {
    this.#options = options
    this.#parked = new ParkedFetches(env, options.askAgain)
  }

  /** The log, the high watermark or the role changed. */
  news(): void {
    this.#parked.releaseAll()
  }

  /** Nobody waits for that answer any more. */
  forget(token: number): void {
    this.#parked.forget(token)
  }

  /** `state` is that of the leader, in which the fetch was found valid. */
  serve(token: number, request: FetchRequest, state: QuorumState): void {
    const { log, answer } = this.#options
    const hasRecords = request.fetchOffset < log.writtenOffset
    const hasNews = hasRecords || request.highWatermark < state.highWatermark
    if (!hasNews && this.#parked.park(token, request)) return
    const { epoch, highWatermark, config } = state
    const read = hasRecords ? log.readForFollower(request.fetchOffset, REPLY_BYTES_MAX) : Promise.resolve(Buffer.alloc(0))
    const respond = (errorCode: ErrorCode, records: Buffer): void =>
      answer(token, {
        api: 'fetch',
        errorCode,
        leaderId: config.self.id,
        epoch,
        highWatermark,
        logStartOffset: log.startOffset,
        diverging: null,
        snapshot: null,
        records,
      })
    read.then(
      (records) => respond(ErrorCode.NONE, records),
      () => respond(ErrorCode.KAFKA_STORAGE_ERROR, Buffer.alloc(0)),
    )
  }
}
