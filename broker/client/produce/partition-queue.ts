/**
 * The batches of one partition, from the first record to the acknowledgement, in order.
 *
 *   open -> ready -> inflight -> gone     acknowledged, or refused for good
 *                    inflight -> ready    to be sent again
 *
 * Invariant: `ready` and `inflight` ascend by batch number, and sequences follow numbers without gap or overlap, also
 * after a batch was refused (those behind it move up) or split. While a batch is being sent again no other is in flight
 * before its fate is known, so retries never reorder.
 */
import type { TopicPartition } from '../basic-types.ts'
import type { ClientError } from '../error.ts'
import { ProducerBatch } from './producer-batch.ts'
import type { PendingRecord } from './producer-batch.ts'

const SEQUENCE_MODULUS = 2 ** 31

export class PartitionQueue implements TopicPartition {
  readonly topic: string
  readonly partition: number
  /** Monotonic; nothing is sent before. */
  retryAtMs = 0
  failureCount = 0
  /** What held it up last. */
  lastError: ClientError | null = null
  #open: ProducerBatch | null = null
  /** The open batch has waited long enough; it still takes records until it can be sent. */
  #isOpenDue = false
  #ready: ProducerBatch[] = []
  #inflight: ProducerBatch[] = []
  #nextNumber = 0
  #nextSequence = 0
  /** A batch has been acknowledged under this identity. Before, a broker takes any sequence, so order is kept by sending one at a time. */
  #isEstablished = false
  /** A batch was refused while others were in flight: sequences are sure again once those are answered. */
  #isSettling = false

  constructor({ topic, partition }: TopicPartition) {
    this.topic = topic
    this.partition = partition
  }

  get isEmpty(): boolean {
    return this.#open === null && this.#ready.length === 0 && this.#inflight.length === 0
  }

  get inflightCount(): number {
    return this.#inflight.length
  }

  /** Whether something waits to be sent. */
  get hasReady(): boolean {
    return this.#ready.length > 0 || this.#isOpenDue
  }

  /** Returns whether a batch was begun, and whether one was completed. */
  append(pending: PendingRecord, batchBytesMax: number): { readonly began: boolean; readonly completed: boolean } {
    let completed = false
    if (this.#open !== null && this.#open.sizeBytes + pending.sizeBytes > batchBytesMax) {
      this.#seal()
      completed = true
    }
    const began = this.#open === null
    this.#open ??= new ProducerBatch(this, this.#nextNumber++)
    this.#open.add(pending)
    if (this.#open.sizeBytes >= batchBytesMax) {
      this.#seal()
      completed = true
    }
    return { began, completed }
  }

