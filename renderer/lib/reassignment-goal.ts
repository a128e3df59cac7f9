import type { ReassignmentGoal } from '../../broker/contract/reassignments.ts'

/** What a person has chosen for a topic so far. */
export interface GoalDraft {
  kind: 'spread' | 'replication-factor'
  brokers: readonly number[]
  /** `null`: each partition keeps its own. */
  replicationFactor: number | null
}

/** The wish as the host takes it; `null` while something is missing. */
export function goalOf(topic: string | null, brokerId: number | null, draft: GoalDraft): ReassignmentGoal | null {
  if (topic === null) return brokerId === null ? null : { kind: 'empty-broker', brokerId }
  if (draft.kind === 'replication-factor') {
    return draft.replicationFactor === null ? null : { kind: 'replication-factor', topic, replicationFactor: draft.replicationFactor }
  }
  if (draft.brokers.length === 0) return null
  return { kind: 'spread', topic, brokers: [...draft.brokers].sort((a, b) => a - b), replicationFactor: draft.replicationFactor }
}

export function withBroker(brokers: readonly number[], id: number, isChosen: boolean): readonly number[] {
  const others = brokers.filter((other) => other !== id)
  return isChosen ? [...others, id].sort((a, b) => a - b) : others
}
