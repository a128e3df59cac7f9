/** How much each broker carries while a plan is made, and which racks replicas are spread over. */
import type { PlanBroker, PlanInput } from './plan-types.ts'

/** Counts by broker; a broker nobody counted has none. */
export class Tally {
  readonly #counts = new Map<number, number>()

  of(id: number): number {
    return this.#counts.get(id) ?? 0
  }

  add(id: number, amount = 1): void {
    this.#counts.set(id, this.of(id) + amount)
  }
}

export interface ClusterLoad {
  readonly replicas: Tally
  readonly leaders: Tally
  readonly bytes: Tally
}

export function clusterLoad({ partitions }: PlanInput): ClusterLoad {
  const load = { replicas: new Tally(), leaders: new Tally(), bytes: new Tally() }
  for (const { replicas, bytes } of partitions) {
    for (const id of replicas) {
      load.replicas.add(id)
      load.bytes.add(id, bytes ?? 0)
    }
    if (replicas[0] !== undefined) load.leaders.add(replicas[0])
  }
  return load
}

/** Racks count only where every broker has one, as Kafka itself has it: else nothing is known of what fails together. */
export class Racks {
  readonly #rackOf: ReadonlyMap<number, string>

  constructor(brokers: readonly PlanBroker[]) {
    const known = brokers.flatMap(({ id, rack }) => (rack === null ? [] : [[id, rack] as const]))
    this.#rackOf = new Map(known.length === brokers.length ? known : [])
  }

  /** Racks there are; 0 when they are not known. */
  get count(): number {
    return new Set(this.#rackOf.values()).size
  }

  /** Racks these replicas are in. A broker whose rack is not known is in none. */
  span(replicas: readonly number[]): number {
    return new Set(replicas.flatMap((id) => this.#rackOf.get(id) ?? [])).size
  }

  /** Whether this replica adds a rack to the others. */
  adds(id: number, others: readonly number[]): boolean {
    return this.span([...others, id]) > this.span(others)
  }
}

/** The candidate with the smallest first key; of equals the smallest second, and so on. Throws when there is none. */
export function least<Candidate>(candidates: readonly Candidate[], ...keys: readonly ((candidate: Candidate) => number)[]): Candidate {
  const [first, ...rest] = candidates
  if (first === undefined) throw new Error('there is nothing to choose from')
  return rest.reduce((best, candidate) => {
    for (const key of keys) {
      const difference = key(candidate) - key(best)
      if (difference !== 0) return difference < 0 ? candidate : best
    }
    return best
  }, first)
}

export const self = (id: number): number => id
