/**
 * Accepts records, gathers them into batches per partition and hands these to the sender.
 *
 * Invariant: records of a partition are batched in the order they were given, also those that had to wait for memory or
 * for their topic's metadata. Memory is bounded by `bufferBytesMax`: what is beyond waits in line without being encoded.
 */
import { compressionFromName } from '../../wire/compression.ts'
import type { Compression } from '../../wire/compression.ts'
import type { RecordToEncode } from '../../wire/record-batch.ts'
import type { CallOptions } from '../basic-types.ts'
import type { ClientCore } from '../core.ts'
import { ClientError } from '../error.ts'
import { positive } from '../options.ts'
import type { Producer, ProducerOptions, ProducerRecord, ProducerStats, RecordAcknowledgement, SendResult } from '../producer-types.ts'
import { PartitionChoice } from './partition-choice.ts'
import { AcceptedRecord } from './accepted-record.ts'
import type { Settled } from './accepted-record.ts'
import { BufferMemory } from './buffer-memory.ts'
import { PartitionQueue } from './partition-queue.ts'
import { recordBytes } from './producer-batch.ts'
import { Sender } from './sender.ts'

/** A broker remembers the last five batches of a producer. */
const IDEMPOTENT_INFLIGHT_MAX = 5
const REQUEST_BYTES_MAX = 8 * 1024 * 1024
/** A topic that cannot be found gets this long to come into being, by automatic creation or by someone else. */
const TOPIC_WAIT_MS = 15_000

export class BatchingProducer implements Producer {
  readonly #core: ClientCore
  readonly #lingerMs: number
  readonly #batchBytesMax: number
  readonly #recordBytesMax: number
  readonly #deliveryTimeoutMs: number
  readonly #choice: PartitionChoice
  readonly #queues = new Map<string, PartitionQueue>()
  readonly #sender: Sender
  readonly #lane: string
  readonly #abort = new AbortController()
  readonly #forgetClose: () => void
  readonly #memory: BufferMemory
  /** In line for their topic's metadata, in order. */
  readonly #awaitingTopic = new Map<string, AcceptedRecord[]>()
  /** Numbers of records neither acknowledged nor failed, ascending. */
  readonly #unsettled = new Set<number>()
  #flushes: { readonly upTo: number; readonly resolve: () => void }[] = []
  /** Queues whose open batch waits for company. */
  readonly #lingering = new Set<PartitionQueue>()
  #isDueScheduled = false
  #isClosing = false
  #nextNumber = 0
  #sentRecordCount = 0
  #failedRecordCount = 0

