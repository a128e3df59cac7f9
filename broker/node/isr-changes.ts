/**
 * Tells the active controller which in-sync sets this broker's partitions propose (AlterPartition), and them what it said.
 *
 * One request is under way at a time and carries every proposal made meanwhile. A proposal whose fate is unknown (no
 * answer, a controller that moved) is sent again: the controller compares epochs, so it is carried out once at most. One
 * refused because the controller knows something newer is left alone: the metadata that brings the news settles it.
 */
import { alterPartition } from '../api/56-alter-partition.schema.ts'
import { ControllerUnavailable } from '../api/context.ts'
import type { IsrChange } from '../cluster/in-sync-replicas.ts'
import type { LeaderRecoveryState } from '../cluster/partition-state.ts'
import type { Env } from '../env/types.ts'
import { ErrorCode, errorName } from '../wire/errors.ts'
import type { Decoded } from '../wire/schema.ts'
import type { ControllerCalls } from './controller-calls.ts'
import type { Partition } from './partition.ts'

export interface IsrChangesOptions {
  readonly nodeId: number
  readonly brokerEpoch: () => number
  readonly calls: Pick<ControllerCalls, 'call'>
}

interface Proposal {
  readonly partition: Partition
  readonly change: IsrChange
}

type Answer = Decoded<typeof alterPartition.response>['topics'][number]['partitions'][number]

const VERSION = 3
const TIMEOUT_MS = 10_000
const RETRY_MS = 50
/** Proposals in one request. */
const BATCH_MAX = 2_000

/** Not carried out, and never will be. */
const refusedForGood: ReadonlySet<number> = new Set([
  ErrorCode.INELIGIBLE_REPLICA,
  ErrorCode.OPERATION_NOT_ATTEMPTED,
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ErrorCode.UNKNOWN_TOPIC_ID,
])
/** The controller knows a newer state of the partition, which the metadata will bring. */
const outdated: ReadonlySet<number> = new Set([
  ErrorCode.INVALID_UPDATE_VERSION,
  ErrorCode.FENCED_LEADER_EPOCH,
  ErrorCode.NEW_LEADER_ELECTED,
  ErrorCode.INVALID_REQUEST,
])

export class IsrChanges {
  readonly #env: Env
  readonly #options: IsrChangesOptions
  readonly #closed = new AbortController()
  /** Bounded by the partitions this broker leads. */
  readonly #waiting = new Set<Partition>()
  #isSending = false

  constructor(env: Env, options: IsrChangesOptions) {
    this.#env = env
    this.#options = options
  }

  /** The partition's `isrChange` is to be sent. */
  propose(partition: Partition): void {
    this.#waiting.add(partition)
    if (this.#isSending) return
    this.#isSending = true
    // Whatever else this turn proposes goes along.
    this.#env.scheduler.afterTurn(() => void this.#sendAll())
  }

  close(): void {
    this.#closed.abort()
    this.#waiting.clear()
  }

  async #sendAll(): Promise<void> {
    while (this.#waiting.size > 0 && !this.#closed.signal.aborted) {
      const isAnswered = await this.#send(this.#take())
      if (!isAnswered) await new Promise<void>((resolve) => this.#env.timers.after(RETRY_MS, resolve))
    }
    this.#isSending = false
  }

  #take(): Proposal[] {
    const proposals: Proposal[] = []
    for (const partition of this.#waiting) {
      if (proposals.length >= BATCH_MAX) break
      this.#waiting.delete(partition)
      const change = partition.isrChange
      if (change !== null) proposals.push({ partition, change })
    }
    return proposals
  }

  /** False when something has to be sent again, and not at once. */
  async #send(proposals: readonly Proposal[]): Promise<boolean> {
    if (proposals.length === 0) return true
    const { nodeId, brokerEpoch, calls } = this.#options
    const request = { brokerId: nodeId, brokerEpoch: brokerEpoch(), topics: topicsOf(proposals) }
    let problem: string
    try {
      const { signal } = this.#closed
      const { errorCode, topics } = await calls.call(alterPartition, VERSION, request, { timeoutMs: TIMEOUT_MS, signal })
      if (errorCode === ErrorCode.NONE) return this.#answered(proposals, topics.flatMap(answersOf))
      problem = errorName(errorCode)
    } catch (error) {
      if (!(error instanceof ControllerUnavailable)) throw error
      problem = error.message
    }
    if (this.#closed.signal.aborted) return true
    this.#env.log.write('warn', 'in-sync sets are not changed yet', { partitions: proposals.length, reason: problem })
    for (const { partition } of proposals) this.#waiting.add(partition)
    return false
  }

  #answered(proposals: readonly Proposal[], answers: readonly (readonly [string, Answer])[]): boolean {
    const byPartition = new Map(answers)
    let isSettled = true
    for (const proposal of proposals) {
      const answer = byPartition.get(keyOf(proposal.partition.topicId, proposal.partition.partition))
      isSettled = this.#settle(proposal, answer) && isSettled
    }
    return isSettled
  }

  #settle({ partition, change }: Proposal, answer: Answer | undefined): boolean {
    const isr = change.isr.map(({ brokerId }) => brokerId).join(',')
    const fields = { topic: partition.topic, partition: partition.partition, isr, leaderEpoch: change.leaderEpoch }
    const errorCode = answer?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR
    if (answer !== undefined && errorCode === ErrorCode.NONE) {
      this.#env.log.write('info', 'in-sync set changed', fields)
      partition.isrChanged(change, { ...answer, leaderRecoveryState: answer.leaderRecoveryState as LeaderRecoveryState })
      return true
    }
    this.#env.log.write('info', 'in-sync set not changed', { ...fields, reason: errorName(errorCode) })
    if (refusedForGood.has(errorCode)) partition.isrChangeRefused(change)
    if (refusedForGood.has(errorCode) || outdated.has(errorCode)) return true
    if (partition.isrChange === change) this.#waiting.add(partition)
    return false
  }
}

function topicsOf(proposals: readonly Proposal[]) {
  const topics = new Map<string, Proposal[]>()
  for (const proposal of proposals) {
    const { topicId } = proposal.partition
    const known = topics.get(topicId)
    if (known === undefined) topics.set(topicId, [proposal])
    else known.push(proposal)
  }
  return Array.from(topics, ([topicId, ofTopic]) => ({
    topicId,
    partitions: ofTopic.map(({ partition, change: { isr, ...change } }) => ({
      ...change,
      partitionIndex: partition.partition,
      newIsr: [],
      newIsrWithEpochs: isr.map((member) => ({ ...member })),
    })),
  }))
}

function answersOf({ topicId, partitions }: { topicId: string; partitions: readonly Answer[] }): (readonly [string, Answer])[] {
  return partitions.map((answer) => [keyOf(topicId, answer.partitionIndex), answer])
}

function keyOf(topicId: string, partition: number): string {
  return `${topicId}/${partition}`
}
