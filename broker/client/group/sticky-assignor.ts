/**
 * The cooperative sticky assignor (KIP-429): balanced, moving as little as possible, and never handing a partition over
 * before its old owner has let go of it.
 *
 * A partition that moves is left out of the round's assignment; its owner, seeing that it lost it, rejoins without it,
 * and the next round gives it away. Balanced: no partition could move to a subscriber with two fewer.
 */
import type { TopicPartition } from '../basic-types.ts'
import type { Assignment, AssignorMember, PartitionCounts } from './assignor-types.ts'

interface Share {
  readonly memberId: string
  readonly topics: ReadonlySet<string>
  readonly partitions: Map<string, TopicPartition>
}

export function assignCooperatively(members: readonly AssignorMember[], partitionCounts: PartitionCounts): Assignment {
  const shares = members.map(({ memberId, subscription }) => ({
    memberId,
    topics: new Set(subscription.topics),
    partitions: new Map<string, TopicPartition>(),
  }))
  keepOwned(shares, members, partitionCounts)
  giveUnassigned(shares, partitionCounts)
  balance(shares)
  return withoutHandovers(shares, members)
}

/** Everyone begins with what it owns, the newest claim counting; two claims of one generation cancel out. */
function keepOwned(shares: readonly Share[], members: readonly AssignorMember[], partitionCounts: PartitionCounts): void {
  const claims = new Map<string, { readonly owner: Share | null; readonly generationId: number; readonly claimed: TopicPartition }>()
  members.forEach(({ subscription }, index) => {
    const { ownedPartitions, generationId } = subscription
    for (const claimed of ownedPartitions) {
      const key = keyOf(claimed)
      const rival = claims.get(key)
      if (rival !== undefined && rival.generationId > generationId) continue
      const isTied = rival !== undefined && rival.generationId === generationId
      claims.set(key, { owner: isTied ? null : (shares[index] as Share), generationId, claimed })
    }
  })
  for (const [key, { owner, claimed }] of claims) {
    const exists = claimed.partition < (partitionCounts.get(claimed.topic) ?? 0)
    if (owner !== null && exists && owner.topics.has(claimed.topic)) owner.partitions.set(key, claimed)
  }
}

function giveUnassigned(shares: readonly Share[], partitionCounts: PartitionCounts): void {
  const assigned = new Set(shares.flatMap(({ partitions }) => [...partitions.keys()]))
  for (const [topic, count] of [...partitionCounts].sort(([left], [right]) => (left < right ? -1 : 1))) {
    const subscribers = shares.filter(({ topics }) => topics.has(topic))
    if (subscribers.length === 0) continue
    for (let partition = 0; partition < count; partition++) {
      const key = keyOf({ topic, partition })
      if (!assigned.has(key)) leastLoaded(subscribers).partitions.set(key, { topic, partition })
    }
  }
}

/** Each move takes from one with at least two more than the receiver, so the sum of squares falls and this ends. */
function balance(shares: readonly Share[]): void {
  const subscribersOf = new Map<string, Share[]>()
  const subscribers = (topic: string): Share[] => {
    let list = subscribersOf.get(topic)
    if (list === undefined) {
      list = shares.filter(({ topics }) => topics.has(topic))
      subscribersOf.set(topic, list)
    }
    return list
  }
  for (let moved = true; moved;) {
    moved = false
    for (const share of shares.toSorted((left, right) => right.partitions.size - left.partitions.size)) {
      for (const [key, partition] of [...share.partitions]) {
        const receiver = leastLoaded(subscribers(partition.topic))
        if (share.partitions.size - receiver.partitions.size < 2) continue
        share.partitions.delete(key)
        receiver.partitions.set(key, partition)
        moved = true
      }
    }
  }
}

function withoutHandovers(shares: readonly Share[], members: readonly AssignorMember[]): Assignment {
  const claimants = new Map<string, string[]>()
  for (const { memberId, subscription } of members) {
    for (const owned of subscription.ownedPartitions) {
      const key = keyOf(owned)
      claimants.set(key, [...(claimants.get(key) ?? []), memberId])
    }
  }
  return new Map(
    shares.map(({ memberId, partitions }) => [
      memberId,
      Array.from(partitions)
        .filter(([key]) => (claimants.get(key) ?? []).every((claimant) => claimant === memberId))
        .map(([, partition]) => partition),
    ]),
  )
}

function leastLoaded(shares: readonly Share[]): Share {
  let least = shares[0] as Share
  for (const share of shares) {
    const isLess = share.partitions.size < least.partitions.size
    if (isLess || (share.partitions.size === least.partitions.size && share.memberId < least.memberId)) least = share
  }
  return least
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic} ${partition}`
}
