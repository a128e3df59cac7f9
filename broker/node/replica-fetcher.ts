/**
 * Copies what one leader broker has for the replicas that follow it here: one connection, one fetch at a time.
 *
 *   idle     -> fetching : a replica is due
 *   fetching -> taking   : the leader answered; what came is appended, and only when it is written does the next fetch say so
 *   fetching -> fetching : a replica joined while the leader had nothing to say: the long poll is given up for a new one
 *   fetching -> waiting  : the connection failed; it is made anew after a pause, sooner when the metadata says the leader moved
 *   any      -> closed   : nothing is left to follow
 *
 * Records are appended as the leader sent them. What an answer asks of a replica is decided in cluster/follower-fetch.ts.
 */
import { fetch } from '../api/01-fetch.schema.ts'
import { listOffsets } from '../api/02-list-offsets.schema.ts'
import { fetchPosition, stepAfter } from '../cluster/follower-fetch.ts'
import type { Address, Env, Timer } from '../env/types.ts'
import { ChannelError } from '../net/channel-error.ts'
import { openRequestChannel, type RequestChannel } from '../net/request-channel.ts'
import { ErrorCode, errorName } from '../wire/errors.ts'
import { readBatchHeader } from '../wire/record-batch.ts'
import type { Decoded } from '../wire/schema.ts'
import { type Followed, FollowedReplicas, keyOf, type ThrottleMs } from './followed-replicas.ts'
import { FollowerSession } from './follower-session.ts'
import type { Partition } from './partition.ts'

export interface ReplicaFetcherOptions {
  readonly leaderId: number
  readonly nodeId: number
  readonly brokerEpoch: () => number
  readonly secret: string
  /** The leader's INTERNAL listener; null while the metadata does not tell. */
  readonly leaderAddress: () => Address | null
  readonly throttleMs: ThrottleMs
  /** The partition's log is whole again after a cut: its role may be due to change. */
  readonly onCut: (partition: Partition) => void
}

type PartitionAnswer = Decoded<typeof fetch.response>['responses'][number]['partitions'][number]

const FETCH_VERSION = 17
const LIST_OFFSETS_VERSION = 7
const EARLIEST = -2
/** replica.fetch.wait.max.ms, replica.fetch.min.bytes, replica.fetch.response.max.bytes, replica.fetch.max.bytes */
const MAX_WAIT_MS = 500
const MIN_BYTES = 1
const RESPONSE_BYTES_MAX = 10 * 1024 * 1024
const PARTITION_BYTES_MAX = 1024 * 1024
/** replica.socket.timeout.ms */
const REQUEST_TIMEOUT_MS = 30_000
const CONNECT_TIMEOUT_MS = 2_000
const RECONNECT_MIN_MS = 20
const RECONNECT_MAX_MS = 1_000
/** How long a fetch under way may take to be answered by itself before a replica that joins has it given up. */
const JOIN_PATIENCE_MS = 5

export class ReplicaFetcher {
  readonly #env: Env
  readonly #options: ReplicaFetcherOptions
  readonly #session = new FollowerSession(PARTITION_BYTES_MAX)
  readonly #followed: FollowedReplicas
  #channel: RequestChannel | null = null
  #isClosed = false
  #failures = 0
  #joining: Timer | null = null
  /** The fetch under way was given up on purpose. */
  #isGivenUp = false
  #endPause: (() => void) | null = null

  constructor(env: Env, options: ReplicaFetcherOptions) {
    this.#env = env
    this.#options = options
    this.#followed = new FollowedReplicas(env.clock, options.leaderId, options.throttleMs)
    void this.#run()
  }

  get size(): number {
    return this.#followed.size
  }

