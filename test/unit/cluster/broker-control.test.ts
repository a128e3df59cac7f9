import { describe, expect, it } from 'vitest'
import { registerBroker, unregisterBroker } from '../../../broker/cluster/broker-control.ts'
import { BrokerSessions } from '../../../broker/cluster/broker-sessions.ts'
import { ErrorCode } from '../../../broker/wire/errors.ts'
import { TestCluster } from './cluster-fixture.ts'

describe('registration', () => {
  it('names the broker by the offset of its record and starts it fenced', () => {
    const cluster = new TestCluster()
    expect(cluster.register(1)).toEqual({ errorCode: ErrorCode.NONE, brokerEpoch: 0 })
    expect(cluster.register(2)).toEqual({ errorCode: ErrorCode.NONE, brokerEpoch: 1 })
    expect(cluster.image.broker(1)).toMatchObject({ fenced: true, brokerEpoch: 0 })
  })

  it('refuses a second process of the same id while the first one lives', () => {
    const cluster = new TestCluster().start(1)
    const other = Buffer.from('another place 16').toString('base64url')
    expect(cluster.register(1, { hasSession: true, directory: other }).errorCode).toBe(ErrorCode.DUPLICATE_BROKER_REGISTRATION)
    expect(cluster.register(1, { hasSession: false, directory: other }).errorCode).toBe(ErrorCode.NONE)
  })

  it('does not wait for the session of a process that was shutting down', () => {
    const cluster = new TestCluster().start(1)
    cluster.create({ name: 'alone' })
    cluster.beat(1, { wantShutDown: true })
    const other = Buffer.from('another place 16').toString('base64url')
    expect(cluster.register(1, { hasSession: true, directory: other }).errorCode).toBe(ErrorCode.NONE)
  })

  it('takes the same log directory as proof that the former process has ended', () => {
    const cluster = new TestCluster().start(1)
    expect(cluster.register(1, { hasSession: true }).errorCode).toBe(ErrorCode.NONE)
    expect(cluster.image.isUnfenced(1)).toBe(false)
  })

  it('refuses another cluster', () => {
    const { image } = new TestCluster()
    const request = {
      brokerId: 1,
      clusterId: 'another',
      incarnationId: '',
      listeners: [],
      features: [],
      rack: null,
      logDirs: [],
      previousBrokerEpoch: -1,
    }
    expect(registerBroker({ image, nextOffset: 0 }, request, false)).toMatchObject({
      records: [],
      answer: { errorCode: ErrorCode.INCONSISTENT_CLUSTER_ID },
    })
  })

  it('keeps the broker epoch when the same incarnation asks twice', () => {
    const cluster = new TestCluster()
    const { brokerEpoch } = cluster.register(1)
    const { incarnationId, endpoints } = cluster.image.broker(1)!
    const features = [...cluster.image.broker(1)!.features].map(([name, { min, max }]) => ({
      name,
      minSupportedVersion: min,
      maxSupportedVersion: max,
    }))
    const request = {
      brokerId: 1,
      clusterId: cluster.image.clusterId,
      incarnationId,
      listeners: [...endpoints.values()],
      features,
      rack: null,
      logDirs: [],
      previousBrokerEpoch: -1,
    }
    expect(registerBroker(cluster.input, request, true).answer).toEqual({ errorCode: ErrorCode.NONE, brokerEpoch })
  })
})

