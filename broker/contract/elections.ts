/**
 * Preferred leader election: leadership goes back to the first replica of each partition, as it drifts away when brokers end and
 * return. Previewed first; nothing is copied, so it is over in moments.
 */
import { type } from '@orpc/contract'
import * as v from 'valibot'
import { procedure } from './base.ts'
import { clusterId, topicName } from './common.ts'

/** Partitions listed one by one in a preview or a result; counts say how many there are. */
export const electionRowsMax = 500

/** A partition that is not led by its preferred replica. */
export interface LeaderChange {
  readonly topic: string
  readonly partition: number
  /** `null`: it has no leader now. */
  readonly from: number | null
  /** Its preferred replica. */
  readonly to: number
}

export interface BlockedElection extends LeaderChange {
  /** Why the preferred replica cannot lead now: one sentence. */
  readonly reason: string
}

/** How many of the partitions in question a broker leads. */
export interface BrokerLeads {
  readonly brokerId: number
  readonly isAlive: boolean
  readonly now: number
  /** After the election. */
  readonly then: number
}

export interface ElectionPreview {
  readonly asOfMs: number
  /** `null`: the whole cluster. */
  readonly topic: string | null
  readonly partitionCount: number
  /** Partitions that get another leader; by topic and partition. */
  readonly changes: readonly LeaderChange[]
  readonly changeTotal: number
  readonly blocked: readonly BlockedElection[]
  readonly blockedTotal: number
  readonly brokers: readonly BrokerLeads[]
}

export interface ElectionOutcome extends LeaderChange {
  /** Why it did not get its preferred leader; `null` when it did. */
  readonly failure: string | null
}

export interface ElectionResult {
  /** Failed ones first. */
  readonly outcomes: readonly ElectionOutcome[]
  readonly electedCount: number
  readonly failedCount: number
  /** `null` when there was nothing to do. */
  readonly activityId: number | null
}

/** `topic: null`: every topic, internal ones too. */
const electionInput = v.object({ clusterId, topic: v.optional(v.nullable(topicName), null) })

export const electionsContract = {
  preview: procedure.input(electionInput).output(type<ElectionPreview>()),
  /** Elects wherever the preferred replica is in sync by then; each partition succeeds or fails for itself. */
  run: procedure.input(electionInput).output(type<ElectionResult>()),
}