  /** Starts copying, or goes on in a later epoch. */
  follow(partition: Partition, leaderEpoch: number): void {
    if (this.#followed.add(partition, leaderEpoch)) this.#joined()
  }

  unfollow(partition: Partition): void {
    this.#followed.remove(partition)
  }

  /** The metadata has news of the leader: whatever is waited for may be over. */
  leaderChanged(): void {
    this.#endPause?.()
  }

  close(): void {
    this.#isClosed = true
    this.#joining?.cancel()
    this.#followed.clear()
    this.#dropChannel('nothing is left to fetch from this broker')
    this.#endPause?.()
  }

  // ---------------------------------------------------------------------------------------------------------- the loop

  async #run(): Promise<void> {
    while (!this.#isClosed) {
      const { due, nextAfterMs } = this.#followed.look()
      if (due.length === 0) {
        await this.#pause(nextAfterMs)
        continue
      }
      const problem = await this.#exchange()
      this.#failures = problem === null ? 0 : this.#failures + 1
      if (problem === null || this.#isClosed) continue
      const { leaderId } = this.#options
      if (this.#failures === 1) this.#env.log.write('info', 'the leader cannot be fetched from', { leader: leaderId, reason: problem })
      await this.#pause(Math.min(RECONNECT_MAX_MS, RECONNECT_MIN_MS * 2 ** Math.min(this.#failures - 1, 10)))
    }
  }

  /** Null, or why the leader could not be asked. */
  async #exchange(): Promise<string | null> {
    let due: readonly Followed[]
    let answer: Decoded<typeof fetch.response>
    try {
      this.#isGivenUp = false
      const channel = this.#channel ?? (await this.#connect())
      due = this.#followed.look().due
      answer = await channel.request(fetch, FETCH_VERSION, this.#request(due), { timeoutMs: REQUEST_TIMEOUT_MS })
    } catch (error) {
      if (!(error instanceof ChannelError)) throw error
      this.#session.reset()
      this.#dropChannel('a fetch failed')
      return this.#isGivenUp ? null : error.message
    }
    this.#joining?.cancel()
    this.#joining = null
    if (answer.errorCode !== ErrorCode.NONE) {
      // The session is gone; a whole request opens another.
      this.#session.reset()
      const isSession =
        answer.errorCode === ErrorCode.FETCH_SESSION_ID_NOT_FOUND || answer.errorCode === ErrorCode.INVALID_FETCH_SESSION_EPOCH
      return isSession ? null : errorName(answer.errorCode)
    }
    this.#session.answered(answer.sessionId)
    await this.#take(due, answer)
    return null
  }

  async #connect(): Promise<RequestChannel> {
    const { leaderId, nodeId, leaderAddress, secret } = this.#options
    const address = leaderAddress()
    if (address === null) throw new ChannelError('CONNECT_FAILED', `the address of broker ${leaderId} is not known`)
    const channel = await openRequestChannel(this.#env, {
      address,
      clientId: `replica-fetcher-${nodeId}`,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      preamble: { identity: { nodeId, role: 'broker' }, secret },
    })
    if (this.#isClosed) {
      channel.close('nothing is left to fetch from this broker')
      throw new ChannelError('CLOSED', 'fetching has ended')
    }
    this.#channel = channel
    return channel
  }

