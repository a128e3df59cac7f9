/** What a plan is made from and what it says; pure data. */

/** A live broker: only those are given replicas. */
export interface PlanBroker {
  readonly id: number
  readonly rack: string | null
}

export interface PlanPartition {
  readonly topic: string
  readonly partition: number
  /** In order: the first is the preferred leader. */
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  readonly leader: number | null
  /** Of the leader's copy; `null` when not known. */
  readonly bytes: number | null
}

/** The whole cluster: what is not to be moved counts as load. */
export interface PlanInput {
  readonly brokers: readonly PlanBroker[]
  readonly partitions: readonly PlanPartition[]
}

export interface Move {
  readonly topic: string
  readonly partition: number
  readonly before: readonly number[]
  readonly after: readonly number[]
}

export interface BlockedPartition {
  readonly topic: string
  readonly partition: number
  readonly replicas: readonly number[]
  /** Why it cannot move: one sentence. */
  readonly reason: string
}

export interface Plan {
  readonly moves: readonly Move[]
  readonly blocked: readonly BlockedPartition[]
  /** Looked at and left as they are. */
  readonly unchangedCount: number
}

export function added({ before, after }: Pick<Move, 'before' | 'after'>): readonly number[] {
  return after.filter((id) => !before.includes(id))
}

export function removed({ before, after }: Pick<Move, 'before' | 'after'>): readonly number[] {
  return before.filter((id) => !after.includes(id))
}

export function sameOrder(left: readonly number[], right: readonly number[]): boolean {
  return left.length === right.length && left.every((id, at) => id === right[at])
}

/** `before` as it is and `after` as planned, counted. */
export function planOf(
  drafts: readonly { readonly partition: PlanPartition; readonly replicas: readonly number[] }[],
): Omit<Plan, 'blocked'> {
  const moves = drafts
    .filter(({ partition, replicas }) => !sameOrder(partition.replicas, replicas))
    .map(({ partition: { topic, partition, replicas: before }, replicas: after }) => ({ topic, partition, before, after: [...after] }))
  return { moves, unchangedCount: drafts.length - moves.length }
}

/** Partitions a journal entry lists one by one. */
const wordsMax = 200

/** Replicas by partition, for the journal. */
export function movesInWords(moves: readonly Move[], side: 'before' | 'after'): Readonly<Record<string, string>> {
  const listed = moves.slice(0, wordsMax).map((move) => [`${move.topic}-${move.partition}`, move[side].join(', ')] as const)
  const more = moves.length - listed.length
  return Object.fromEntries(more === 0 ? listed : [...listed, [`${more} more partitions`, side]])
}
