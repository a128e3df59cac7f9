/**
 * One topic over chosen brokers, evenly; or with more or fewer replicas where it is.
 *
 * What is kept, in this order: a partition's replicas are on distinct brokers and, where racks are known, in as many racks as it can
 * have; each broker has as many of the topic's replicas as the others, give or take one (racks of unequal size may forbid it); as few
 * replicas move as that takes; each broker is preferred leader of as many partitions as the others.
 */
import { balanceLeaders } from './leader-order.ts'
import { clusterLoad, least, Racks, self, Tally, type ClusterLoad } from './load.ts'
import { planOf, type Plan, type PlanInput, type PlanPartition } from './plan-types.ts'

/** A partition while its plan is made. */
interface Draft {
  readonly partition: PlanPartition
  readonly replicas: number[]
}

/** `replicationFactor: null`: each partition keeps its own. The caller has seen that there are brokers enough. */
export function planSpread(input: PlanInput, topic: string, brokerIds: readonly number[], replicationFactor: number | null): Plan {
  const targets = input.brokers.filter(({ id }) => brokerIds.includes(id))
  const { drafts, blocked } = draftsOf(input, topic, (replicas) => replicas.filter((id) => brokerIds.includes(id)))
  const spread = new Spread(
    targets.map(({ id }) => id),
    new Racks(targets),
    clusterLoad(input),
    drafts,
  )
  for (const draft of drafts) spread.resize(draft, replicationFactor ?? draft.partition.replicas.length)
  for (const draft of drafts) spread.repairRacks(draft)
  spread.level()
  spread.giveBack(drafts)
  balanceLeaders(drafts, spread.targets)
  return { ...planOf(drafts), blocked }
}

/** Replicas that stay are left where they are, in their order. */
export function planReplicationFactor(input: PlanInput, topic: string, replicationFactor: number): Plan {
  const { drafts, blocked } = draftsOf(input, topic, (replicas) => [...replicas])
  const spread = new Spread(
    input.brokers.map(({ id }) => id),
    new Racks(input.brokers),
    clusterLoad(input),
    drafts,
  )
  for (const draft of drafts) spread.resize(draft, replicationFactor)
  return { ...planOf(drafts), blocked }
}

function draftsOf(input: PlanInput, topic: string, kept: (replicas: readonly number[]) => number[]) {
  const own = input.partitions.filter((partition) => partition.topic === topic)
  const drafts = own.filter(({ leader }) => leader !== null).map((partition): Draft => ({ partition, replicas: kept(partition.replicas) }))
  const blocked = own
    .filter(({ leader }) => leader === null)
    .map(({ partition, replicas }) => ({ topic, partition, replicas, reason: 'It has no leader, so nothing can be copied from it.' }))
  return { drafts, blocked }
}

class Spread {
  readonly targets: readonly number[]
  readonly #racks: Racks
  readonly #load: ClusterLoad
  /** Replicas of the topic by broker. */
  readonly #counts = new Tally()
  /** Drafts with a replica on a broker: moved there by the plan, or there before. */
  readonly #movedTo = new Map<number, Set<Draft>>()
  readonly #keptOn = new Map<number, Set<Draft>>()

  constructor(targets: readonly number[], racks: Racks, load: ClusterLoad, drafts: readonly Draft[]) {
    this.targets = targets
    this.#racks = racks
    this.#load = load
    for (const id of new Set([...targets, ...drafts.flatMap(({ replicas }) => replicas)])) {
      this.#movedTo.set(id, new Set())
      this.#keptOn.set(id, new Set())
    }
    for (const draft of drafts) for (const id of draft.replicas) this.#note(draft, id)
  }

  resize(draft: Draft, wished: number): void {
    while (draft.replicas.length > wished) this.#drop(draft, this.#leastNeeded(draft))
    // Replicas on brokers that are down count too: then there may be no further live broker.
    while (draft.replicas.length < wished && this.targets.some((id) => !draft.replicas.includes(id))) {
      this.#add(draft, this.#bestNew(draft, draft.replicas))
    }
  }