describe('heartbeats', () => {
  it('unfence a broker once it has caught up with its own registration', () => {
    const cluster = new TestCluster()
    const { brokerEpoch } = cluster.register(1)
    expect(cluster.beat(1, { metadataOffset: brokerEpoch - 1 })).toMatchObject({ isFenced: true, isCaughtUp: false })
    expect(cluster.beat(1, { metadataOffset: brokerEpoch })).toMatchObject({ isFenced: false, isCaughtUp: true })
    expect(cluster.image.isUnfenced(1)).toBe(true)
  })

  it('leave a broker fenced that wants to be', () => {
    const cluster = new TestCluster()
    cluster.register(1)
    expect(cluster.beat(1, { wantFence: true })).toMatchObject({ isFenced: true, shouldShutDown: false })
  })

  it('of an unknown or replaced incarnation are refused', () => {
    const cluster = new TestCluster().start(1)
    const { brokerEpoch: old } = cluster.image.broker(1)!
    cluster.register(1)
    expect(cluster.image.broker(1)!.brokerEpoch).not.toBe(old)
    expect(cluster.beat(9)).toMatchObject({ errorCode: ErrorCode.BROKER_ID_NOT_REGISTERED })
  })

  it('let a broker go only after its leaders moved and everyone alive has heard of it', () => {
    const cluster = new TestCluster().start(1, 2)
    cluster.create({ name: 'shared', partitionCount: 2, replicationFactor: 2 })
    expect(cluster.beat(1, { wantShutDown: true })).toMatchObject({ shouldShutDown: false, isFenced: false })
    expect(cluster.image.topic('shared')!.partitions.map(({ leader }) => leader)).toEqual([2, 2])
    const startedAtOffset = cluster.image.offset
    expect(cluster.beat(1, { wantShutDown: true, startedAtOffset, lowestActiveOffset: startedAtOffset - 1 }).shouldShutDown).toBe(false)
    expect(cluster.beat(1, { wantShutDown: true, startedAtOffset, lowestActiveOffset: startedAtOffset })).toMatchObject({
      shouldShutDown: true,
      isFenced: true,
    })
    expect(cluster.image.isUnfenced(1)).toBe(false)
  })

  it('let the only replica of a partition go without a leader to take over', () => {
    const cluster = new TestCluster().start(1)
    cluster.create({ name: 'alone' })
    cluster.beat(1, { wantShutDown: true })
    expect(cluster.image.topic('alone')!.partitions[0]).toMatchObject({ leader: -1, isr: [1] })
    expect(cluster.beat(1, { wantShutDown: true, startedAtOffset: cluster.image.offset }).shouldShutDown).toBe(true)
  })
})

describe('a failed log directory', () => {
  const directoryOf = (cluster: TestCluster, id: number) => cluster.image.broker(id)!.logDirectories
  const onAll = { assignments: new Map([[0, [1, 2, 3]]]), partitionCount: -1, replicationFactor: -1 }

  it('costs the broker its leaderships and its places in sync, and it stays reachable', () => {
    const cluster = new TestCluster().start(1, 2, 3)
    cluster.create({ name: 'shared', ...onAll })
    expect(cluster.beat(1, { offlineLogDirs: directoryOf(cluster, 1) })).toMatchObject({ errorCode: ErrorCode.NONE, isFenced: false })
    expect(cluster.image.partition('shared', 0)).toMatchObject({ leader: 2, isr: [2, 3] })
    expect([cluster.image.isUnfenced(1), cluster.image.isActive(1), cluster.image.isStorageOffline(1)]).toEqual([true, false, true])
  })

  it('is said again with every heartbeat, and decided once', () => {
    const cluster = new TestCluster().start(1, 2, 3)
    const offlineLogDirs = directoryOf(cluster, 1)
    cluster.beat(1, { offlineLogDirs })
    const { length } = cluster.log
    cluster.beat(1, { offlineLogDirs })
    expect(cluster.log).toHaveLength(length)
  })

  it('is no concern of another directory', () => {
    const cluster = new TestCluster().start(1)
    cluster.create({ name: 'alone' })
    cluster.beat(1, { offlineLogDirs: directoryOf(new TestCluster().start(2), 2) })
    expect(cluster.image.partition('alone', 0)).toMatchObject({ leader: 1 })
  })

  it('leaves offline what nobody else can lead, however the broker is fenced and unfenced, until it registers anew', () => {
    const cluster = new TestCluster().start(1, 2)
    cluster.create({ name: 'alone', assignments: new Map([[0, [1]]]), partitionCount: -1, replicationFactor: -1 })
    const offlineLogDirs = directoryOf(cluster, 1)
    cluster.beat(1, { offlineLogDirs })
    expect(cluster.image.partition('alone', 0)).toMatchObject({ leader: -1, isr: [1] })
    cluster.fence(1)
    cluster.beat(1, { offlineLogDirs })
    expect(cluster.image.isUnfenced(1)).toBe(true)
    expect(cluster.image.partition('alone', 0)).toMatchObject({ leader: -1 })
    cluster.register(1)
    cluster.beat(1)
    expect(cluster.image.partition('alone', 0)).toMatchObject({ leader: 1, isr: [1] })
  })

  it('takes no leader of a new topic', () => {
    const cluster = new TestCluster().start(1, 2, 3)
    cluster.beat(1, { offlineLogDirs: directoryOf(cluster, 1) })
    cluster.create({ name: 'new', partitionCount: 6, replicationFactor: 2 })
    const partitions = cluster.image.topic('new')!.partitions
    expect(partitions.some(({ replicas }) => replicas.includes(1))).toBe(false)
  })
})

