import { beforeEach, describe, expect, it } from 'vitest'
import { alterPartitions } from '../../../broker/cluster/alter-partition.ts'
import { initialFeatureLevels } from '../../../broker/cluster/features.ts'
import { alterReassignments, ongoingReassignments } from '../../../broker/cluster/reassignment.ts'
import { ErrorCode } from '../../../broker/wire/errors.ts'
import { TestCluster } from './cluster-fixture.ts'

let cluster: TestCluster

beforeEach(() => {
  cluster = new TestCluster(initialFeatureLevels).start(1, 2, 3, 4)
  cluster.create({ name: 'a', partitionCount: -1, replicationFactor: -1, assignments: new Map([[0, [1, 2]]]) })
})

const partition = () => cluster.image.partition('a', 0)!

function reassign(
  replicas: readonly number[] | null,
  options: { readonly index?: number; readonly allowReplicationFactorChange?: boolean } = {},
) {
  const { index = 0, allowReplicationFactorChange = true } = options
  return cluster.decide(
    alterReassignments(cluster.input, [{ topic: 'a', partition: index, replicas }], { allowReplicationFactorChange }),
  )[0]!
}

/** The leader proposes the set; the answer's error. */
function inSync(...isr: number[]): number {
  const { leader, leaderEpoch, partitionEpoch } = partition()
  const newIsr = isr.map((brokerId) => ({ brokerId, brokerEpoch: cluster.image.broker(brokerId)!.brokerEpoch }))
  const proposal = { topicId: cluster.image.topic('a')!.id, partition: 0, leaderEpoch, partitionEpoch, newIsr, leaderRecoveryState: 0 }
  const { brokerEpoch } = cluster.image.broker(leader)!
  return cluster.decide(alterPartitions(cluster.input, { brokerId: leader, brokerEpoch, proposals: [proposal] })).partitions[0]!.errorCode
}

describe('a reassignment', () => {
  it('adds the new replicas, keeps the old ones until all new ones are in sync, and then lets them go', () => {
    expect(reassign([3, 4])).toEqual({ errorCode: 0 })
    expect(partition()).toMatchObject({ replicas: [3, 4, 1, 2], addingReplicas: [3, 4], removingReplicas: [1, 2], isr: [1, 2], leader: 1 })
    expect(inSync(1, 2, 3)).toBe(ErrorCode.NONE)
    expect(partition()).toMatchObject({ addingReplicas: [3, 4], isr: [1, 2, 3] })
    const { leaderEpoch } = partition()
    expect(inSync(1, 2, 3, 4)).toBe(ErrorCode.NEW_LEADER_ELECTED)
    expect(partition()).toMatchObject({ replicas: [3, 4], isr: [3, 4], addingReplicas: [], removingReplicas: [], leader: 3 })
    expect(partition().leaderEpoch).toBe(leaderEpoch + 1)
    expect(partition().directories).toEqual([3, 4].map((id) => cluster.image.broker(id)!.logDirectories[0]))
  })

  it('that only removes is done at once, and one that only reorders leaves the leader', () => {
    reassign([2])
    expect(partition()).toMatchObject({ replicas: [2], isr: [2], leader: 2, removingReplicas: [] })
    reassign([2, 1])
    inSync(2, 1)
    reassign([1, 2])
    expect(partition()).toMatchObject({ replicas: [1, 2], leader: 2, addingReplicas: [], removingReplicas: [] })
  })

  it('is listed while it is under way', () => {
    reassign([2, 3])
    const moving = { topic: 'a', partition: 0, replicas: [2, 3, 1], addingReplicas: [3], removingReplicas: [1] }
    expect(ongoingReassignments(cluster.image, null)).toEqual([moving])
    expect(ongoingReassignments(cluster.image, [{ topic: 'a', partition: 0 }])).toEqual([moving])
    expect(ongoingReassignments(cluster.image, [{ topic: 'a', partition: 7 }])).toEqual([])
    inSync(1, 2, 3)
    expect(ongoingReassignments(cluster.image, null)).toEqual([])
  })

  it('cancelled, goes back to the replicas it started from', () => {
    reassign([3, 4])
    inSync(1, 2, 3)
    expect(reassign(null)).toEqual({ errorCode: 0 })
    expect(partition()).toMatchObject({ replicas: [1, 2], isr: [1, 2], leader: 1, addingReplicas: [], removingReplicas: [] })
    expect(reassign(null).errorCode).toBe(ErrorCode.NO_REASSIGNMENT_IN_PROGRESS)
  })

  it('is not cancelled when that would lose records', () => {
    reassign([3, 4])
    inSync(1, 3)
    cluster.fence(1)
    expect(partition()).toMatchObject({ leader: 3, isr: [3] })
    expect(reassign(null).errorCode).toBe(ErrorCode.INVALID_REPLICA_ASSIGNMENT)
    expect(partition().leader).toBe(3)
  })

  it('asked for again, replaces what was under way', () => {
    reassign([3, 4])
    inSync(1, 2, 3)
    reassign([2, 4])
    expect(partition()).toMatchObject({ replicas: [2, 4, 1], addingReplicas: [4], removingReplicas: [1], isr: [1, 2] })
    inSync(1, 2, 4)
    expect(partition()).toMatchObject({ replicas: [2, 4], isr: [2, 4], leader: 2 })
  })

  it('to where the partition is already changes nothing', () => {
    const before = partition()
    expect(reassign([1, 2])).toEqual({ errorCode: 0 })
    expect(partition()).toBe(before)
  })

  it('is refused for unknown partitions, unknown or repeated brokers, none at all, and another count where that must stay', () => {
    expect(reassign([1], { index: 9 }).errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    expect(reassign([1, 9]).errorCode).toBe(ErrorCode.INVALID_REPLICA_ASSIGNMENT)
    expect(reassign([1, 1]).errorCode).toBe(ErrorCode.INVALID_REPLICA_ASSIGNMENT)
    expect(reassign([]).errorCode).toBe(ErrorCode.INVALID_REPLICA_ASSIGNMENT)
    expect(reassign([1, 2, 3], { allowReplicationFactorChange: false }).errorCode).toBe(ErrorCode.INVALID_REPLICATION_FACTOR)
    expect(reassign([3, 4], { allowReplicationFactorChange: false })).toEqual({ errorCode: 0 })
    expect(reassign([1, 2, 3], { allowReplicationFactorChange: false }).errorCode).toBe(ErrorCode.INVALID_REPLICATION_FACTOR)
  })
})
