/** Elections and eligible leader replicas: who may lead without losing what was committed. */
import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { alterPartitions } from '../../../broker/cluster/alter-partition.ts'
import { electWhereAllowed } from '../../../broker/cluster/broker-departures.ts'
import { electLeaders, ElectionType } from '../../../broker/cluster/elect-leaders.ts'
import { initialFeatureLevels } from '../../../broker/cluster/features.ts'
import { ConfigResourceType } from '../../../broker/cluster/image.ts'
import { rebalanceLeaders } from '../../../broker/cluster/leader-balance.ts'
import { configRecord } from '../../../broker/cluster/metadata-records.ts'
import { LeaderRecoveryState } from '../../../broker/cluster/partition-state.ts'
import { alterReassignments } from '../../../broker/cluster/reassignment.ts'
import { ErrorCode } from '../../../broker/wire/errors.ts'
import { TestCluster } from './cluster-fixture.ts'

let cluster: TestCluster

function create(replicas: readonly number[], settings: Readonly<Record<string, string>> = {}): void {
  const configs = Object.entries(settings).map(([name, value]) => ({ name, value }))
  cluster.create({ name: 'a', partitionCount: -1, replicationFactor: -1, assignments: new Map([[0, replicas]]), configs })
}

beforeEach(() => {
  cluster = new TestCluster(initialFeatureLevels).start(1, 2, 3)
})

const partition = () => cluster.image.partition('a', 0)!

function restart(brokerId: number, how: 'clean' | 'unclean'): void {
  cluster.register(brokerId, { previousBrokerEpoch: how === 'clean' ? cluster.image.broker(brokerId)!.brokerEpoch : -1 })
  cluster.beat(brokerId)
}

function propose(isr: readonly number[], options: { readonly leaderRecoveryState?: number } = {}) {
  const { leader, leaderEpoch, partitionEpoch } = partition()
  const newIsr = isr.map((brokerId) => ({ brokerId, brokerEpoch: cluster.image.broker(brokerId)!.brokerEpoch }))
  const proposal = {
    topicId: cluster.image.topic('a')!.id,
    partition: 0,
    leaderEpoch,
    partitionEpoch,
    newIsr,
    leaderRecoveryState: 0,
    ...options,
  }
  const { brokerEpoch } = cluster.image.broker(leader)!
  return cluster.decide(alterPartitions(cluster.input, { brokerId: leader, brokerEpoch, proposals: [proposal] })).partitions[0]!
}

describe('eligible leader replicas', () => {
  it('are those that leave an in-sync set below min.insync.replicas, until it is large enough again', () => {
    create([1, 2, 3], { 'min.insync.replicas': '2' })
    cluster.fence(3)
    expect(partition()).toMatchObject({ isr: [1, 2], eligibleLeaderReplicas: [] })
    cluster.fence(2)
    expect(partition()).toMatchObject({ leader: 1, isr: [1], eligibleLeaderReplicas: [2] })
    cluster.fence(1)
    expect(partition()).toMatchObject({ leader: -1, isr: [], eligibleLeaderReplicas: [1, 2], lastKnownElr: [1] })
    restart(2, 'clean')
    expect(partition()).toMatchObject({
      leader: 2,
      isr: [2],
      eligibleLeaderReplicas: [1],
      leaderRecoveryState: LeaderRecoveryState.RECOVERED,
    })
    restart(3, 'clean')
    propose([2, 3])
    expect(partition()).toMatchObject({ isr: [2, 3], eligibleLeaderReplicas: [] })
  })

  it('are none any more once they may have lost what they had', () => {
    create([1, 2, 3], { 'min.insync.replicas': '2' })
    for (const id of [3, 2, 1]) cluster.fence(id)
    restart(2, 'unclean')
    expect(partition()).toMatchObject({ leader: -1, isr: [], eligibleLeaderReplicas: [1] })
    restart(3, 'clean')
    expect(partition().leader).toBe(-1)
    restart(1, 'clean')
    expect(partition()).toMatchObject({ leader: 1, isr: [1], leaderRecoveryState: LeaderRecoveryState.RECOVERED })
  })

  it('lost one and all, the one that led last leads again, and it is said to recover', () => {
    create([1, 2], { 'min.insync.replicas': '2' })
    cluster.fence(2)
    cluster.fence(1)
    restart(2, 'unclean')
    expect(partition().leader).toBe(-1)
    restart(1, 'unclean')
    expect(partition()).toMatchObject({
      leader: 1,
      isr: [1],
      eligibleLeaderReplicas: [],
      leaderRecoveryState: LeaderRecoveryState.RECOVERING,
    })
    propose([1])
    expect(partition().leaderRecoveryState).toBe(LeaderRecoveryState.RECOVERED)
  })

  it('a partition with one replica leads again after its broker crashed', () => {
    create([2])
    cluster.fence(2)
    expect(partition()).toMatchObject({ leader: -1, isr: [], eligibleLeaderReplicas: [2] })
    restart(2, 'unclean')
    expect(partition()).toMatchObject({ leader: 2, isr: [2] })
  })

  it('do not exist where the feature is off: the last member stays in sync', () => {
    cluster = new TestCluster().start(1, 2, 3)
    create([1, 2], { 'min.insync.replicas': '2' })
    cluster.fence(2)
    cluster.fence(1)
    expect(partition()).toMatchObject({ leader: -1, isr: [1], eligibleLeaderReplicas: [], lastKnownElr: [] })
    restart(1, 'unclean')
    expect(partition()).toMatchObject({ leader: 1, isr: [1] })
  })
})

