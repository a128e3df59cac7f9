/**
 * Brokers that keep records: enough of a cluster to test a client against, with every failure at hand. Partitions are
 * lists of batches; sequences are checked as Kafka checks them.
 */
import { produce } from '../../broker/api/00-produce.schema.ts'
import { fetch } from '../../broker/api/01-fetch.schema.ts'
import { listOffsets } from '../../broker/api/02-list-offsets.schema.ts'
import { metadata } from '../../broker/api/03-metadata.schema.ts'
import { findCoordinator } from '../../broker/api/10-find-coordinator.schema.ts'
import { initProducerId } from '../../broker/api/22-init-producer-id.schema.ts'
import type { SimulatedWorld } from '../../broker/env/simulated.ts'
import type { Env } from '../../broker/env/types.ts'
import { ErrorCode } from '../../broker/wire/errors.ts'
import { batchesIn, lastOffset, lastSequence, patchBaseOffset, readBatchHeader, recordsIn } from '../../broker/wire/record-batch.ts'
import type { RecordView } from '../../broker/wire/record-batch.ts'
import { ZERO_UUID } from '../../broker/wire/schema.ts'
import { FakeBroker } from './fake-broker.ts'

export interface FakePartition {
  leader: number
  leaderEpoch: number
  logStartOffset: number
  batches: Buffer[]
  nextOffset: number
  abortedTransactions: { producerId: number; firstOffset: number }[]
  /** The last batches of each producer id, newest last. */
  readonly producers: Map<number, { first: number; last: number; offset: number }[]>
}

export interface FakeTopic {
  readonly name: string
  readonly topicId: string
  readonly partitions: FakePartition[]
}

export const FIRST_PORT = 20_001

export class FakeCluster {
  readonly world: SimulatedWorld
  readonly brokers = new Map<number, FakeBroker>()
  readonly topics = new Map<string, FakeTopic>()
  coordinatorId = 1
  nextProducerId = 4000

  private constructor(world: SimulatedWorld) {
    this.world = world
  }

  static async start(world: SimulatedWorld, brokerCount: number): Promise<FakeCluster> {
    const cluster = new FakeCluster(world)
    for (let nodeId = 1; nodeId <= brokerCount; nodeId++) await cluster.startBroker(nodeId)
    return cluster
  }

  get bootstrapServers(): string[] {
    return [...this.brokers.keys()].map((nodeId) => `127.0.0.1:${FIRST_PORT + nodeId}`)
  }

  broker(nodeId: number): FakeBroker {
    return this.brokers.get(nodeId) as FakeBroker
  }

  async startBroker(nodeId: number): Promise<FakeBroker> {
    const env = this.world.start(`broker-${nodeId}`)
    const broker = new FakeBroker(env)
    this.brokers.set(nodeId, broker)
    this.#teach(nodeId, broker, env)
    return broker.listen(FIRST_PORT + nodeId)
  }

  /** Partition n is led by broker n + 1, in turn, unless told. */
  addTopic(name: string, partitionCount: number): FakeTopic {
    const topicId = Buffer.alloc(16, this.topics.size + 1).toString('base64url')
    const partitions = Array.from({ length: partitionCount }, (_, index) => ({
      leader: 1 + (index % this.brokers.size),
      leaderEpoch: 0,
      logStartOffset: 0,
      batches: [],
      nextOffset: 0,
      abortedTransactions: [],
      producers: new Map(),
    }))
    const topic = { name, topicId, partitions }
    this.topics.set(name, topic)
    return topic
  }

  partition(topic: string, partition: number): FakePartition {
    return this.topics.get(topic)?.partitions[partition] as FakePartition
  }

  moveLeader(topic: string, partition: number, leader: number): void {
    const target = this.partition(topic, partition)
    target.leader = leader
    target.leaderEpoch++
  }

  /** Appends a batch as it is, at the end. */
  append(topic: string, partition: number, batch: Buffer): number {
    const target = this.partition(topic, partition)
    const stored = Buffer.from(batch)
    const baseOffset = target.nextOffset
    patchBaseOffset(stored, 0, baseOffset)
    target.batches.push(stored)
    target.nextOffset = lastOffset(readBatchHeader(stored, 0)) + 1
    return baseOffset
  }

  recordsOf(topic: string, partition: number): RecordView[] {
    const records: RecordView[] = []
    for (const batch of this.partition(topic, partition).batches) {
      for (const { header, position } of batchesIn(batch)) records.push(...recordsIn(batch, position, header))
    }
    return records
  }

  // ------------------------------------------------------------------------------------------------------------- answers