  /** The open batch waits no longer for company than until it can be sent. */
  markDue(): void {
    if (this.#open !== null) this.#isOpenDue = true
  }

  /** The next batch to send, now in flight, with its sequence when `isSequenced`; `null` when none may go. */
  takeNext(inflightMax: number, isSequenced: boolean): ProducerBatch | null {
    if (this.#inflight.length >= (isSequenced && !this.#isEstablished ? 1 : inflightMax)) return null
    if (this.#ready.length === 0 && this.#isOpenDue) this.#seal()
    const next = this.#ready[0]
    if (next === undefined) return null
    if (this.#inflight.length === 0) this.#isSettling = false
    else if (this.#isSettling || next.attempts > 0 || this.#inflight.some((batch) => batch.attempts > 1)) return null
    this.#ready.shift()
    if (isSequenced && next.sequence === null) {
      next.sequence = this.#nextSequence
      this.#nextSequence = (this.#nextSequence + next.recordCount) % SEQUENCE_MODULUS
    }
    next.sentSequence = next.sequence
    next.attempts++
    this.#inflight.push(next)
    return next
  }

  /** Whether everything before it has been acknowledged: a gap in sequences cannot be an earlier batch's fault. */
  isFirst(batch: ProducerBatch): boolean {
    const first = this.#ready[0]
    return this.#inflight[0] === batch && (first === undefined || first.number > batch.number)
  }

  /** Acknowledged. */
  complete(batch: ProducerBatch): void {
    this.#removeInflight(batch)
    this.failureCount = 0
    this.retryAtMs = 0
    this.lastError = null
    this.#isEstablished = true
    // A broker that knew nothing of this producer takes any first sequence: then that one counts.
    if (batch.sequence !== null && batch.sentSequence !== null) this.#moveSequences(batch.number, batch.sentSequence - batch.sequence)
  }

  /** To be sent again, before everything behind it. */
  returnForRetry(batch: ProducerBatch): void {
    this.#removeInflight(batch)
    this.#insertReady(batch)
  }

  /** Refused for good, and not appended: those behind take its sequences, whatever they were sent with is refused too. */
  drop(batch: ProducerBatch): void {
    this.#removeInflight(batch)
    if (batch.sequence === null) return
    this.#isSettling = true
    this.#moveSequences(batch.number, -batch.recordCount)
  }

  /** Too large for the broker: becomes two, sent again in its place. Returns false for a single record. */
  split(batch: ProducerBatch): boolean {
    if (batch.recordCount < 2) return false
    this.#removeInflight(batch)
    const middle = Math.ceil(batch.recordCount / 2)
    // A number between this one and the next keeps the order.
    const gap = Math.min(
      1,
      ...[...this.#inflight, ...this.#ready].filter(({ number }) => number > batch.number).map(({ number }) => number - batch.number),
    )
    const halves = [batch.records.slice(0, middle), batch.records.slice(middle)].map((records, index) => {
      const half = new ProducerBatch(this, batch.number + (index * gap) / 2)
      for (const pending of records) half.add(pending)
      half.attempts = batch.attempts
      half.isUncertain = batch.isUncertain
      half.sequence = batch.sequence === null ? null : (batch.sequence + index * middle) % SEQUENCE_MODULUS
      return half
    })
    for (const half of halves) this.#insertReady(half)
    return true
  }

  /** Takes out the ready batches whose time is up. */
  takeExpired(nowMs: number): ProducerBatch[] {
    if (this.#isOpenDue && (this.#open as ProducerBatch).deadlineMs <= nowMs) this.#seal()
    if (!this.#ready.some((batch) => batch.deadlineMs <= nowMs)) return []
    const expired = this.#ready.filter((batch) => batch.deadlineMs <= nowMs)
    this.#ready = this.#ready.filter((batch) => batch.deadlineMs > nowMs)
    return expired
  }

  /** A new identity: sequences begin at 0. Takes out the batches that may have been appended under the old one. */
  restartSequences(): ProducerBatch[] {
    const uncertain = this.#ready.filter((batch) => batch.isUncertain)
    this.#ready = this.#ready.filter((batch) => !batch.isUncertain)
    for (const batch of this.#ready) batch.sequence = null
    this.#nextSequence = 0
    this.#isEstablished = false
    return uncertain
  }

  /** Takes out everything. */
  takeAll(): ProducerBatch[] {
    const all = [...this.#inflight, ...this.#ready, ...(this.#open === null ? [] : [this.#open])]
    this.#inflight = []
    this.#ready = []
    this.#open = null
    this.#isOpenDue = false
    return all
  }

  /** When the first of what waits expires. */
  get nextDeadlineMs(): number {
    const open = this.#open?.deadlineMs ?? Infinity
    return this.#ready.reduce((earliest, batch) => Math.min(earliest, batch.deadlineMs), open)
  }

  #seal(): void {
    this.#ready.push(this.#open as ProducerBatch)
    this.#open = null
    this.#isOpenDue = false
  }

  /** Of the batches behind that number, and of those to come. */
  #moveSequences(behindNumber: number, by: number): void {
    if (by === 0) return
    const moved = (sequence: number): number => (sequence + by + SEQUENCE_MODULUS) % SEQUENCE_MODULUS
    for (const later of [...this.#inflight, ...this.#ready]) {
      if (later.sequence !== null && later.number > behindNumber) later.sequence = moved(later.sequence)
    }
    this.#nextSequence = moved(this.#nextSequence)
  }

  #removeInflight(batch: ProducerBatch): void {
    this.#inflight = this.#inflight.filter((candidate) => candidate !== batch)
  }

  #insertReady(batch: ProducerBatch): void {
    const at = this.#ready.findIndex((candidate) => candidate.number > batch.number)
    if (at < 0) this.#ready.push(batch)
    else this.#ready.splice(at, 0, batch)
  }
}
