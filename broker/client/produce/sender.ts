/**
 * Sends the ready batches: per leader one request at a time is put together from all its partitions, several in flight.
 *
 * Invariant: requests to one leader are written in the order they were put together, on one connection, so batches of a
 * partition arrive in order. When an idempotent producer loses its place, nothing is sent until all in flight is answered
 * and it has a new identity; batches whose fate is then unknown fail rather than risk being written twice.
 */
import { produce } from '../../api/00-produce.schema.ts'
import { DeadlineWatch } from '../../net/deadline-watch.ts'
import type { Compression } from '../../wire/compression.ts'
import { ErrorCode } from '../../wire/errors.ts'
import type { BrokerConnection } from '../broker-connection.ts'
import type { ClientCore } from '../core.ts'
import { isStaleMetadata } from '../consume/fetch-codec.ts'
import { ClientError } from '../error.ts'
import {
  isIdentityError,
  leavesFateOpen,
  lostPlace,
  mayPass,
  notInTime,
  refusedInDoubt,
  uncertainFate,
  withoutLeader,
} from './batch-failure.ts'
import type { PartitionQueue } from './partition-queue.ts'
import { partitionReplies, produceBounds, produceTopics, refusal } from './produce-exchange.ts'
import type { PartitionReply, ProduceReply, Sent } from './produce-exchange.ts'
import type { ProducerBatch } from './producer-batch.ts'
import { IdentityKeeper } from './producer-identity.ts'
import type { Idempotence } from './producer-identity.ts'

export interface SenderOptions {
  readonly acks: 0 | 1 | -1
  readonly idempotence: Idempotence
  readonly compression: Compression
  readonly inflightBatchesMax: number
  readonly requestBytesMax: number
  readonly requestTimeoutMs: number
  readonly lane: string
  readonly signal: AbortSignal
}

interface Node {
  connection: BrokerConnection | null
  isConnecting: boolean
}

export class Sender {
  readonly #core: ClientCore
  readonly #options: SenderOptions
  readonly #queues: ReadonlyMap<string, PartitionQueue>
  /** Those that hold records. */
  readonly #active = new Set<PartitionQueue>()
  readonly #nodes = new Map<number, Node>()
  readonly #keeper: IdentityKeeper
  #inflightCount = 0
  #isLookingUp = false
  #isScheduled = false
  readonly #wakeUp: DeadlineWatch
  #retriedBatchCount = 0

  /** All queues of the producer: an idle one keeps its sequence. */
  constructor(core: ClientCore, queues: ReadonlyMap<string, PartitionQueue>, options: SenderOptions) {
    this.#core = core
    this.#queues = queues
    this.#options = options
    this.#keeper = new IdentityKeeper(core, options)
    this.#wakeUp = new DeadlineWatch(core.env, () => this.#send())
  }

  get retriedBatchCount(): number {
    return this.#retriedBatchCount
  }

  /** The queue holds records; its ready batches leave at the end of this turn. */
  activate(queue: PartitionQueue): void {
    this.#active.add(queue)
    if (queue.hasReady) this.schedule()
  }

