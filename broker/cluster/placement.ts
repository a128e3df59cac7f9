/**
 * Where the replicas of new partitions go: leaders in turn over the brokers that are up, followers over different racks first
 * and different brokers always. A function of the brokers and of a starting point, so every run places alike.
 */
import type { MetadataImage } from './image.ts'

export interface UsableBroker {
  readonly id: number
  readonly rack: string | null
  /** May lead at once; a fenced broker may only be given a follower. */
  readonly isActive: boolean
}

export type Placement = { readonly assignments: readonly (readonly number[])[] } | { readonly problem: string }

/** Registered brokers that are not on their way out, fenced ones too (as in Kafka), in the order they are used: by id, racks taking turns. */
export function usableBrokers(image: MetadataImage): readonly UsableBroker[] {
  const byRack = new Map<string, UsableBroker[]>()
  for (const { id, rack, inControlledShutdown } of [...image.brokers.values()].sort((one, other) => one.id - other.id)) {
    if (inControlledShutdown) continue
    const key = rack ?? ''
    const sameRack = byRack.get(key) ?? []
    byRack.set(key, sameRack)
    sameRack.push({ id, rack, isActive: image.isActive(id) })
  }
  const racks = [...byRack].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, brokers]) => brokers)
  const longest = Math.max(0, ...racks.map((brokers) => brokers.length))
  return Array.from({ length: longest }, (_, turn) => racks.flatMap((brokers) => brokers.slice(turn, turn + 1))).flat()
}

/**
 * Places `partitionCount` partitions. `startIndex` says whose turn it is to lead; callers pass the number of partitions there
 * are, so that topics with one partition do not all land on the same broker.
 */
export function placeReplicas(
  brokers: readonly UsableBroker[],
  request: { readonly partitionCount: number; readonly replicationFactor: number; readonly startIndex: number },
): Placement {
  const { partitionCount, replicationFactor, startIndex } = request
  const leaders = brokers.filter(({ isActive }) => isActive)
  if (replicationFactor > brokers.length) {
    return { problem: `A replication factor of ${replicationFactor} needs as many brokers, and ${usableText(brokers.length)}.` }
  }
  if (leaders.length === 0) return { problem: 'No broker is up to lead a new partition.' }
  const assignments = Array.from({ length: partitionCount }, (_, partition) => {
    const turn = startIndex + partition
    const leader = leaders[turn % leaders.length]!
    // A different distance in each round, or the same pairs of brokers would share all their partitions.
    const distance = 1 + (Math.floor(turn / leaders.length) % Math.max(1, brokers.length - 1))
    return [leader.id, ...followersOf(leader, brokers, distance, replicationFactor - 1)]
  })
  return { assignments }
}

function usableText(count: number): string {
  return `${count} ${count === 1 ? 'is' : 'are'} registered and not shutting down`
}

function followersOf(leader: UsableBroker, brokers: readonly UsableBroker[], distance: number, count: number): number[] {
  const others = brokers.length - 1
  const from = brokers.findIndex(({ id }) => id === leader.id)
  const inTurn = Array.from({ length: others }, (_, index) => brokers[(from + 1 + ((distance - 1 + index) % others)) % brokers.length]!)
  const chosen: UsableBroker[] = []
  const racks = new Set([leader.rack])
  const take = (isWanted: (broker: UsableBroker) => boolean): void => {
    for (const broker of inTurn) {
      if (chosen.length === count || chosen.includes(broker) || !isWanted(broker)) continue
      chosen.push(broker)
      racks.add(broker.rack)
    }
  }
  take(({ isActive, rack }) => isActive && !racks.has(rack))
  take(({ isActive }) => isActive)
  take(({ rack }) => !racks.has(rack))
  take(() => true)
  return chosen.map(({ id }) => id)
}