  #teach(nodeId: number, broker: FakeBroker, env: Env): void {
    broker.on(metadata, ({ body }) => this.#metadata(body.topics?.map(({ name }) => name ?? '') ?? null))
    broker.on(findCoordinator, ({ body, version }) => {
      const answer = {
        nodeId: this.coordinatorId,
        host: '127.0.0.1',
        port: FIRST_PORT + this.coordinatorId,
        errorCode: 0,
        errorMessage: null,
      }
      return version < 4 ? answer : { ...answer, coordinators: body.coordinatorKeys.map((key) => ({ key, ...answer })) }
    })
    broker.on(initProducerId, () => ({ throttleTimeMs: 0, errorCode: 0, producerId: this.nextProducerId++, producerEpoch: 0 }))
    broker.on(produce, ({ body }) => {
      const responses = body.topicData.map(({ name, topicId, partitionData }) => {
        const topic = this.#topic(name, topicId)
        return {
          name,
          topicId,
          partitionResponses: partitionData.map(({ index, records }) => ({
            index,
            ...this.produce(nodeId, topic, index, records as Buffer),
          })),
        }
      })
      return body.acks === 0 ? null : { responses, throttleTimeMs: 0 }
    })
    broker.on(fetch, async ({ body }) => {
      const answer = () =>
        body.topics.map(({ topic: name, topicId, partitions }) => {
          const topic = this.#topic(name, topicId)
          return { topic: name, topicId, partitions: partitions.map((wanted) => this.#fetch(nodeId, topic, wanted)) }
        })
      const untilMs = env.clock.monotonicMs() + body.maxWaitMs
      let responses = answer()
      const hasNews = (): boolean =>
        responses.some(({ partitions }) => partitions.some(({ errorCode, records }) => errorCode !== 0 || (records?.length ?? 0) > 0))
      while (!hasNews() && env.clock.monotonicMs() < untilMs) {
        await new Promise<void>((resolve) => void env.timers.after(1, resolve))
        responses = answer()
      }
      return { throttleTimeMs: 0, responses }
    })
    broker.on(listOffsets, ({ body }) => ({
      topics: body.topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex, timestamp }) => ({
          partitionIndex,
          ...this.#listOffset(nodeId, name, partitionIndex, timestamp),
        })),
      })),
    }))
  }

  #topic(name: string, topicId: string): FakeTopic | undefined {
    return topicId === ZERO_UUID ? this.topics.get(name) : [...this.topics.values()].find((topic) => topic.topicId === topicId)
  }

  #metadata(names: readonly string[] | null) {
    return {
      brokers: [...this.brokers.keys()].map((nodeId) => ({ nodeId, host: '127.0.0.1', port: FIRST_PORT + nodeId })),
      clusterId: 'fake-cluster',
      controllerId: 1,
      topics: (names ?? [...this.topics.keys()]).map((name) => {
        const topic = this.topics.get(name)
        return {
          name,
          errorCode: topic === undefined ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : ErrorCode.NONE,
          topicId: topic?.topicId ?? ZERO_UUID,
          partitions: (topic?.partitions ?? []).map(({ leader, leaderEpoch }, partitionIndex) => ({
            errorCode: 0,
            partitionIndex,
            leaderId: leader,
            leaderEpoch,
            replicaNodes: [leader],
            isrNodes: [leader],
          })),
        }
      }),
    }
  }

  /** The reply for one partition, and the append. */
  produce(nodeId: number, topic: FakeTopic | undefined, index: number, records: Buffer): { errorCode: number; baseOffset: number } {
    const partition = topic?.partitions[index]
    if (topic === undefined || partition === undefined) return { errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, baseOffset: -1 }
    if (partition.leader !== nodeId) return { errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER, baseOffset: -1 }
    const header = readBatchHeader(records, 0)
    if (header.producerId < 0) return { errorCode: 0, baseOffset: this.append(topic.name, index, records) }
    const known = partition.producers.get(header.producerId) ?? []
    const duplicate = known.find(({ first, last }) => first === header.baseSequence && last === lastSequence(header))
    if (duplicate !== undefined) return { errorCode: 0, baseOffset: duplicate.offset }
    const newest = known.at(-1)
    if (newest !== undefined && header.baseSequence !== newest.last + 1)
      return { errorCode: ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, baseOffset: -1 }
    const offset = this.append(topic.name, index, records)
    partition.producers.set(header.producerId, [...known, { first: header.baseSequence, last: lastSequence(header), offset }].slice(-5))
    return { errorCode: 0, baseOffset: offset }
  }

  #fetch(nodeId: number, topic: FakeTopic | undefined, wanted: { partition: number; fetchOffset: number; partitionMaxBytes: number }) {
    const partition = topic?.partitions[wanted.partition]
    const answer = { partitionIndex: wanted.partition, highWatermark: -1, abortedTransactions: null, records: null }
    if (partition === undefined) return { ...answer, errorCode: ErrorCode.UNKNOWN_TOPIC_ID }
    if (partition.leader !== nodeId) return { ...answer, errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER }
    const { nextOffset, logStartOffset, batches, abortedTransactions } = partition
    if (wanted.fetchOffset > nextOffset || wanted.fetchOffset < logStartOffset)
      return { ...answer, errorCode: ErrorCode.OFFSET_OUT_OF_RANGE }
    let bytes = 0
    const records = batches.filter((batch) => {
      if (lastOffset(readBatchHeader(batch, 0)) < wanted.fetchOffset || (bytes > 0 && bytes + batch.length > wanted.partitionMaxBytes))
        return false
      bytes += batch.length
      return true
    })
    return {
      ...answer,
      errorCode: 0,
      highWatermark: nextOffset,
      lastStableOffset: nextOffset,
      logStartOffset,
      abortedTransactions,
      records,
    }
  }

  #listOffset(nodeId: number, topic: string, index: number, timestamp: number): { errorCode: number; offset: number; timestamp: number } {
    const partition = this.partition(topic, index)
    if (partition.leader !== nodeId) return { errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER, offset: -1, timestamp: -1 }
    if (timestamp === -1) return { errorCode: 0, offset: partition.nextOffset, timestamp: -1 }
    if (timestamp === -2) return { errorCode: 0, offset: partition.logStartOffset, timestamp: -1 }
    const found = this.recordsOf(topic, index).find((record) => record.timestampMs >= timestamp)
    return { errorCode: 0, offset: found?.offset ?? -1, timestamp: found?.timestampMs ?? -1 }
  }
}
