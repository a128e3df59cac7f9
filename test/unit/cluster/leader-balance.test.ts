import { describe, expect, it } from 'vitest'
import { rebalanceLeaders } from '../../../broker/cluster/leader-balance.ts'
import { partitionChangeRecord } from '../../../broker/cluster/metadata-records.ts'
import { TestCluster } from './cluster-fixture.ts'

const byHand = { partitionCount: -1, replicationFactor: -1 }

/** Ten partitions that broker 1 is the preferred leader of, `drifted` of which broker 2 leads; all in sync. */
function cluster(drifted: number): TestCluster {
  const made = new TestCluster().start(1, 2)
  const replicas = (index: number) => (index < drifted ? [2, 1] : [1, 2])
  made.create({ name: 'a', ...byHand, assignments: new Map(Array.from({ length: 10 }, (_, index) => [index, replicas(index)])) })
  // The same replicas in another order: who leads stays, who is preferred changes.
  const topicId = made.image.topic('a')!.id
  const records = Array.from({ length: drifted }, (_, partitionId) => partitionChangeRecord(topicId, partitionId, { replicas: [1, 2] }))
  made.decide({ records, answer: null })
  return made
}

const leadersAfter = (made: TestCluster, allowedPercentage: number): readonly number[] => {
  made.decide({ records: rebalanceLeaders(made.image, allowedPercentage), answer: null })
  return made.image.topic('a')!.partitions.map(({ leader }) => leader)
}

describe('preferred leaders', () => {
  it('get all of it back where more than is allowed has drifted', () => {
    expect(leadersAfter(cluster(2), 10)).toEqual(Array.from({ length: 10 }, () => 1))
  })

  it('get nothing back where no more has drifted than is allowed', () => {
    expect(leadersAfter(cluster(1), 10).filter((leader) => leader === 2)).toHaveLength(1)
  })

  it('get nothing back while they are down or not in sync', () => {
    const made = cluster(2)
    made.fence(1)
    expect(new Set(leadersAfter(made, 10))).toEqual(new Set([2]))
    made.beat(1)
    expect(new Set(leadersAfter(made, 10))).toEqual(new Set([2]))
  })
})
