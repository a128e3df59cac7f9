/** Who reads what: the leader of a classic group runs one of these over all members' subscriptions. Pure. */
import type { TopicPartition } from '../basic-types.ts'
import type { AssignorName } from '../group-types.ts'
import type { Assignment, Assignor, AssignorMember, PartitionCounts } from './assignor-types.ts'
import { assignCooperatively } from './sticky-assignor.ts'

export const assignors: Readonly<Record<AssignorName, Assignor>> = {
  range: assignRanges,
  roundrobin: assignInTurn,
  'cooperative-sticky': assignCooperatively,
}

/** Assignors whose members keep what they read while a rebalance goes on (KIP-429). */
export const cooperativeAssignors: ReadonlySet<AssignorName> = new Set<AssignorName>(['cooperative-sticky'])

/** Each topic by itself: its subscribers in order get consecutive partitions, the first ones one more where it does not divide. */
export function assignRanges(members: readonly AssignorMember[], partitionCounts: PartitionCounts): Assignment {
  const assignment = emptyAssignment(members)
  const ordered = inOrder(members)
  for (const topic of subscribedTopics(members)) {
    const subscribers = ordered.filter(({ subscription }) => subscription.topics.includes(topic))
    const partitionCount = partitionCounts.get(topic) ?? 0
    const share = Math.floor(partitionCount / subscribers.length)
    const extra = partitionCount % subscribers.length
    let next = 0
    subscribers.forEach(({ memberId }, index) => {
      const end = next + share + (index < extra ? 1 : 0)
      for (; next < end; next++) assignment.get(memberId)?.push({ topic, partition: next })
    })
  }
  return assignment
}

/** All partitions of all topics, dealt to the members in turn; who does not subscribe to the topic is passed over. */
export function assignInTurn(members: readonly AssignorMember[], partitionCounts: PartitionCounts): Assignment {
  const assignment = emptyAssignment(members)
  const ordered = inOrder(members)
  let turn = 0
  for (const topic of subscribedTopics(members)) {
    for (let partition = 0; partition < (partitionCounts.get(topic) ?? 0); partition++) {
      let member = ordered[turn % ordered.length] as AssignorMember
      while (!member.subscription.topics.includes(topic)) member = ordered[++turn % ordered.length] as AssignorMember
      turn++
      assignment.get(member.memberId)?.push({ topic, partition })
    }
  }
  return assignment
}

/** Sorted; each has at least one subscriber. */
function subscribedTopics(members: readonly AssignorMember[]): string[] {
  return [...new Set(members.flatMap(({ subscription }) => subscription.topics))].sort()
}

function emptyAssignment(members: readonly AssignorMember[]): Map<string, TopicPartition[]> {
  return new Map(members.map(({ memberId }) => [memberId, []]))
}

/** Static members first, by their lasting names, so that a restart changes nothing; then by member id. */
function inOrder(members: readonly AssignorMember[]): AssignorMember[] {
  return members.toSorted((left, right) => {
    if (left.groupInstanceId !== null && right.groupInstanceId !== null) return compare(left.groupInstanceId, right.groupInstanceId)
    if (left.groupInstanceId !== null) return -1
    return right.groupInstanceId !== null ? 1 : compare(left.memberId, right.memberId)
  })
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}
