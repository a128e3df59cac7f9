/**
 * Where each partition of a run is, from what the cluster says: a pure step from one look to the next.
 *
 *   waiting -> moving: the controller has taken it
 *   waiting -> failed: the controller has refused it
 *   moving  -> done: it has the replicas wished for
 *   moving  -> cancelled: it has the replicas it had before
 *   moving  -> failed: its topic is gone, or somebody gave it other replicas
 *   failed  -> moving: the controller had taken it, although its answer was lost
 *
 * The controller lists what moves; any broker says what replicas there are, and may be behind. So a partition that is listed no more
 * and does not have its replicas yet is looked at again, `looksMax` times.
 */
import type { OngoingReassignment } from '../../client/types.ts'
import type { MovingPartition } from '../../contract/reassignments.ts'
import { added, removed, sameOrder, type Move } from './plan-types.ts'

/** How often brokers may contradict the controller before they are believed. */
export const looksMax = 6

export interface TrackedMove extends Move {
  readonly state: MovingPartition['state']
  readonly problem: string | null
  readonly caughtUp: readonly number[]
  /** Of all replicas to be added; `null` when not known. */
  readonly bytesTotal: number | null
  readonly bytesCopied: number | null
  readonly looks: number
  /** The controller was told to take it back. */
  readonly isTakenBack: boolean
}

/** What was seen of one partition. */
export interface Sighting {
  /** As the controller lists it; `null`: it is not listed. */
  readonly ongoing: Pick<OngoingReassignment, 'replicas' | 'addingReplicas' | 'removingReplicas'> | null
  /** `null`: there is no such partition. */
  readonly present: { readonly replicas: readonly number[]; readonly isr: readonly number[]; readonly leader: number | null } | null
  /** By broker; `null` when not looked at this time. */
  readonly sizes: ReadonlyMap<number, number> | null
  readonly alive: ReadonlySet<number>
}

export function tracked(move: Move): TrackedMove {
  return { ...move, state: 'waiting', problem: null, caughtUp: [], bytesTotal: null, bytesCopied: null, looks: 0, isTakenBack: false }
}

export function isUnderWay({ state }: Pick<TrackedMove, 'state'>): boolean {
  return state === 'moving' || state === 'waiting'
}

/** The partition after one more look. What is over stays as it is. */
export function look(move: TrackedMove, seen: Sighting): TrackedMove {
  if (move.state === 'done' || move.state === 'cancelled' || move.state === 'waiting') return move
  if (seen.ongoing !== null && sameOrder(targetOf(seen.ongoing), move.after)) {
    return { ...move, ...copied(move, seen), state: 'moving', looks: 0, problem: hindrance(move, seen) }
  }
  if (move.state === 'failed') return move
  if (seen.present === null) return { ...move, state: 'failed', problem: 'Its topic was deleted.' }
  if (sameOrder(seen.present.replicas, move.after) && seen.ongoing === null) return arrived(move, seen)
  // A move taken back leaves the replicas in an order of its own.
  const isBack = sameMembers(seen.present.replicas, move.before) && seen.ongoing === null
  if (move.looks < looksMax && !(isBack && move.isTakenBack)) return { ...move, looks: move.looks + 1 }
  if (isBack) {
    return { ...move, state: 'cancelled', problem: null, caughtUp: [] }
  }
  return { ...move, state: 'failed', problem: `Somebody else gave it the replicas ${replicasIn(seen).join(', ')}.` }
}

/** Replicas a partition will have once what moves has arrived. */
export function targetOf({ replicas, removingReplicas }: Pick<OngoingReassignment, 'replicas' | 'removingReplicas'>): readonly number[] {
  return replicas.filter((id) => !removingReplicas.includes(id))
}

/** Where it was before it began to move. */
export function originOf({ replicas, addingReplicas }: Pick<OngoingReassignment, 'replicas' | 'addingReplicas'>): readonly number[] {
  return replicas.filter((id) => !addingReplicas.includes(id))
}

/** How much of what is added has been copied, by the sizes of the logs. */
export function copied(
  move: Move & Pick<TrackedMove, 'bytesTotal' | 'bytesCopied'>,
  { present, sizes }: Pick<Sighting, 'present' | 'sizes'>,
): Pick<TrackedMove, 'bytesTotal' | 'bytesCopied' | 'caughtUp'> {
  const adding = added(move)
  const caughtUp = adding.filter((id) => present?.isr.includes(id) === true)
  const leaderBytes = present?.leader == null ? undefined : sizes?.get(present.leader)
  if (sizes === null || leaderBytes === undefined) return { bytesTotal: move.bytesTotal, bytesCopied: move.bytesCopied, caughtUp }
  const bytesCopied = adding.reduce((total, id) => {
    return total + (caughtUp.includes(id) ? leaderBytes : Math.min(leaderBytes, sizes.get(id) ?? 0))
  }, 0)
  return { bytesTotal: leaderBytes * adding.length, bytesCopied, caughtUp }
}

/** What keeps it from arriving, as a sentence. */
export function hindrance(move: Move, { present, alive }: Pick<Sighting, 'present' | 'alive'>): string | null {
  const down = added(move).filter((id) => !alive.has(id))
  if (down.length > 0) return `Waits for ${namesOf(down)}, which ${down.length === 1 ? 'is' : 'are'} down.`
  if (present !== null && present.leader === null) return 'It has no leader, so nothing is copied.'
  return null
}

/** `broker 2`, `brokers 2, 3 and 4`. */
export function namesOf(ids: readonly number[]): string {
  if (ids.length === 1) return `broker ${ids[0]}`
  return `brokers ${ids.slice(0, -1).join(', ')} and ${ids.at(-1)}`
}

function arrived(move: TrackedMove, { present, sizes }: Sighting): TrackedMove {
  const { bytesTotal } = copied(move, { present, sizes })
  return { ...move, state: 'done', problem: null, caughtUp: added(move), bytesTotal, bytesCopied: bytesTotal, looks: 0 }
}

function sameMembers(left: readonly number[], right: readonly number[]): boolean {
  return left.length === right.length && left.every((id) => right.includes(id))
}

function replicasIn({ ongoing, present }: Sighting): readonly number[] {
  return ongoing === null ? (present?.replicas ?? []) : targetOf(ongoing)
}

/** As the screen has it. */
export function movingView(move: TrackedMove, origin: MovingPartition['origin']): MovingPartition {
  const { topic, partition, state, before, after, caughtUp, bytesTotal, bytesCopied, problem } = move
  return {
    topic,
    partition,
    state,
    origin,
    before,
    after,
    adding: added(move),
    removing: removed(move),
    caughtUp,
    bytesTotal,
    bytesCopied,
    problem,
  }
}
