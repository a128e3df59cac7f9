/**
 * Reassignment: replicas move to other brokers. A plan is previewed, then run as it was shown; it goes on while nobody looks and
 * when the console is started again. At most one run per cluster. What others started (Kafka's own tools) is shown beside it.
 *
 *   starting -> running -> finishing -> done       each partition arrived, failed, or was taken back by somebody
 *   running  -> cancelling -> finishing -> cancelled   by a person, or because the time given was over
 *   starting -> failed                             nothing was moved
 *
 * `finishing` removes the throttle and hands leadership to the preferred replicas.
 */
import { type } from '@orpc/contract'
import * as v from 'valibot'
import { procedure } from './base.ts'
import { clusterId, ofCluster, topicName } from './common.ts'
import type { Problem } from './errors.ts'
import { streamOf } from './stream.ts'

/** Partitions listed one by one in a preview or a state; counts say how many there are. */
export const reassignmentRowsMax = 500
/** Partitions one run may move; what goes beyond needs another run. */
export const reassignmentMovesMax = 10_000
export const giveUpAfterMsMin = 60_000
export const giveUpAfterMsMax = 30 * 86_400_000
const giveUpAfterMsDefault = 86_400_000

const brokerId = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(2 ** 31 - 1))
const replicationFactor = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100))
/** Per broker, for what is copied; `null`: as fast as it goes. */
const throttleBytesPerSecond = v.nullable(v.pipe(v.number(), v.safeInteger(), v.minValue(1)))

export const reassignmentGoal = v.variant('kind', [
  /** The topic on these brokers, evenly. `replicationFactor: null`: each partition keeps its own. */
  v.object({
    kind: v.literal('spread'),
    topic: topicName,
    brokers: v.pipe(v.array(brokerId), v.minLength(1), v.maxLength(1_000)),
    replicationFactor: v.optional(v.nullable(replicationFactor), null),
  }),
  /** More or fewer replicas; those that stay are left where they are. */
  v.object({ kind: v.literal('replication-factor'), topic: topicName, replicationFactor }),
  /** No replica of any topic stays on this broker. */
  v.object({ kind: v.literal('empty-broker'), brokerId }),
])
export type ReassignmentGoal = v.InferOutput<typeof reassignmentGoal>

/** Replicas are in order: the first is the preferred leader. */
export interface PlannedMove {
  readonly topic: string
  readonly partition: number
  readonly before: readonly number[]
  readonly after: readonly number[]
  readonly adding: readonly number[]
  readonly removing: readonly number[]
  /** To be copied: the leader's size for each replica added; `null` when its size is not known. 0: only the order changes. */
  readonly bytes: number | null
}

export interface BlockedMove {
  readonly topic: string
  readonly partition: number
  readonly replicas: readonly number[]
  /** Why it cannot move: one sentence. */
  readonly reason: string
}

/** What a broker holds before and after, over the whole cluster. */
export interface BrokerLoad {
  readonly brokerId: number
  readonly rack: string | null
  readonly isAlive: boolean
  readonly replicasBefore: number
  readonly replicasAfter: number
  /** Partitions it is the preferred leader of. */
  readonly leadersBefore: number
  readonly leadersAfter: number
  /** To be copied to it; sizes that are not known count as 0. */
  readonly bytesIn: number
}

export interface ReassignmentPreview {
  /** To start exactly this plan; `null` when there is nothing to move. */
  readonly planId: string | null
  /** What it does, as `Move orders to brokers 2 and 3`. */
  readonly title: string
  /** What has to be typed to start it. */
  readonly confirmName: string
  readonly moves: readonly PlannedMove[]
  readonly moveTotal: number
  /** Partitions looked at that stay as they are. */
  readonly unchangedCount: number
  readonly blocked: readonly BlockedMove[]
  readonly blockedTotal: number
  /** To be copied in all; sizes that are not known count as 0, and a warning says so. */
  readonly bytes: number
  readonly brokers: readonly BrokerLoad[]
  readonly warnings: readonly string[]
}

export type ReassignmentStatus = 'starting' | 'running' | 'cancelling' | 'finishing' | 'done' | 'cancelled' | 'failed'