  /** Sends at the end of this turn, with all that becomes ready meanwhile. */
  schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    this.#core.env.scheduler.afterTurn(() => {
      this.#isScheduled = false
      this.#send()
    })
  }

  close(): void {
    this.#wakeUp.cancel()
  }

  #send(): void {
    if (this.#options.signal.aborted) return
    this.#expire()
    const nowMs = this.#core.env.clock.monotonicMs()
    if (!this.#keeper.isReady) {
      const { dueAtMs } = this.#keeper
      if (dueAtMs > nowMs) this.#wakeUp.watch(dueAtMs)
      else if (this.#inflightCount === 0) void this.#identify()
      return
    }
    const byLeader = new Map<number, PartitionQueue[]>()
    const leaderless: PartitionQueue[] = []
    for (const queue of this.#active) {
      if (queue.isEmpty) this.#active.delete(queue)
      if (!queue.hasReady) continue
      this.#wakeUp.watch(Math.min(queue.nextDeadlineMs, queue.retryAtMs > nowMs ? queue.retryAtMs : Infinity))
      if (queue.retryAtMs > nowMs) continue
      const leader = this.#core.cache.partition(queue.topic, queue.partition)?.leader ?? null
      if (leader === null) {
        leaderless.push(queue)
        continue
      }
      const list = byLeader.get(leader)
      if (list === undefined) byLeader.set(leader, [queue])
      else list.push(queue)
    }
    for (const [leader, queues] of byLeader) this.#sendTo(leader, queues)
    if (leaderless.length > 0 && !this.#isLookingUp) void this.#lookUp(leaderless)
  }

  // ------------------------------------------------------------------------------------------------------------- leaders

  async #lookUp(queues: readonly PartitionQueue[]): Promise<void> {
    this.#isLookingUp = true
    const call = this.#core.call('Finding leaders', { timeoutMs: this.#options.requestTimeoutMs, signal: this.#options.signal })
    const topics = [...new Set(queues.map(({ topic }) => topic))]
    const failure = await this.#core.cache.refresh(topics, call).then(
      () => null,
      (error: unknown) => ClientError.from(error),
    )
    this.#isLookingUp = false
    for (const queue of queues) {
      if (failure !== null || (this.#core.cache.partition(queue.topic, queue.partition)?.leader ?? null) === null) {
        this.#delay(queue, failure ?? withoutLeader(queue))
      }
    }
    this.schedule()
  }

  #sendTo(leader: number, queues: readonly PartitionQueue[]): void {
    let node = this.#nodes.get(leader)
    if (node === undefined) {
      node = { connection: null, isConnecting: false }
      this.#nodes.set(leader, node)
    }
    if (node.isConnecting) return
    if (node.connection === null || !node.connection.isOpen) {
      void this.#connect(leader, node, queues)
      return
    }
    const { connection } = node
    for (;;) {
      // Without replies nothing else holds a fast caller back.
      if (this.#options.acks === 0 && !connection.isWritable) {
        connection.onWritable(() => this.schedule())
        return
      }
      const sent = this.#takeRequest(queues)
      if (sent.length === 0) return
      void this.#request(leader, connection, sent)
    }
  }

  async #connect(leader: number, node: Node, queues: readonly PartitionQueue[]): Promise<void> {
    node.isConnecting = true
    const call = this.#core.call(`Connecting to broker ${leader}`, {
      timeoutMs: this.#core.options.connectTimeoutMs,
      signal: this.#options.signal,
    })
    try {
      node.connection = await this.#core.connectionTo(leader, call, this.#options.lane)
    } catch (error) {
      const failure = ClientError.from(error)
      for (const queue of queues) {
        this.#core.cache.forget(queue.topic)
        this.#delay(queue, failure)
      }
    }
    node.isConnecting = false
    this.schedule()
  }

  // ------------------------------------------------------------------------------------------------------------ requests

  /** At most one batch of each partition, up to the bound of one request. */
  #takeRequest(queues: readonly PartitionQueue[]): Sent[] {
    const sent: Sent[] = []
    let bytes = 0
    for (const queue of queues) {
      if (bytes >= this.#options.requestBytesMax) break
      const batch = queue.takeNext(this.#options.inflightBatchesMax, this.#keeper.identity !== null)
      if (batch === null) continue
      bytes += batch.sizeBytes
      sent.push({ queue, batch })
    }
    return sent
  }

  async #request(leader: number, connection: BrokerConnection, sent: readonly Sent[]): Promise<void> {
    const { acks, requestTimeoutMs, compression, signal } = this.#options
    const topicIds = new Map(sent.map(({ queue }) => [queue.topic, this.#core.cache.topic(queue.topic)?.topicId ?? null]))
    const bounds = produceBounds(topicIds, compression)
    this.#inflightCount++
    try {
      const topicData = produceTopics(sent, topicIds, compression, this.#keeper.identity)
      const body = { acks, timeoutMs: requestTimeoutMs, topicData }
      if (acks === 0) {
        connection.send(produce, body, bounds)
        for (const { queue, batch } of sent) this.#succeed(queue, batch, -1, -1)
        return
      }
      const reply = await connection.request(produce, body, { ...bounds, timeoutMs: requestTimeoutMs, signal })
      for (const { queue, batch, answer } of partitionReplies(reply, sent, topicIds)) this.#onAnswer(queue, batch, answer, reply)
    } catch (error) {
      const failure = ClientError.from(error, { nodeId: leader })
      for (const { queue, batch } of sent) {
        if (mayPass(failure)) this.#core.cache.forget(queue.topic)
        this.#onFailure(queue, batch, failure)
      }
    } finally {
      this.#inflightCount--
      this.schedule()
    }
  }

  // ------------------------------------------------------------------------------------------------------------ outcomes

  #onAnswer(queue: PartitionQueue, batch: ProducerBatch, answer: PartitionReply | ClientError, reply: ProduceReply): void {
    if (answer instanceof ClientError) {
      this.#onFailure(queue, batch, answer)
      return
    }
    const { errorCode, baseOffset, logAppendTimeMs, currentLeader } = answer
    if (errorCode === ErrorCode.NONE || errorCode === ErrorCode.DUPLICATE_SEQUENCE_NUMBER) {
      this.#succeed(queue, batch, baseOffset, logAppendTimeMs)
      return
    }
    const { cache } = this.#core
    if (isStaleMetadata(errorCode) && !cache.noteLeader(queue.topic, queue.partition, currentLeader, reply.nodeEndpoints)) {
      cache.forget(queue.topic)
    }
    this.#onFailure(queue, batch, refusal(queue, answer))
  }

  #succeed(queue: PartitionQueue, batch: ProducerBatch, baseOffset: number, logAppendTimeMs: number): void {
    queue.complete(batch)
    batch.succeed(baseOffset, logAppendTimeMs)
  }

  #onFailure(queue: PartitionQueue, batch: ProducerBatch, failure: ClientError): void {
    if (this.#options.signal.aborted) return
    batch.lastError = failure
    batch.isUncertain ||= leavesFateOpen(failure)
    if (failure.kafkaError === ErrorCode.MESSAGE_TOO_LARGE && queue.split(batch)) return
    if (isIdentityError(failure) && batch.sequence !== null) {
      this.#onIdentityError(queue, batch, failure)
      return
    }
    const mayRetry = mayPass(failure)
    if (mayRetry && batch.deadlineMs > this.#core.env.clock.monotonicMs()) {
      this.#retry(queue, batch, failure)
      return
    }
    queue.drop(batch)
    batch.fail(batch.isUncertain && !leavesFateOpen(failure) ? refusedInDoubt(failure) : failure)
    // Whether it was appended is not known, so neither is which sequence comes next.
    if ((mayRetry || batch.isUncertain) && batch.sequence !== null) this.#keeper.lose()
  }

  #onIdentityError(queue: PartitionQueue, batch: ProducerBatch, failure: ClientError): void {
    // Behind a batch that is being sent again, or was refused, out of order is what it must be.
    const isExpected = !queue.isFirst(batch) || batch.sentSequence !== batch.sequence
    if (failure.kafkaError === ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER && isExpected) {
      this.#retry(queue, batch, failure)
      return
    }
    this.#keeper.lose()
    if (!batch.isUncertain) {
      this.#retry(queue, batch, failure)
      return
    }
    queue.drop(batch)
    batch.fail(lostPlace(queue, failure))
  }

  #retry(queue: PartitionQueue, batch: ProducerBatch, failure: ClientError): void {
    this.#retriedBatchCount++
    queue.returnForRetry(batch)
    this.#delay(queue, failure)
  }

  #delay(queue: PartitionQueue, failure: ClientError): void {
    queue.retryAtMs = this.#core.env.clock.monotonicMs() + this.#core.retryDelayMs(queue.failureCount)
    queue.failureCount++
    queue.lastError = failure
    this.#wakeUp.watch(queue.retryAtMs)
  }

  #expire(): void {
    const nowMs = this.#core.env.clock.monotonicMs()
    for (const queue of this.#active) {
      for (const batch of queue.takeExpired(nowMs)) {
        batch.fail(notInTime(queue, batch))
        if (batch.sequence !== null) this.#keeper.lose()
      }
    }
  }

  // ------------------------------------------------------------------------------------------------------------ identity

  async #identify(): Promise<void> {
    for (const queue of this.#queues.values()) for (const batch of queue.restartSequences()) batch.fail(uncertainFate(queue, batch))
    const failure = await this.#keeper.acquire()
    if (failure !== null && !this.#options.signal.aborted) {
      for (const queue of this.#active) {
        if (mayPass(failure)) this.#delay(queue, failure)
        else for (const batch of queue.takeAll()) batch.fail(failure)
      }
    }
    this.schedule()
  }
}