describe('fencing', () => {
  it('takes a partition with one replica offline and the return of its broker brings it back, each in a new epoch', () => {
    const cluster = new TestCluster().start(1)
    cluster.create({ name: 'alone' })
    cluster.fence(1)
    expect(cluster.image.partition('alone', 0)).toMatchObject({ leader: -1, isr: [1], leaderEpoch: 1, partitionEpoch: 1 })
    cluster.beat(1)
    expect(cluster.image.partition('alone', 0)).toMatchObject({ leader: 1, isr: [1], leaderEpoch: 2, partitionEpoch: 2 })
  })

  it('moves leadership within the in-sync set and shrinks it', () => {
    const cluster = new TestCluster().start(1, 2, 3)
    cluster.create({ name: 'shared', assignments: new Map([[0, [1, 2, 3]]]), partitionCount: -1, replicationFactor: -1 })
    cluster.fence(1)
    expect(cluster.image.partition('shared', 0)).toMatchObject({ leader: 2, isr: [2, 3], leaderEpoch: 1 })
    cluster.fence(3)
    expect(cluster.image.partition('shared', 0)).toMatchObject({ leader: 2, isr: [2], leaderEpoch: 1, partitionEpoch: 2 })
    cluster.fence(2)
    expect(cluster.image.partition('shared', 0)).toMatchObject({ leader: -1, isr: [2] })
    cluster.beat(1)
    expect(cluster.image.partition('shared', 0)).toMatchObject({ leader: -1, isr: [2] })
  })

  it('elects outside the in-sync set only where the topic allows it', () => {
    const cluster = new TestCluster().start(1, 2)
    const configs = [{ name: 'unclean.leader.election.enable', value: 'true' }]
    cluster.create({ name: 'careless', assignments: new Map([[0, [1, 2]]]), partitionCount: -1, replicationFactor: -1, configs })
    cluster.fence(2)
    cluster.fence(1)
    cluster.beat(2)
    expect(cluster.image.partition('careless', 0)).toMatchObject({ leader: 2, isr: [2], leaderRecoveryState: 1 })
  })

  it('of a broker that came back after a crash takes it out of every in-sync set with another member', () => {
    const cluster = new TestCluster().start(1, 2)
    cluster.create({ name: 'shared', assignments: new Map([[0, [1, 2]]]), partitionCount: -1, replicationFactor: -1 })
    cluster.register(1, { hasSession: true })
    expect(cluster.image.partition('shared', 0)).toMatchObject({ leader: 2, isr: [2] })
  })
})

it('unregistering forgets the broker and moves what it led', () => {
  const cluster = new TestCluster().start(1, 2)
  cluster.create({ name: 'shared', assignments: new Map([[0, [1, 2]]]), partitionCount: -1, replicationFactor: -1 })
  expect(cluster.decide(unregisterBroker(cluster.input, 1))).toEqual({ errorCode: ErrorCode.NONE })
  expect(cluster.image.broker(1)).toBeUndefined()
  expect(cluster.image.partition('shared', 0)).toMatchObject({ leader: 2, isr: [2], replicas: [1, 2] })
  expect(cluster.decide(unregisterBroker(cluster.input, 1)).errorCode).toBe(ErrorCode.BROKER_ID_NOT_REGISTERED)
})

describe('sessions', () => {
  it('run out of those that say nothing, and a new controller gives everyone a full one', () => {
    const { image } = new TestCluster().start(1, 2)
    const sessions = new BrokerSessions(image, 1_000, 9_000)
    sessions.touch(1, { brokerEpoch: image.broker(1)!.brokerEpoch, metadataOffset: 5, nowMs: 5_000 })
    expect(sessions.nextExpiryMs(5_000)).toBe(5_000)
    expect(sessions.takeExpired(image, 9_999)).toEqual([])
    expect(sessions.takeExpired(image, 10_000)).toEqual([2])
    expect(sessions.nextExpiryMs(10_000)).toBe(4_000)
  })

  it('end at once when the process was seen to end', () => {
    const { image } = new TestCluster().start(1)
    const sessions = new BrokerSessions(image, 0, 9_000)
    sessions.end(1)
    expect(sessions.takeExpired(image, 1)).toEqual([1])
  })

  it('tell how far everyone else has come', () => {
    const { image } = new TestCluster().start(1, 2, 3)
    const sessions = new BrokerSessions(image, 0, 9_000)
    for (const [id, metadataOffset] of [
      [1, 3],
      [2, 10],
      [3, 7],
    ] as const)
      sessions.touch(id, { brokerEpoch: image.broker(id)!.brokerEpoch, metadataOffset, nowMs: 0 })
    expect(sessions.lowestActiveOffset(image, 1, 1)).toBe(7)
    expect(sessions.lowestActiveOffset(image, 3, 1)).toBe(3)
    expect(sessions.lowestActiveOffset(image, 3, 9_000)).toBe(Number.MAX_SAFE_INTEGER)
  })
})