describe('unclean elections', () => {
  it('happen by themselves only where the topic allows them', () => {
    create([1, 2], { 'unclean.leader.election.enable': 'true' })
    propose([1])
    cluster.fence(1)
    expect(partition()).toMatchObject({
      leader: 2,
      isr: [2],
      eligibleLeaderReplicas: [],
      leaderRecoveryState: LeaderRecoveryState.RECOVERING,
    })
  })

  it('are made up for when the topic is allowed them later', () => {
    create([1, 2])
    propose([1])
    cluster.fence(1)
    expect(partition().leader).toBe(-1)
    expect(electWhereAllowed(cluster.image)).toEqual([])
    const allow = configRecord(ConfigResourceType.TOPIC, 'a', 'unclean.leader.election.enable', 'true')
    cluster.decide({ records: [allow], answer: null })
    cluster.decide({ records: electWhereAllowed(cluster.image), answer: null })
    expect(partition()).toMatchObject({ leader: 2, isr: [2] })
  })

  it('can be asked for by an administrator', () => {
    create([1, 2])
    propose([1])
    cluster.fence(1)
    cluster.decide(electLeaders(cluster.input, ElectionType.UNCLEAN, [{ topic: 'a', partition: 0 }]))
    expect(partition()).toMatchObject({ leader: 2, leaderRecoveryState: LeaderRecoveryState.RECOVERING })
  })
})

describe('balancing', () => {
  it('takes leadership back where more of it has drifted than is allowed', () => {
    const assignments = new Map([
      [0, [1, 2]],
      [1, [1, 2]],
      [2, [1, 2]],
      [3, [2, 1]],
    ])
    cluster.create({ name: 'a', partitionCount: -1, replicationFactor: -1, assignments })
    cluster.fence(1)
    restart(1, 'clean')
    expect(rebalanceLeaders(cluster.image, 10)).toEqual([])
    for (const index of [0, 1]) {
      const { leaderEpoch, partitionEpoch } = cluster.image.partition('a', index)!
      const newIsr = [1, 2].map((brokerId) => ({ brokerId, brokerEpoch: cluster.image.broker(brokerId)!.brokerEpoch }))
      const proposal = {
        topicId: cluster.image.topic('a')!.id,
        partition: index,
        leaderEpoch,
        partitionEpoch,
        newIsr,
        leaderRecoveryState: 0,
      }
      const { brokerEpoch } = cluster.image.broker(2)!
      cluster.decide(alterPartitions(cluster.input, { brokerId: 2, brokerEpoch, proposals: [proposal] }))
    }
    expect(rebalanceLeaders(cluster.image, 100)).toEqual([])
    cluster.decide({ records: rebalanceLeaders(cluster.image, 10), answer: null })
    expect(cluster.image.topic('a')!.partitions.map(({ leader }) => leader)).toEqual([1, 1, 2, 2])
  })
})