  #request(due: readonly Followed[]) {
    const { nodeId, brokerEpoch } = this.#options
    const targets = due.map(({ partition: { topicId, partition, log }, leaderEpoch }) => ({
      topicId,
      partition,
      currentLeaderEpoch: leaderEpoch,
      logStartOffset: log.logStartOffset,
      ...fetchPosition(log),
    }))
    return {
      replicaState: { replicaId: nodeId, replicaEpoch: brokerEpoch() },
      maxWaitMs: MAX_WAIT_MS,
      minBytes: MIN_BYTES,
      maxBytes: RESPONSE_BYTES_MAX,
      isolationLevel: 0,
      rackId: '',
      ...this.#session.request(targets),
    }
  }

  #dropChannel(reason: string): void {
    this.#channel?.close(reason)
    this.#channel = null
  }

  /** Wakes the loop; a fetch that the leader keeps waiting is given up, so that who joined need not wait for it. */
  #joined(): void {
    this.#endPause?.()
    this.#joining ??= this.#env.timers.after(JOIN_PATIENCE_MS, () => {
      this.#joining = null
      if (this.#channel === null || this.#channel.inflightCount === 0) return
      this.#isGivenUp = true
      this.#dropChannel('a replica joined')
    })
  }

  /** For so long, or with null without an end; or until woken. */
  #pause(delayMs: number | null): Promise<void> {
    return new Promise((resolve) => {
      const timer = delayMs === null ? null : this.#env.timers.after(delayMs, () => this.#endPause?.())
      this.#endPause = () => {
        this.#endPause = null
        timer?.cancel()
        resolve()
      }
    })
  }

  // ------------------------------------------------------------------------------------------------------- the answers

  /** Resolves when everything that came is written. */
  async #take(due: readonly Followed[], { responses }: Decoded<typeof fetch.response>): Promise<void> {
    const asked = new Map(due.map((followed) => [keyOf(followed.partition.topicId, followed.partition.partition), followed]))
    const appended: { followed: Followed; answer: PartitionAnswer; written: Promise<ErrorCode> | null }[] = []
    for (const { topicId, partitions } of responses) {
      for (const answer of partitions) {
        const followed = asked.get(keyOf(topicId, answer.partitionIndex))
        if (followed === undefined || !this.#followed.isCurrent(followed)) continue
        if (this.#step(followed, answer)) appended.push({ followed, answer, written: this.#append(followed, answer) })
      }
    }
    for (const { written } of appended) if (written !== null) await written
    for (const { followed, answer } of appended) if (this.#followed.isCurrent(followed)) followWatermarks(followed.partition, answer)
  }

  /** Whether the answer's records are to be appended; anything else it asks for is under way on return. */
  #step(followed: Followed, answer: PartitionAnswer): boolean {
    const { log } = followed.partition
    const step = stepAfter(answer, log)
    switch (step.kind) {
      case 'append':
        followed.failures = 0
        return true
      case 'truncate':
        this.#cut(followed, step.offset, () => log.truncateTo(step.offset))
        return false
      case 'startOver':
        void this.#startOver(followed)
        return false
      case 'retrySoon':
        this.#retrySoon(followed)
        return false
      case 'retryLater':
        this.#retryLater(followed, errorName(answer.errorCode))
        return false
    }
  }

  #append(followed: Followed, { records }: PartitionAnswer): Promise<ErrorCode> | null {
    if (records === null || records.length === 0) return null
    const { partition, leaderEpoch } = followed
    const { log } = partition
    const { length: bytes } = records
    const result = log.append(records, { leaderEpoch, origin: 'replication' })
    if (result.errorCode === ErrorCode.NONE) {
      this.#followed.taken(followed, bytes)
      return result.written
    }
    const { baseOffset } = readBatchHeader(records, 0)
    const isEmpty = log.logStartOffset === log.logEndOffset
    if (result.errorCode === ErrorCode.OFFSET_OUT_OF_RANGE && isEmpty && baseOffset < log.logEndOffset) {
      // The leader's log starts within a batch, and batches are copied whole.
      this.#cut(followed, baseOffset, () => startWith(partition, records, leaderEpoch))
    } else if (result.errorCode === ErrorCode.REQUEST_TIMED_OUT || result.errorCode === ErrorCode.NOT_LEADER_OR_FOLLOWER) {
      this.#retrySoon(followed)
    } else {
      this.#retryLater(followed, result.errorMessage ?? errorName(result.errorCode))
    }
    return null
  }

  #cut(followed: Followed, offset: number, cut: () => Promise<ErrorCode>): void {
    const { partition, leaderEpoch } = followed
    const { logEndOffset, highWatermark } = partition.log
    const fields = { topic: partition.topic, partition: partition.partition, toOffset: offset, logEndOffset, highWatermark, leaderEpoch }
    if (offset < highWatermark) this.#env.log.write('error', 'committed records are removed: the leader does not have them', fields)
    else this.#env.log.write('info', 'the log is cut back to where the leader agrees', fields)
    void partition.whileCutting(cut).then((error) => {
      if (error !== ErrorCode.NONE) this.#retryLater(followed, errorName(error))
      else followed.notBeforeMs = 0
      this.#options.onCut(partition)
      this.#joined()
    })
  }

  /** Nothing of what comes next is left at the leader. */
  async #startOver(followed: Followed): Promise<void> {
    const { partition, leaderEpoch } = followed
    const { topic, partition: partitionIndex, log } = partition
    followed.notBeforeMs = Infinity
    const asked = { partitionIndex, currentLeaderEpoch: leaderEpoch, timestamp: EARLIEST }
    const request = { replicaId: this.#options.nodeId, isolationLevel: 0, topics: [{ name: topic, partitions: [asked] }] }
    try {
      const channel = this.#channel ?? (await this.#connect())
      const { topics } = await channel.request(listOffsets, LIST_OFFSETS_VERSION, request, { timeoutMs: REQUEST_TIMEOUT_MS })
      const answer = topics[0]?.partitions[0]
      if (!this.#followed.isCurrent(followed)) return
      if (answer?.errorCode !== ErrorCode.NONE) return this.#retrySoon(followed)
      this.#cut(followed, answer.offset, () => log.truncateFullyAndStartAt(answer.offset))
    } catch (error) {
      if (!(error instanceof ChannelError)) throw error
      this.#retrySoon(followed)
    }
  }

  #retrySoon(followed: Followed): void {
    this.#env.timers.after(this.#followed.retrySoon(followed), () => {
      if (this.#followed.isCurrent(followed)) this.#joined()
    })
  }

  #retryLater(followed: Followed, reason: string): void {
    const { topic, partition } = followed.partition
    this.#env.log.write('warn', 'a replica cannot be copied', { topic, partition, leader: this.#options.leaderId, reason })
    this.#followed.retryLater(followed)
  }
}

async function startWith({ log }: Partition, records: Buffer, leaderEpoch: number): Promise<ErrorCode> {
  const error = await log.truncateFullyAndStartAt(readBatchHeader(records, 0).baseOffset)
  if (error !== ErrorCode.NONE) return error
  const { errorCode, written } = log.append(records, { leaderEpoch, origin: 'replication' })
  return errorCode === ErrorCode.NONE ? written : errorCode
}

/** High watermark and log start are the leader's, as far as the log here reaches. */
function followWatermarks({ log }: Partition, { highWatermark, logStartOffset }: PartitionAnswer): void {
  const reached = Math.min(highWatermark, log.writtenEndOffset)
  if (reached > log.highWatermark) log.setHighWatermark(reached)
  if (logStartOffset > log.logStartOffset) log.deleteRecordsBefore(Math.min(logStartOffset, log.highWatermark))
}
