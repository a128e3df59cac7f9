import type { Timers } from '../../env/types.ts'
import type { RecordToEncode } from '../../wire/record-batch.ts'
import type { CallOptions } from '../basic-types.ts'
import { ClientError } from '../error.ts'
import type { ProducerRecord, RecordAcknowledgement } from '../producer-types.ts'
import type { PendingRecord } from './producer-batch.ts'

export type Settled = (outcome: RecordAcknowledgement | ClientError) => void

/**
 * A record the producer has taken on. It settles once; whoever waits for it may give up earlier, which changes nothing
 * for the record itself: it keeps its memory and its place until the broker or its deadline decides.
 */
export class AcceptedRecord implements PendingRecord {
  readonly given: ProducerRecord
  readonly record: RecordToEncode
  readonly sizeBytes: number
  readonly deadlineMs: number
  /** Ascending in the order of acceptance. */
  readonly number: number
  /** Its partition was missing once; the topic has been looked up anew since. */
  hasRechecked = false
  /** Counts against the producer's buffer. */
  hasMemory = false
  readonly #onSettled: (accepted: AcceptedRecord, outcome: RecordAcknowledgement | ClientError) => void
  #isSettled = false
  #listener: Settled | null = null
  #stopListening: (() => void) | null = null

  constructor(
    given: ProducerRecord,
    record: RecordToEncode,
    sizeBytes: number,
    deadlineMs: number,
    number: number,
    onSettled: (accepted: AcceptedRecord, outcome: RecordAcknowledgement | ClientError) => void,
  ) {
    this.given = given
    this.record = record
    this.sizeBytes = sizeBytes
    this.deadlineMs = deadlineMs
    this.number = number
    this.#onSettled = onSettled
  }

  /** Who waits may stop before: when the signal fires, or `timeoutMs` have passed. */
  listen(listener: Settled, timers: Timers, options: CallOptions): void {
    this.#listener = listener
    const { signal, timeoutMs } = options
    const stops: (() => void)[] = []
    if (signal !== undefined) {
      const onAbort = (): void =>
        this.#tell(new ClientError('CANCELLED', 'Waiting for the acknowledgement was cancelled; the record may still be written.'))
      signal.addEventListener('abort', onAbort, { once: true })
      stops.push(() => signal.removeEventListener('abort', onAbort))
    }
    if (timeoutMs !== undefined) {
      const timer = timers.after(timeoutMs, () =>
        this.#tell(
          new ClientError('DEADLINE_EXCEEDED', `The record was not acknowledged within ${timeoutMs} ms; it may still be written.`),
        ),
      )
      stops.push(() => timer.cancel())
    }
    if (stops.length > 0) this.#stopListening = () => stops.forEach((stop) => stop())
  }

  settle(outcome: RecordAcknowledgement | ClientError): void {
    if (this.#isSettled) return
    this.#isSettled = true
    this.#tell(outcome)
    this.#onSettled(this, outcome)
  }

  #tell(outcome: RecordAcknowledgement | ClientError): void {
    const listener = this.#listener
    this.#listener = null
    this.#stopListening?.()
    listener?.(outcome)
  }
}