  /** Replaces replicas that share a rack while there is a rack without one. */
  repairRacks(draft: Draft): void {
    const wished = Math.min(draft.replicas.length, this.#racks.count)
    while (this.#racks.span(draft.replicas) < wished) {
      const shared = draft.replicas.filter((id) => !this.#racks.adds(id, others(draft, id)))
      const leaving = least(
        shared,
        (id) => (isKept(draft, id) ? 1 : 0),
        (id) => -this.#counts.of(id),
        self,
      )
      const arriving = this.#bestNew(draft, others(draft, leaving))
      this.#replace(draft, leaving, arriving)
    }
  }

  /** Moves replicas from brokers with most to brokers with fewest, until none has two more than another or racks forbid it. */
  level(): void {
    for (;;) {
      const fullestFirst = this.targets.toSorted((a, b) => this.#counts.of(b) - this.#counts.of(a) || this.#compareLoad(b, a))
      const emptiestFirst = fullestFirst.toReversed()
      if (!fullestFirst.some((full) => emptiestFirst.some((empty) => this.#relieve(full, empty)))) return
    }
  }

  /** Returns replicas to brokers they were moved from, where another partition's new replica can go instead: the counts stay, less moves. */
  giveBack(drafts: readonly Draft[]): void {
    for (const draft of drafts) {
      const left = draft.partition.replicas.filter((id) => this.targets.includes(id) && !draft.replicas.includes(id))
      for (const id of left) this.#exchange(draft, id)
    }
  }

  #exchange(draft: Draft, former: number): void {
    for (const present of draft.replicas.filter((id) => !isKept(draft, id))) {
      if (this.#racks.span([...others(draft, present), former]) < this.#racks.span(draft.replicas)) continue
      for (const other of this.#movedTo.get(former) ?? []) {
        if (other.replicas.includes(present)) continue
        if (this.#racks.span([...others(other, former), present]) < this.#racks.span(other.replicas)) continue
        this.#replace(draft, present, former)
        this.#replace(other, former, present)
        return
      }
    }
  }

  #relieve(full: number, empty: number): boolean {
    if (this.#counts.of(full) - this.#counts.of(empty) < 2) return false
    // What moves anyway goes first: it costs nothing more.
    for (const drafts of [this.#movedTo.get(full), this.#keptOn.get(full)]) {
      for (const draft of drafts ?? []) {
        if (draft.replicas.includes(empty)) continue
        if (this.#racks.span([...others(draft, full), empty]) < this.#racks.span(draft.replicas)) continue
        this.#replace(draft, full, empty)
        return true
      }
    }
    return false
  }

  /** Dead and lagging replicas first, then those whose rack has another, then where most are; the leader last. */
  #leastNeeded(draft: Draft): number {
    const { isr, leader } = draft.partition
    return least(
      draft.replicas,
      (id) => (isr.includes(id) ? 1 : 0),
      (id) => (id === leader ? 1 : 0),
      (id) => (this.#racks.adds(id, others(draft, id)) && this.#racks.count > 0 ? 1 : 0),
      (id) => (id === draft.partition.replicas[0] ? 1 : 0),
      (id) => -this.#counts.of(id),
      (id) => -this.#load.replicas.of(id),
      self,
    )
  }

  #bestNew(draft: Draft, present: readonly number[]): number {
    const candidates = this.targets.filter((id) => !draft.replicas.includes(id))
    return least(
      candidates,
      (id) => (this.#racks.adds(id, present) ? 0 : 1),
      (id) => this.#counts.of(id) - (isKept(draft, id) ? 1 : 0),
      (id) => this.#load.replicas.of(id),
      (id) => this.#load.bytes.of(id),
      self,
    )
  }

  #compareLoad(left: number, right: number): number {
    return this.#load.replicas.of(left) - this.#load.replicas.of(right) || left - right
  }

  #add(draft: Draft, id: number): void {
    draft.replicas.push(id)
    this.#note(draft, id)
    this.#load.replicas.add(id)
    this.#load.bytes.add(id, draft.partition.bytes ?? 0)
  }

  #drop(draft: Draft, id: number): void {
    draft.replicas.splice(draft.replicas.indexOf(id), 1)
    this.#forget(draft, id)
  }

  #replace(draft: Draft, leaving: number, arriving: number): void {
    draft.replicas[draft.replicas.indexOf(leaving)] = arriving
    this.#forget(draft, leaving)
    this.#note(draft, arriving)
    this.#load.replicas.add(arriving)
    this.#load.bytes.add(arriving, draft.partition.bytes ?? 0)
  }

  #note(draft: Draft, id: number): void {
    this.#counts.add(id)
    this.#placeOf(draft, id)?.add(draft)
  }

  #forget(draft: Draft, id: number): void {
    this.#counts.add(id, -1)
    this.#placeOf(draft, id)?.delete(draft)
    this.#load.replicas.add(id, -1)
    this.#load.bytes.add(id, -(draft.partition.bytes ?? 0))
  }

  #placeOf(draft: Draft, id: number): Set<Draft> | undefined {
    return (isKept(draft, id) ? this.#keptOn : this.#movedTo).get(id)
  }
}

function others({ replicas }: Draft, id: number): readonly number[] {
  return replicas.filter((other) => other !== id)
}

function isKept({ partition }: Draft, id: number): boolean {
  return partition.replicas.includes(id)
}
