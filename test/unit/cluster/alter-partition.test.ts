import { beforeEach, describe, expect, it } from 'vitest'
import { alterPartitions, type IsrProposal } from '../../../broker/cluster/alter-partition.ts'
import { electLeaders, ElectionType } from '../../../broker/cluster/elect-leaders.ts'
import { ErrorCode } from '../../../broker/wire/errors.ts'
import { TestCluster } from './cluster-fixture.ts'

let cluster: TestCluster

beforeEach(() => {
  cluster = new TestCluster().start(1, 2, 3)
  cluster.create({ name: 'a', partitionCount: -1, replicationFactor: -1, assignments: new Map([[0, [1, 2, 3]]]) })
})

function propose(
  members: readonly number[],
  change: Partial<IsrProposal> & { readonly brokerId?: number; readonly brokerEpoch?: number } = {},
) {
  const { brokerId = 1, brokerEpoch = cluster.image.broker(brokerId)!.brokerEpoch, ...fields } = change
  const { leaderEpoch, partitionEpoch } = cluster.image.partition('a', 0)!
  const newIsr = members.map((id) => ({ brokerId: id, brokerEpoch: cluster.image.broker(id)?.brokerEpoch ?? 0 }))
  const proposal = {
    topicId: cluster.image.topic('a')!.id,
    partition: 0,
    leaderEpoch,
    partitionEpoch,
    newIsr,
    leaderRecoveryState: 0,
    ...fields,
  }
  return cluster.decide(alterPartitions(cluster.input, { brokerId, brokerEpoch, proposals: [proposal] }))
}

const codeOf = (answer: ReturnType<typeof propose>) => answer.errorCode || answer.partitions[0]!.errorCode

describe("a leader's proposal", () => {
  it('shrinks and grows the in-sync set, raising the partition epoch and not the leader epoch', () => {
    expect(propose([1, 2]).partitions[0]!.state).toMatchObject({ isr: [1, 2], leaderEpoch: 0, partitionEpoch: 1 })
    expect(propose([1, 2, 3]).partitions[0]!.state).toMatchObject({ isr: [1, 2, 3], leaderEpoch: 0, partitionEpoch: 2 })
    expect(cluster.image.partition('a', 0)).toMatchObject({ isr: [1, 2, 3], partitionEpoch: 2 })
  })

  it('is refused when made on old knowledge', () => {
    propose([1, 2])
    expect(codeOf(propose([1], { partitionEpoch: 0 }))).toBe(ErrorCode.INVALID_UPDATE_VERSION)
    cluster.fence(1)
    expect(codeOf(propose([2], { brokerId: 2, leaderEpoch: 0 }))).toBe(ErrorCode.FENCED_LEADER_EPOCH)
  })

  it('from the future means that this controller was replaced', () => {
    expect(codeOf(propose([1], { leaderEpoch: 7 }))).toBe(ErrorCode.NOT_CONTROLLER)
    expect(codeOf(propose([1], { partitionEpoch: 7 }))).toBe(ErrorCode.NOT_CONTROLLER)
  })

  it('is refused from a follower, from a replaced incarnation, and about what does not exist', () => {
    expect(codeOf(propose([2], { brokerId: 2 }))).toBe(ErrorCode.INVALID_REQUEST)
    expect(codeOf(propose([1], { brokerEpoch: 999 }))).toBe(ErrorCode.STALE_BROKER_EPOCH)
    expect(codeOf(propose([1], { partition: 9 }))).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    expect(codeOf(propose([1], { topicId: cluster.newId() }))).toBe(ErrorCode.UNKNOWN_TOPIC_ID)
  })

  it('must name the leader, replicas only, each once', () => {
    for (const members of [[], [2], [1, 1], [1, 4]]) expect(codeOf(propose(members))).toBe(ErrorCode.INVALID_REQUEST)
  })

  it('may not bring back a broker that is fenced, leaving, or another incarnation than the leader saw', () => {
    propose([1, 2])
    const newIsr = [1, 3].map((brokerId) => ({ brokerId, brokerEpoch: cluster.image.broker(brokerId)!.brokerEpoch }))
    cluster.register(3)
    cluster.beat(3)
    expect(codeOf(propose([], { newIsr }))).toBe(ErrorCode.INELIGIBLE_REPLICA)
    cluster.fence(3)
    expect(codeOf(propose([1, 3]))).toBe(ErrorCode.INELIGIBLE_REPLICA)
  })
})

describe('elections on request', () => {
  const elect = (electionType: number, partitions: Parameters<typeof electLeaders>[2] = null) =>
    cluster.decide(electLeaders(cluster.input, electionType, partitions))
  const named = [{ topic: 'a', partition: 0 }]

  it('give leadership back to the preferred replica once it is in sync again', () => {
    cluster.fence(1)
    cluster.beat(1)
    expect(elect(ElectionType.PREFERRED, named)[0]!.result.errorCode).toBe(ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE)
    propose([2, 3, 1], { brokerId: 2 })
    expect(elect(ElectionType.PREFERRED, named)[0]!.result.errorCode).toBe(ErrorCode.NONE)
    expect(cluster.image.partition('a', 0)).toMatchObject({ leader: 1, leaderEpoch: 2 })
  })

  it('say when there is nothing to do, and leave that out when asked for all', () => {
    expect(elect(ElectionType.PREFERRED, named)[0]!.result.errorCode).toBe(ErrorCode.ELECTION_NOT_NEEDED)
    expect(elect(ElectionType.PREFERRED)).toEqual([])
    expect(elect(ElectionType.UNCLEAN, named)[0]!.result.errorCode).toBe(ErrorCode.ELECTION_NOT_NEEDED)
    expect(elect(ElectionType.PREFERRED, [{ topic: 'b', partition: 0 }])[0]!.result.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  })

  it('elect anyone alive when asked for an unclean one', () => {
    for (const id of [3, 2, 1]) cluster.fence(id)
    expect(elect(ElectionType.UNCLEAN, named)[0]!.result.errorCode).toBe(ErrorCode.ELIGIBLE_LEADERS_NOT_AVAILABLE)
    cluster.beat(3)
    expect(cluster.image.partition('a', 0)!.leader).toBe(-1)
    expect(elect(ElectionType.UNCLEAN, named)[0]!.result.errorCode).toBe(ErrorCode.NONE)
    expect(cluster.image.partition('a', 0)).toMatchObject({ leader: 3, isr: [3], leaderRecoveryState: 1 })
  })
})
