import { afterEach, describe, expect, it } from 'vitest'
import { createTopics } from '../../../broker/api/19-create-topics.schema.ts'
import { incrementalAlterConfigs } from '../../../broker/api/44-incremental-alter-configs.schema.ts'
import { describeQuorum } from '../../../broker/api/55-describe-quorum.schema.ts'
import { alterPartition } from '../../../broker/api/56-alter-partition.schema.ts'
import { ControllerUnavailable } from '../../../broker/api/context.ts'
import { ConfigResourceType } from '../../../broker/cluster/image.ts'
import { METADATA_TOPIC } from '../../../broker/quorum/metadata-topic.ts'
import { ANONYMOUS } from '../../../broker/security/principal.ts'
import { ErrorCode } from '../../../broker/wire/errors.ts'
import { SimulatedQuorumCluster, type ObserverNode } from './simulated-quorum-cluster.ts'

let cluster: SimulatedQuorumCluster

afterEach(() => {
  if (cluster.failures.length > 0) throw new Error(cluster.failures.join('\n'))
})

async function startAll(options: {
  readonly voters: number
  readonly seed?: number
  readonly diskLatencyMsMax?: number
  readonly networkLatencyMsMax?: number
}) {
  cluster = new SimulatedQuorumCluster({ seed: 1, ...options })
  for (const id of cluster.controllerIds) await cluster.startController(id)
}

const join = (node: ObserverNode, id: number) => cluster.join(node, id)
const beat = (node: ObserverNode, id: number, brokerEpoch: number) => cluster.beat(node, id, brokerEpoch)
const namesOf = (node: ObserverNode) => [...node.observer.image.topics()].map(({ name }) => name).sort()