export interface ReassignmentRun {
  readonly runId: string
  readonly title: string
  /** `null`: it is about several topics. */
  readonly topic: string | null
  readonly status: ReassignmentStatus
  readonly startedMs: number
  readonly endedMs: number | null
  /** It is cancelled when it has not arrived by then. */
  readonly giveUpAtMs: number
  readonly throttleBytesPerSecond: number | null
  readonly partitionTotal: number
  readonly doneCount: number
  readonly failedCount: number
  /** Went back to where they were. */
  readonly cancelledCount: number
  /** Of what is copied; `null` until sizes are known. */
  readonly bytesTotal: number | null
  readonly bytesCopied: number | null
  readonly bytesPerSecond: number | null
  /** When a partition arrived or bytes were seen to come, last. */
  readonly progressedMs: number
  /** The entry in Activity that takes it back; `null` until it is written. */
  readonly activityId: number | null
  /** What hinders it now, or why it failed. */
  readonly problem: Problem | null
  /** Once it is over: what moved, and what stayed as it was. */
  readonly summary: string | null
}

export interface MovingPartition {
  readonly topic: string
  readonly partition: number
  readonly state: 'waiting' | 'moving' | 'done' | 'failed' | 'cancelled'
  /** Who started it: this console's run, or somebody else. */
  readonly origin: 'run' | 'elsewhere'
  readonly before: readonly number[]
  readonly after: readonly number[]
  readonly adding: readonly number[]
  readonly removing: readonly number[]
  /** Of `adding`, those in sync. */
  readonly caughtUp: readonly number[]
  /** Of all added replicas together; `null` when not known. */
  readonly bytesTotal: number | null
  readonly bytesCopied: number | null
  /** What hinders it, or why it failed. */
  readonly problem: string | null
}

export interface ReassignmentState {
  readonly asOfMs: number
  /** The one under way, or the last one until it is dismissed. */
  readonly run: ReassignmentRun | null
  /** Those under way first, then failed ones, then the rest; by topic and partition. */
  readonly partitions: readonly MovingPartition[]
  readonly partitionTotal: number
  /** Under way and not of the run, over the whole cluster. */
  readonly elsewhereCount: number
  /** False where brokers lack the API (before Kafka 2.4). */
  readonly isSupported: boolean
  readonly gaps: readonly string[]
}

export interface LimitChange {
  /** Brokers that take part and are down: they keep the limit they had. */
  readonly missedBrokers: readonly number[]
  readonly activityId: number
}

export const reassignmentsContract = {
  /** Computes a plan and keeps it for `start`; nothing changes. */
  preview: procedure.input(v.object({ clusterId, goal: reassignmentGoal })).output(type<ReassignmentPreview>()),
  /**
   * Runs a plan as it was shown. Rejects with `PLAN_OUTDATED` when replicas have changed since, `REASSIGNMENT_CONFLICT` when a run is
   * under way, `CONFIRMATION_MISMATCH`. Resolves once it is written down; see `watch`. Activity can take it back.
   */
  start: procedure
    .input(
      v.object({
        clusterId,
        planId: v.pipe(v.string(), v.maxLength(100)),
        confirmName: v.string(),
        /** Set for the run and removed at its end. */
        throttleBytesPerSecond: v.optional(throttleBytesPerSecond, null),
        giveUpAfterMs: v.optional(
          v.pipe(v.number(), v.safeInteger(), v.minValue(giveUpAfterMsMin), v.maxValue(giveUpAfterMsMax)),
          giveUpAfterMsDefault,
        ),
      }),
    )
    .output(type<ReassignmentRun>()),
  /**
   * Gives a run that is moving another limit. Rejects with `REASSIGNMENT_CONFLICT` when it is not moving, or is not the run under way;
   * when a broker refuses, the limit is the former one. Resolves when the brokers have it.
   */
  setLimit: procedure
    .input(v.object({ clusterId, runId: v.pipe(v.string(), v.maxLength(100)), throttleBytesPerSecond }))
    .output(type<LimitChange>()),
  /**
   * `run`: what has not arrived goes back to where it was; what has arrived stays. `elsewhere`: the same for what others started.
   * Resolves when the controller has taken it.
   */
  cancel: procedure
    .input(v.object({ clusterId, what: v.picklist(['run', 'elsewhere']) }))
    .output(type<{ readonly cancelledCount: number; readonly activityId: number | null }>()),
  /** Forgets a run that is over. */
  dismiss: procedure.input(ofCluster).output(type<null>()),
  /** At most once a second; `topic` narrows `partitions`. */
  watch: procedure.input(v.object({ clusterId, topic: v.optional(v.nullable(topicName), null) })).output(streamOf<ReassignmentState>()),
}
