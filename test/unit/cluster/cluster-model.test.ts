/**
 * Random lives of a cluster: whatever brokers, leaders and administrators do, the controller's decisions keep what everyone
 * relies on, and a replay of the log gives the same image.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { alterPartitions } from '../../../broker/cluster/alter-partition.ts'
import { applyRecords } from '../../../broker/cluster/apply-records.ts'
import { unregisterBroker } from '../../../broker/cluster/broker-control.ts'
import { electLeaders } from '../../../broker/cluster/elect-leaders.ts'
import { MetadataImage } from '../../../broker/cluster/image.ts'
import type { PartitionState } from '../../../broker/cluster/partition-state.ts'
import { createPartitions, deleteTopics } from '../../../broker/cluster/topic-control.ts'
import { ErrorCode } from '../../../broker/wire/errors.ts'
import { TestCluster } from './cluster-fixture.ts'

const BROKERS = [1, 2, 3, 4]
const TOPICS = ['a', 'b', 'c']

const broker = fc.constantFrom(...BROKERS)
const topic = fc.constantFrom(...TOPICS)
const event = fc.oneof(
  fc.record({ kind: fc.constant('start' as const), broker }),
  fc.record({ kind: fc.constant('fence' as const), broker }),
  fc.record({ kind: fc.constant('shutDown' as const), broker }),
  fc.record({ kind: fc.constant('unregister' as const), broker }),
  fc.record({
    kind: fc.constant('create' as const),
    topic,
    partitionCount: fc.integer({ min: 1, max: 4 }),
    replicationFactor: fc.integer({ min: 1, max: 3 }),
  }),
  fc.record({ kind: fc.constant('delete' as const), topic }),
  fc.record({ kind: fc.constant('enlarge' as const), topic }),
  fc.record({ kind: fc.constant('alterIsr' as const), topic, partition: fc.nat(3), members: fc.subarray(BROKERS), isStale: fc.boolean() }),
  fc.record({ kind: fc.constant('elect' as const), electionType: fc.constantFrom(0, 1) }),
)
type Event = typeof event extends fc.Arbitrary<infer T> ? T : never

function take(cluster: TestCluster, step: Event): void {
  switch (step.kind) {
    case 'start':
      cluster.start(step.broker)
      return
    case 'fence':
      if (cluster.image.broker(step.broker) !== undefined) cluster.fence(step.broker)
      return
    case 'shutDown':
      cluster.beat(step.broker, { wantShutDown: true })
      return
    case 'unregister':
      cluster.decide(unregisterBroker(cluster.input, step.broker))
      return
    case 'create':
      cluster.create({ name: step.topic, partitionCount: step.partitionCount, replicationFactor: step.replicationFactor })
      return
    case 'delete':
      cluster.decide(deleteTopics(cluster.input, [{ name: step.topic }]))
      return
    case 'enlarge': {
      const count = (cluster.image.topic(step.topic)?.partitions.length ?? 0) + 1
      cluster.decide(createPartitions(cluster.input, [{ name: step.topic, count, assignments: null }]))
      return
    }
    case 'alterIsr':
      return alterIsr(cluster, step)
    case 'elect':
      cluster.decide(electLeaders(cluster.input, step.electionType, null))
  }
}

function alterIsr(cluster: TestCluster, { topic: name, partition, members, isStale }: Extract<Event, { kind: 'alterIsr' }>): void {
  const before = cluster.image.partition(name, partition)
  const leader = cluster.image.broker(before?.leader ?? -1)
  if (before === undefined || leader === undefined) return
  const newIsr = members.map((brokerId) => ({ brokerId, brokerEpoch: cluster.image.broker(brokerId)?.brokerEpoch ?? -1 }))
  const proposal = {
    topicId: cluster.image.topic(name)!.id,
    partition,
    leaderEpoch: before.leaderEpoch,
    partitionEpoch: before.partitionEpoch - (isStale ? 1 : 0),
    newIsr,
    leaderRecoveryState: members.length > 1 ? 0 : before.leaderRecoveryState,
  }
  const answer = cluster.decide(
    alterPartitions(cluster.input, { brokerId: leader.id, brokerEpoch: leader.brokerEpoch, proposals: [proposal] }),
  )
  const [result] = answer.partitions
  if (result?.state !== null && result !== undefined) expect(result.state).toEqual(cluster.image.partition(name, partition))
  if (isStale) expect(result?.errorCode).not.toBe(ErrorCode.NONE)
}

function expectSound(image: MetadataImage): void {
  let partitionCount = 0
  for (const { partitions } of image.topics()) {
    partitionCount += partitions.length
    for (const { replicas, isr, leader } of partitions) {
      expect(isr.length).toBeGreaterThan(0)
      for (const member of isr) expect(replicas).toContain(member)
      if (leader === -1) {
        for (const member of isr) expect(image.isActive(member), `broker ${member} is in sync and up, yet does not lead`).toBe(false)
      } else {
        expect(isr).toContain(leader)
        expect(image.isUnfenced(leader)).toBe(true)
      }
    }
  }
  expect(image.partitionCount).toBe(partitionCount)
}

function expectEpochsRise(before: MetadataImage, after: MetadataImage): void {
  for (const { id, partitions } of after.topics()) {
    const olds: readonly PartitionState[] = before.topicById(id)?.partitions ?? []
    for (const [index, state] of partitions.entries()) {
      const old = olds[index]
      if (old === undefined || old === state) continue
      expect(state.partitionEpoch).toBeGreaterThan(old.partitionEpoch)
      if (state.leader !== old.leader) expect(state.leaderEpoch).toBeGreaterThan(old.leaderEpoch)
      else expect(state.leaderEpoch).toBeGreaterThanOrEqual(old.leaderEpoch)
    }
  }
}

describe('whatever happens to the cluster', () => {
  it('leaders are in sync and up, epochs rise, and the log tells the same story again', () => {
    let elections = 0
    fc.assert(
      fc.property(fc.array(event, { minLength: 10, maxLength: 60 }), (events) => {
        const cluster = new TestCluster().start(...BROKERS)
        for (const step of events) {
          const before = cluster.image
          take(cluster, step)
          expectSound(cluster.image)
          expectEpochsRise(before, cluster.image)
        }
        const at = { offset: cluster.log.length - 1, epoch: 1 }
        const { image: replayed } = applyRecords(MetadataImage.empty(cluster.image.clusterId), cluster.log, at)
        expect([...replayed.topics()]).toEqual([...cluster.image.topics()])
        expect(replayed.brokers).toEqual(cluster.image.brokers)
        for (const { partitions } of replayed.topics()) for (const { leaderEpoch } of partitions) elections += leaderEpoch
      }),
      { numRuns: 300 },
    )
    expect(elections).toBeGreaterThan(100)
  })
})