describe('a lone controller', () => {
  it('is active at once, and a broker that follows it can be unfenced without any wait', async () => {
    await startAll({ voters: 1 })
    const node = await cluster.startObserver(1)
    await join(node, 1)
    expect(cluster.world.loop.monotonicMs()).toBeLessThan(200)
    await cluster.until(() => node.observer.image.isUnfenced(1))
    expect(node.observer.image.features.get('metadata.version')).toBe(30)
    expect(node.observer.image.controllers.get(1001)?.endpoints.get('INTERNAL')?.port).toBe(21_001)
  })

  it('keeps through a power loss whatever it has acknowledged', async () => {
    await startAll({ voters: 1, diskLatencyMsMax: 5 })
    const node = await cluster.startObserver(1)
    await join(node, 1)
    for (const name of ['a', 'b', 'c']) expect(await cluster.run(cluster.createTopic(node, name))).toBe(ErrorCode.NONE)
    cluster.endController(1001, 'powerLoss')
    await cluster.startController(1001)
    expect(await cluster.run(cluster.createTopic(node, 'b'))).toBe(ErrorCode.TOPIC_ALREADY_EXISTS)
    expect(await cluster.run(cluster.createTopic(node, 'd'))).toBe(ErrorCode.NONE)
    await cluster.until(() => node.observer.image.topic('d') !== undefined)
    expect(namesOf(node)).toEqual(['a', 'b', 'c', 'd'])
    expect(node.observer.leaderEpoch).toBe(2)
  })

  it('fences a broker that falls silent, and one that speaks keeps its session', async () => {
    await startAll({ voters: 1 })
    const [silent, speaking] = [await cluster.startObserver(1), await cluster.startObserver(2)]
    await join(silent, 1)
    const brokerEpoch = await join(speaking, 2)
    for (let elapsedMs = 0; elapsedMs < 8_000; elapsedMs += 2_000) {
      await cluster.advance(2_000)
      await beat(speaking, 2, brokerEpoch)
    }
    expect(speaking.observer.image.isUnfenced(1)).toBe(true)
    await cluster.until(() => !speaking.observer.image.isUnfenced(1), 3_000)
    expect(speaking.observer.image.isUnfenced(2)).toBe(true)
  })

  it('writes down by which min.insync.replicas it decides', async () => {
    await startAll({ voters: 1 })
    const node = await cluster.startObserver(1)
    await join(node, 1)
    expect(node.observer.image.configOf(ConfigResourceType.BROKER, '').get('min.insync.replicas')).toBe('1')
    expect(node.observer.image.features.get('eligible.leader.replicas.version')).toBe(1)
  })

  it('elects uncleanly once that is allowed, without being asked', async () => {
    await startAll({ voters: 1 })
    const [first, second] = [await cluster.startObserver(1), await cluster.startObserver(2)]
    const epochs = [await join(first, 1), await join(second, 2)] as const
    const principal = { principal: ANONYMOUS, clientId: 'test', timeoutMs: 5_000 }
    const assignments = [{ partitionIndex: 0, brokerIds: [1, 2] }]
    const topics = [{ name: 'a', numPartitions: -1, replicationFactor: -1, assignments, configs: [] }]
    await cluster.run(second.forwarder.send(createTopics, 7, { topics, timeoutMs: 5_000, validateOnly: false }, principal))
    await cluster.until(() => second.observer.image.topic('a') !== undefined)
    const { leaderEpoch, partitionEpoch } = second.observer.image.partition('a', 0)!
    const newIsrWithEpochs = [{ brokerId: 1, brokerEpoch: epochs[0] }]
    const partition = { partitionIndex: 0, leaderEpoch, partitionEpoch, newIsrWithEpochs, newIsr: [], leaderRecoveryState: 0 }
    const shrink = {
      brokerId: 1,
      brokerEpoch: epochs[0],
      topics: [{ topicId: second.observer.image.topic('a')!.id, partitions: [partition] }],
    }
    await cluster.run(first.calls.call(alterPartition, 3, shrink, { timeoutMs: 5_000 }))
    const aliveFor = async (ms: number) => {
      for (let passedMs = 0; passedMs < ms; passedMs += 2_000) {
        await cluster.advance(2_000)
        await beat(second, 2, epochs[1])
      }
    }
    await aliveFor(12_000)
    expect(second.observer.image.partition('a', 0)).toMatchObject({ leader: -1 })
    const configs = [{ name: 'unclean.leader.election.enable', configOperation: 0, value: 'true' }]
    const allow = { resources: [{ resourceType: ConfigResourceType.TOPIC, resourceName: 'a', configs }], validateOnly: false }
    await cluster.run(second.forwarder.send(incrementalAlterConfigs, 1, allow, principal))
    await aliveFor(6_000)
    expect(second.observer.image.partition('a', 0)).toMatchObject({ leader: 2, isr: [2] })
  })

  it('describes its quorum, observers included, to whoever asks a broker', async () => {
    await startAll({ voters: 1 })
    const node = await cluster.startObserver(7)
    const request = { topics: [{ topicName: METADATA_TOPIC, partitions: [{ partitionIndex: 0 }, { partitionIndex: 1 }] }] }
    const answer = await cluster.run(
      node.forwarder.send(describeQuorum, 2, request, { principal: ANONYMOUS, clientId: 'test', timeoutMs: 5_000 }),
    )
    const [known, unknown] = answer.topics[0]!.partitions
    expect(known).toMatchObject({ leaderId: 1001, leaderEpoch: 1, currentVoters: [{ replicaId: 1001 }], observers: [{ replicaId: 7 }] })
    expect(unknown?.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    expect(answer.nodes[0]).toMatchObject({ nodeId: 1001, listeners: [{ port: 21_001 }] })
  })
})

describe('an observer', () => {
  it('reads its own copy again after a restart, and goes on from there', async () => {
    await startAll({ voters: 1 })
    let node = await cluster.startObserver(1)
    await join(node, 1)
    await cluster.run(cluster.createTopic(node, 'a'))
    await cluster.until(() => node.observer.image.topic('a') !== undefined)
    cluster.end('observer 1', 'kill')
    node = await cluster.startObserver(1)
    await cluster.until(() => node.observer.image.topic('a') !== undefined)
    await cluster.run(cluster.createTopic(node, 'b'))
    await cluster.until(() => node.observer.image.topic('b') !== undefined)
  })

  it('keeps its image while no controller answers, and callers hear so in time', async () => {
    await startAll({ voters: 1 })
    const node = await cluster.startObserver(1)
    await join(node, 1)
    await cluster.run(cluster.createTopic(node, 'a'))
    await cluster.until(() => node.observer.image.topic('a') !== undefined)
    cluster.endController(1001, 'kill')
    await expect(cluster.run(cluster.createTopic(node, 'b', 3_000))).rejects.toThrow(ControllerUnavailable)
    expect(namesOf(node)).toEqual(['a'])
  })

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('cuts its copy back where the controller lost what was never committed (seed %i)', async (seed) => {
    await startAll({ voters: 1, seed, diskLatencyMsMax: 20, networkLatencyMsMax: 1 })
    const node = await cluster.startObserver(1)
    await join(node, 1)
    const acknowledged = ['a']
    await cluster.run(cluster.createTopic(node, 'a'))
    const inFlight = cluster.createTopic(node, 'maybe', 60_000)
    await cluster.advance(5 + seed * 2)
    cluster.endController(1001, 'powerLoss')
    await cluster.startController(1001)
    expect([ErrorCode.NONE, ErrorCode.TOPIC_ALREADY_EXISTS]).toContain(await cluster.run(inFlight))
    await cluster.run(cluster.createTopic(node, 'z'))
    await cluster.until(() => node.observer.image.topic('z') !== undefined)
    expect(namesOf(node)).toEqual([...acknowledged, 'maybe', 'z'])
  })
})

describe('three controllers', () => {
  it('elect a leader at once when the cluster is new', async () => {
    await startAll({ voters: 3 })
    const node = await cluster.startObserver(1)
    await join(node, 1)
    expect(cluster.world.loop.monotonicMs()).toBeLessThan(1_000)
    await cluster.until(() => node.observer.image.controllers.size === 3)
  })

  it('go on without the leader, and nothing acknowledged is lost', async () => {
    await startAll({ voters: 3, diskLatencyMsMax: 3, networkLatencyMsMax: 2 })
    const node = await cluster.startObserver(1)
    await join(node, 1)
    const names: string[] = []
    for (let round = 0; round < 4; round++) {
      const name = `topic-${round}`
      expect([ErrorCode.NONE, ErrorCode.TOPIC_ALREADY_EXISTS]).toContain(await cluster.run(cluster.createTopic(node, name, 60_000)))
      names.push(name)
      await cluster.until(() => node.observer.leaderId !== null)
      const leader = node.observer.leaderId!
      cluster.endController(leader, round % 2 === 0 ? 'powerLoss' : 'kill')
      const after = `after-${round}`
      expect([ErrorCode.NONE, ErrorCode.TOPIC_ALREADY_EXISTS]).toContain(await cluster.run(cluster.createTopic(node, after, 60_000)))
      names.push(after)
      await cluster.startController(leader)
    }
    await cluster.until(() => names.every((name) => node.observer.image.topic(name) !== undefined))
    expect(namesOf(node)).toEqual([...names].sort())
  })

  it('commit nothing without a majority, and go on when it is back', async () => {
    await startAll({ voters: 3 })
    const node = await cluster.startObserver(1)
    await join(node, 1)
    await cluster.run(cluster.createTopic(node, 'a'))
    cluster.endController(1002, 'kill')
    cluster.endController(1003, 'kill')
    await expect(cluster.run(cluster.createTopic(node, 'b', 8_000))).rejects.toThrow(ControllerUnavailable)
    expect(node.observer.image.topic('b')).toBeUndefined()
    await cluster.startController(1002)
    expect([ErrorCode.NONE, ErrorCode.TOPIC_ALREADY_EXISTS]).toContain(await cluster.run(cluster.createTopic(node, 'b', 60_000)))
  })

  it('take their voters from the folder, whatever the configuration says later', async () => {
    await startAll({ voters: 3 })
    cluster.endController(1003, 'kill')
    const env = cluster.env('controller 1003')
    const { createController } = await import('../../../broker/node/controller.ts')
    const config = { ...cluster.config('controller', 1003), voters: [{ id: 1003, directoryId: cluster.voters[2]!.directoryId }] }
    const node = await cluster.run(createController(env, config))
    await cluster.run(node.ready)
    await cluster.advance(5_000)
    const asker = await cluster.startObserver(1)
    await cluster.until(() => asker.observer.leaderId !== null)
    expect(asker.observer.leaderId).toBe(1001)
  })
})