// ------------------------------------------------------------------------------------------- whatever happens to it

const broker = fc.constantFrom<number[]>(1, 2, 3, 4)
const members = fc.uniqueArray(broker, { minLength: 1, maxLength: 3 })
const event = fc.oneof(
  fc.record({ kind: fc.constant('fence' as const), broker }),
  fc.record({ kind: fc.constant('restart' as const), broker, how: fc.constantFrom('clean' as const, 'unclean' as const) }),
  fc.record({ kind: fc.constant('propose' as const), members }),
  fc.record({ kind: fc.constant('reassign' as const), members: fc.option(members) }),
  fc.record({ kind: fc.constant('elect' as const) }),
)

describe('whatever happens to a partition', () => {
  it('only a replica with every committed record leads, unless it is said to recover', () => {
    const seen = { eligible: 0, moved: 0, recovering: 0 }
    const life = fc.property(
      members,
      fc.integer({ min: 1, max: 3 }),
      fc.array(event, { minLength: 5, maxLength: 40 }),
      (replicas, minimum, events) => {
        cluster = new TestCluster(initialFeatureLevels).start(1, 2, 3, 4)
        create(replicas, { 'min.insync.replicas': String(minimum) })
        /** Replicas that hold every committed record: while enough are in sync, those that are. */
        let complete = new Set(partition().isr)
        for (const step of events) {
          const before = partition()
          if (step.kind === 'fence') cluster.fence(step.broker)
          if (step.kind === 'restart') {
            cluster.fence(step.broker)
            if (step.how === 'unclean') complete.delete(step.broker)
            restart(step.broker, step.how)
          }
          if (step.kind === 'elect') cluster.decide(electLeaders(cluster.input, ElectionType.PREFERRED, null))
          if (step.kind === 'reassign') {
            cluster.decide(
              alterReassignments(cluster.input, [{ topic: 'a', partition: 0, replicas: step.members }], {
                allowReplicationFactorChange: true,
              }),
            )
          }
          if (step.kind === 'propose' && before.leader !== -1) {
            const isr = before.replicas.filter((id) => id === before.leader || step.members.includes(id))
            // Who joins has caught up with the leader.
            if (propose(isr).errorCode === ErrorCode.NONE || partition() !== before) for (const id of isr) complete.add(id)
          }
          const {
            leader,
            leaderEpoch,
            isr,
            replicas: present,
            eligibleLeaderReplicas,
            leaderRecoveryState,
            addingReplicas,
            removingReplicas,
          } = partition()
          if (leaderEpoch !== before.leaderEpoch && leader !== -1 && leaderRecoveryState === LeaderRecoveryState.RECOVERING) {
            complete = new Set([leader])
            seen.recovering++
          }
          if (leader !== -1) expect([...complete], `broker ${leader} leads`).toContain(leader)
          if (isr.length >= Math.min(minimum, present.length)) {
            if (leader !== -1) complete = new Set(isr)
            expect(eligibleLeaderReplicas).toEqual([])
          }
          for (const id of isr) expect(eligibleLeaderReplicas).not.toContain(id)
          for (const id of [...isr, ...eligibleLeaderReplicas, ...addingReplicas, ...removingReplicas]) expect(present).toContain(id)
          for (const id of addingReplicas) expect(removingReplicas).not.toContain(id)
          seen.eligible += eligibleLeaderReplicas.length
          if (before.addingReplicas.length > 0 && addingReplicas.length === 0) seen.moved++
        }
      },
    )
    fc.assert(life, { numRuns: 500 })
    expect(seen.eligible).toBeGreaterThan(100)
    expect(seen.moved).toBeGreaterThan(20)
    expect(seen.recovering).toBeGreaterThan(5)
  })
})