  constructor(core: ClientCore, options: ProducerOptions) {
    const acks = options.acks ?? 'all'
    const idempotent = options.idempotent ?? acks === 'all'
    if (idempotent && acks !== 'all') throw new ClientError('INVALID_ARGUMENT', `An idempotent producer needs acks 'all', not ${acks}.`)
    this.#core = core
    this.#lingerMs = options.lingerMs ?? 0
    this.#batchBytesMax = positive('batchBytesMax', options.batchBytesMax ?? 256 * 1024)
    this.#recordBytesMax = positive('recordBytesMax', options.recordBytesMax ?? 1024 * 1024)
    const bufferBytesMax = positive('bufferBytesMax', options.bufferBytesMax ?? 32 * 1024 * 1024)
    this.#memory = new BufferMemory(core.env, bufferBytesMax, (accepted) => this.#admit(accepted))
    this.#deliveryTimeoutMs = positive('deliveryTimeoutMs', options.deliveryTimeoutMs ?? 120_000)
    this.#choice = new PartitionChoice(core.env.random, options.partitioner ?? null)
    this.#lane = core.openLane('produce')
    const inflightBatchesMax = options.inflightBatchesMax ?? (idempotent || acks === 0 ? IDEMPOTENT_INFLIGHT_MAX : 1)
    this.#sender = new Sender(core, this.#queues, {
      acks: acks === 'all' ? -1 : acks,
      idempotence: !idempotent ? 'off' : options.idempotent === true ? 'required' : 'if-possible',
      compression: compressionOption(options.compression ?? 'none'),
      inflightBatchesMax: idempotent ? Math.min(inflightBatchesMax, IDEMPOTENT_INFLIGHT_MAX) : inflightBatchesMax,
      requestBytesMax: REQUEST_BYTES_MAX,
      requestTimeoutMs: positive('requestTimeoutMs', options.requestTimeoutMs ?? 30_000),
      lane: this.#lane,
      signal: this.#abort.signal,
    })
    this.#forgetClose = core.onClose(() => this.#stop())
  }

  send(record: ProducerRecord, options: CallOptions = {}): Promise<RecordAcknowledgement> {
    return new Promise((resolve, reject) => {
      this.#accept(record, options, (outcome) => {
        if (outcome instanceof ClientError) reject(outcome)
        else resolve(outcome)
      })
    })
  }

  sendAll(records: readonly ProducerRecord[], options: CallOptions = {}): Promise<SendResult[]> {
    const results = new Array<SendResult>(records.length)
    if (records.length === 0) return Promise.resolve(results)
    return new Promise((resolve) => {
      let missing = records.length
      records.forEach((record, index) => {
        this.#accept(record, options, (outcome) => {
          results[index] =
            outcome instanceof ClientError ? { acknowledgement: null, error: outcome } : { acknowledgement: outcome, error: null }
          if (--missing === 0) resolve(results)
        })
      })
    })
  }

  async flush(options: CallOptions = {}): Promise<void> {
    this.#markDue()
    if (this.#unsettled.size === 0) return
    const upTo = this.#nextNumber
    const call = this.#core.call('Flushing', { timeoutMs: this.#deliveryTimeoutMs, ...options })
    await call.race(new Promise<void>((resolve) => this.#flushes.push({ upTo, resolve })))
  }

  async close(options: CallOptions = {}): Promise<void> {
    this.#isClosing = true
    try {
      await this.flush(options)
    } finally {
      this.#stop()
    }
  }

  stats(): ProducerStats {
    return {
      bufferedBytes: this.#memory.usedBytes,
      bufferedRecordCount: this.#unsettled.size,
      sentRecordCount: this.#sentRecordCount,
      failedRecordCount: this.#failedRecordCount,
      retriedBatchCount: this.#sender.retriedBatchCount,
    }
  }

  // ----------------------------------------------------------------------------------------------------------- accepting

  #accept(given: ProducerRecord, options: CallOptions, settled: Settled): void {
    const record = this.#encodable(given)
    const sizeBytes = recordBytes(record)
    const refusal = this.#refusal(given, sizeBytes, options.signal)
    if (refusal !== null) {
      settled(refusal)
      return
    }
    const deadlineMs = this.#core.env.clock.monotonicMs() + this.#deliveryTimeoutMs
    const accepted = new AcceptedRecord(given, record, sizeBytes, deadlineMs, this.#nextNumber++, (settling, outcome) =>
      this.#onSettled(settling, outcome),
    )
    accepted.listen(settled, this.#core.env.timers, options)
    this.#unsettled.add(accepted.number)
    this.#memory.take(accepted)
  }

  #refusal(given: ProducerRecord, sizeBytes: number, signal: AbortSignal | undefined): ClientError | null {
    if (this.#isClosing || this.#core.isClosed) return new ClientError('CLOSED', 'The producer was closed.')
    if (signal?.aborted) return new ClientError('CANCELLED', 'Sending was cancelled.')
    const { timestampMs } = given
    if (timestampMs !== undefined && !(Number.isSafeInteger(timestampMs) && timestampMs >= 0)) {
      return new ClientError(
        'INVALID_ARGUMENT',
        `The record for ${given.topic} has the timestamp ${timestampMs}; it must be milliseconds since 1970.`,
      )
    }
    if (sizeBytes > this.#recordBytesMax) {
      return new ClientError(
        'RECORD_TOO_LARGE',
        `The record for ${given.topic} takes ${sizeBytes} bytes; at most ${this.#recordBytesMax} are allowed.`,
      )
    }
    if (this.#memory.isLineFull) return new ClientError('BUFFER_FULL', "Too many records already wait for the producer's buffer.")
    return null
  }

  #onSettled(accepted: AcceptedRecord, outcome: RecordAcknowledgement | ClientError): void {
    if (outcome instanceof ClientError) this.#failedRecordCount++
    else this.#sentRecordCount++
    this.#unsettled.delete(accepted.number)
    this.#memory.release(accepted)
    if (this.#flushes.length > 0) this.#resolveFlushes()
  }

  #encodable(given: ProducerRecord): RecordToEncode {
    return {
      timestampMs: given.timestampMs ?? this.#core.env.clock.nowMs(),
      key: bytesOf(given.key ?? null),
      value: bytesOf(given.value),
      ...(given.headers && { headers: given.headers.map(({ key, value }) => ({ key, value: bytesOf(value) })) }),
    }
  }

  // -------------------------------------------------------------------------------------------------------------- topics

  #admit(accepted: AcceptedRecord): void {
    const { topic } = accepted.given
    const waiting = this.#awaitingTopic.get(topic)
    const partitionCount = this.#core.cache.topic(topic)?.partitions.length ?? 0
    if (waiting !== undefined) waiting.push(accepted)
    else if (partitionCount > 0) this.#append(accepted, partitionCount)
    else this.#awaitTopic(topic, accepted)
  }

  #awaitTopic(topic: string, accepted: AcceptedRecord): void {
    this.#awaitingTopic.set(topic, [accepted])
    void this.#loadTopic(topic)
  }

  async #loadTopic(topic: string): Promise<void> {
    const timeoutMs = Math.min(TOPIC_WAIT_MS, this.#deliveryTimeoutMs)
    const call = this.#core.call(`Looking for topic "${topic}"`, { timeoutMs, signal: this.#abort.signal })
    const failure = await this.#core
      .retrying(call, async () => {
        const [found] = await this.#core.cache.fetch({ topics: [topic], allowAutoTopicCreation: true }, call)
        if (found?.error) throw found.error
      })
      .then(
        () => null,
        (error: unknown) => topicFailure(ClientError.from(error)),
      )
    const waiting = this.#awaitingTopic.get(topic) ?? []
    this.#awaitingTopic.delete(topic)
    for (const accepted of waiting) {
      if (failure === null) this.#admit(accepted)
      else accepted.settle(failure)
    }
  }

  #append(accepted: AcceptedRecord, partitionCount: number): void {
    const { topic } = accepted.given
    const partition = this.#choice.choose(accepted.given, accepted.record.key, partitionCount)
    if (!(Number.isInteger(partition) && partition >= 0 && partition < partitionCount)) {
      this.#onNoSuchPartition(accepted, partition, partitionCount)
      return
    }
    const queue = this.#queue(topic, partition)
    const { began, completed } = queue.append(accepted, this.#batchBytesMax)
    if (completed) {
      this.#choice.moveOn(topic, partition, partitionCount)
      this.#sender.activate(queue)
    }
    if (began) {
      this.#lingering.add(queue)
      this.#scheduleDue()
    }
  }

  /** The topic may have grown since it was looked up. */
  #onNoSuchPartition(accepted: AcceptedRecord, partition: number, partitionCount: number): void {
    const { topic } = accepted.given
    if (!accepted.hasRechecked) {
      accepted.hasRechecked = true
      this.#core.cache.forget(topic)
      this.#awaitTopic(topic, accepted)
      return
    }
    accepted.settle(
      new ClientError('INVALID_ARGUMENT', `Topic "${topic}" has ${partitionCount} partitions; there is no partition ${partition}.`),
    )
  }

  #queue(topic: string, partition: number): PartitionQueue {
    const key = `${topic} ${partition}`
    let queue = this.#queues.get(key)
    if (queue === undefined) {
      queue = new PartitionQueue({ topic, partition })
      this.#queues.set(key, queue)
    }
    return queue
  }

  // ------------------------------------------------------------------------------------------------------------ lingering

  #scheduleDue(): void {
    if (this.#isDueScheduled) return
    this.#isDueScheduled = true
    const { scheduler, timers } = this.#core.env
    if (this.#lingerMs === 0) scheduler.afterTurn(() => this.#markDue())
    else timers.after(this.#lingerMs, () => this.#markDue())
  }

  #markDue(): void {
    this.#isDueScheduled = false
    for (const queue of this.#lingering) {
      queue.markDue()
      const topic = this.#core.cache.topic(queue.topic)
      if (topic !== undefined) this.#choice.moveOn(queue.topic, queue.partition, topic.partitions.length)
      this.#sender.activate(queue)
    }
    this.#lingering.clear()
  }

  // -------------------------------------------------------------------------------------------------------------- the end

  #resolveFlushes(): void {
    const oldest = this.#unsettled.values().next().value ?? Infinity
    const due = this.#flushes.filter(({ upTo }) => upTo <= oldest)
    if (due.length === 0) return
    this.#flushes = this.#flushes.filter(({ upTo }) => upTo > oldest)
    for (const { resolve } of due) resolve()
  }

  #stop(): void {
    if (this.#abort.signal.aborted) return
    this.#isClosing = true
    this.#abort.abort()
    this.#forgetClose()
    this.#sender.close()
    const closed = new ClientError('CLOSED', 'The producer was closed before the record was acknowledged; it may have been written.')
    for (const accepted of this.#memory.takeLine()) accepted.settle(closed)
    for (const waiting of this.#awaitingTopic.values()) for (const accepted of waiting) accepted.settle(closed)
    for (const queue of this.#queues.values()) for (const batch of queue.takeAll()) batch.fail(closed)
    this.#core.closeLane(this.#lane)
  }
}

/** A topic that never came into being is better said than that time ran out. */
function topicFailure(failure: ClientError): ClientError {
  return failure.code === 'DEADLINE_EXCEEDED' && failure.cause instanceof ClientError ? failure.cause : failure
}

function compressionOption(name: string): Compression {
  const compression = compressionFromName(name)
  if (compression === null)
    throw new ClientError('INVALID_ARGUMENT', `"${name}" is no compression; there are none, gzip, snappy, lz4 and zstd.`)
  return compression
}

function bytesOf(value: Uint8Array | string | null): Uint8Array | null {
  return typeof value === 'string' ? Buffer.from(value, 'utf8') : value
}
