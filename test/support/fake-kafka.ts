/**
 * A Kafka cluster in memory behind the client's interface, for tests of what stands on the client. Topics hold real record
 * batches. `isDown` makes every call fail as an unreachable cluster does.
 */
import { ClientError } from '../../broker/client/error.ts'
import type {
  Admin,
  ConfigEntry,
  FetchedPartition,
  GroupConsumer,
  KafkaClient,
  ListedOffset,
  OffsetQuery,
  Producer,
  ProducerRecord,
  RecordAcknowledgement,
  TopicMetadata,
} from '../../broker/client/types.ts'
import type { Compression } from '../../broker/wire/compression.ts'
import { encodeBatch } from '../../broker/wire/record-batch.ts'

export interface FakeRecord {
  readonly timestampMs: number
  readonly key: string | Uint8Array | null
  readonly value: string | Uint8Array | null
  readonly headers?: readonly { readonly key: string; readonly value: string | Uint8Array | null }[]
}

interface FakeBatch {
  readonly baseOffset: number
  readonly records: readonly FakeRecord[]
  readonly bytes: Buffer
}

export interface FakePartition {
  batches: FakeBatch[]
  logStartOffset: number
  endOffset: number
  leader: number | null
}

export interface FakeTopic {
  readonly name: string
  readonly partitions: FakePartition[]
  readonly configs: Map<string, string>
}

export interface FakeGroup {
  state: string
  readonly members: { memberId: string; clientId: string; assignment: { topic: string; partition: number }[] }[]
  readonly offsets: Map<string, number>
}

export class FakeKafka {
  readonly topics = new Map<string, FakeTopic>()
  readonly groups = new Map<string, FakeGroup>()
  isDown = false
  /** Calls by name, for asserting what was asked. */
  readonly calls: string[] = []
  readonly clients: KafkaClient[] = []

  addTopic(name: string, partitionCount = 1): FakeTopic {
    const partitions = Array.from({ length: partitionCount }, (_, index): FakePartition => ({
      batches: [],
      logStartOffset: 0,
      endOffset: 0,
      leader: (index % 3) + 1,
    }))
    const topic: FakeTopic = { name, partitions, configs: new Map() }
    this.topics.set(name, topic)
    return topic
  }

  append(topicName: string, partition: number, records: readonly FakeRecord[], compression: Compression = 0): number {
    const log = this.partition(topicName, partition)
    const baseOffset = log.endOffset
    const bytes = encodeBatch({
      baseOffset,
      compression,
      partitionLeaderEpoch: 0,
      records: records.map((record) => ({
        timestampMs: record.timestampMs,
        key: bytesOf(record.key),
        value: bytesOf(record.value),
        headers: (record.headers ?? []).map(({ key, value }) => ({ key, value: bytesOf(value) })),
      })),
    })
    log.batches.push({ baseOffset, records, bytes })
    log.endOffset += records.length
    return baseOffset
  }

  addGroup(groupId: string, offsets: Readonly<Record<string, number>>, members: FakeGroup['members'] = []): FakeGroup {
    const group: FakeGroup = { state: members.length > 0 ? 'Stable' : 'Empty', members, offsets: new Map(Object.entries(offsets)) }
    this.groups.set(groupId, group)
    return group
  }

  partition(topicName: string, partition: number): FakePartition {
    const log = this.topics.get(topicName)?.partitions[partition]
    if (log === undefined) throw new Error(`no partition ${topicName}-${partition}`)
    return log
  }

  createClient = (): KafkaClient => {
    const client = clientOf(this)
    this.clients.push(client)
    return client
  }
}

export function unreachable(): ClientError {
  const refused = new ClientError('CONNECTION_REFUSED', 'Nobody listens on 127.0.0.1:1.', { address: '127.0.0.1:1' })
  return new ClientError('CLUSTER_UNREACHABLE', 'No bootstrap server could be reached.', { failures: [refused] })
}

export function kafkaFailure(kafkaError: number, message: string): ClientError {
  return new ClientError('BROKER_ERROR', message, { kafkaError })
}

const unknownTopic = (name: string): ClientError => kafkaFailure(3, `There is no topic "${name}".`)

function bytesOf(value: string | Uint8Array | null): Uint8Array | null {
  return typeof value === 'string' ? Buffer.from(value) : value
}

function clientOf(kafka: FakeKafka): KafkaClient {
  const call = (name: string): void => {
    kafka.calls.push(name)
    if (kafka.isDown) throw unreachable()
  }
  const describe = (name: string): TopicMetadata => {
    const topic = kafka.topics.get(name)
    return {
      name,
      topicId: topic === undefined ? null : `id-of-${name}`,
      isInternal: name.startsWith('__'),
      error: topic === undefined ? unknownTopic(name) : null,
      partitions: (topic?.partitions ?? []).map(({ leader }, partition) => ({
        partition,
        leader,
        leaderEpoch: 0,
        replicas: [(partition % 3) + 1],
        isr: leader === null ? [] : [leader],
        offlineReplicas: [],
        error: null,
      })),
    }
  }
  const admin = adminOf(kafka, call, describe)
  const partial: Partial<KafkaClient> = {
    clientId: 'fake',
    admin,
    async metadata(options = {}) {
      call('metadata')
      const names = options.topics === 'all' ? [...kafka.topics.keys()] : (options.topics ?? [])
      return {
        clusterId: 'fake-cluster-id',
        controllerId: 1,
        brokers: [1, 2, 3].map((nodeId) => ({ nodeId, host: '127.0.0.1', port: 9091 + nodeId, rack: null })),
        topics: new Map(names.map((name) => [name, describe(name)])),
        fetchedMs: Date.now(),
      }
    },
    async request() {
      call('request')
      throw new ClientError('UNSUPPORTED_VERSION', 'The fake has no such API.')
    },
    async fetchBatches(request) {
      call('fetchBatches')
      const answers = request.partitions.map((wished) => fetchOne(kafka, wished, request.maxBytes))
      const hasNews = answers.some(({ records, error }) => records.length > 0 || error !== null)
      if (!hasNews && (request.maxWaitMs ?? 0) > 0)
        await new Promise((resolve) => setTimeout(resolve, Math.min(20, request.maxWaitMs ?? 0)))
      return answers
    },
    producer: () => producerOf(kafka, call),
    consumer: ({ topics }) => consumerOf(kafka, topics),
    connections: () => [],
    close: async () => undefined,
  }
  return partial as KafkaClient
}

function fetchOne(
  kafka: FakeKafka,
  wished: { topic: string; partition: number; fetchOffset: number; partitionBytesMax?: number },
  maxBytes = 50e6,
): FetchedPartition {
  const log = kafka.topics.get(wished.topic)?.partitions[wished.partition]
  const base = { topic: wished.topic, partition: wished.partition, fetchOffset: wished.fetchOffset }
  const rest = { abortedTransactions: null, divergingEpoch: null, preferredReadReplica: null }
  const empty = { ...base, ...rest, records: Buffer.alloc(0), highWatermark: log?.endOffset ?? -1, lastStableOffset: log?.endOffset ?? -1 }
  if (log === undefined) return { ...empty, logStartOffset: -1, error: unknownTopic(wished.topic) }
  if (wished.fetchOffset < log.logStartOffset || wished.fetchOffset > log.endOffset) {
    return { ...empty, logStartOffset: log.logStartOffset, error: kafkaFailure(1, 'The offset is out of range.') }
  }
  const chunks: Buffer[] = []
  let bytes = 0
  for (const batch of log.batches) {
    if (batch.baseOffset + batch.records.length <= wished.fetchOffset) continue
    if (chunks.length > 0 && bytes + batch.bytes.length > Math.min(wished.partitionBytesMax ?? 1e6, maxBytes)) break
    chunks.push(batch.bytes)
    bytes += batch.bytes.length
  }
  return { ...empty, logStartOffset: log.logStartOffset, error: null, records: Buffer.concat(chunks) }
}

function listOne(kafka: FakeKafka, { topic, partition, spec }: OffsetQuery): ListedOffset {
  const log = kafka.topics.get(topic)?.partitions[partition]
  const answer = (offset: number | null, timestampMs: number | null): ListedOffset => ({
    topic,
    partition,
    spec,
    offset,
    timestampMs,
    leaderEpoch: 0,
    error: null,
  })
  if (log === undefined) return { ...answer(null, null), error: unknownTopic(topic) }
  if (spec === 'earliest') return answer(log.logStartOffset, -1)
  if (spec === 'latest') return answer(log.endOffset, -1)
  const all = log.batches.flatMap(({ baseOffset, records }) =>
    records.map(({ timestampMs }, at) => ({ offset: baseOffset + at, timestampMs })),
  )
  const inLog = all.filter(({ offset }) => offset >= log.logStartOffset)
  if (spec === 'max-timestamp') {
    const newest = inLog.reduce<(typeof inLog)[number] | null>(
      (best, record) => (best === null || record.timestampMs > best.timestampMs ? record : best),
      null,
    )
    return answer(newest?.offset ?? null, newest?.timestampMs ?? null)
  }
  const found = inLog.find(({ timestampMs }) => timestampMs >= spec.timestampMs)
  return answer(found?.offset ?? null, found?.timestampMs ?? null)
}

function adminOf(kafka: FakeKafka, call: (name: string) => void, describe: (name: string) => TopicMetadata): Admin {
  const placeOf = (key: string): { topic: string; partition: number } => {
    const at = key.lastIndexOf('-')
    return { topic: key.slice(0, at), partition: Number(key.slice(at + 1)) }
  }
  const partial: Partial<Admin> = {
    async describeTopics(names) {
      call('describeTopics')
      return (names === 'all' ? [...kafka.topics.keys()] : names).map(describe)
    },
    async createTopics(topics, options) {
      call('createTopics')
      return topics.map((topic) => {
        const counts = {
          name: topic.name,
          topicId: null,
          partitionCount: topic.partitionCount ?? 1,
          replicationFactor: topic.replicationFactor ?? 1,
        }
        if (kafka.topics.has(topic.name)) return { ...counts, error: kafkaFailure(36, `Topic "${topic.name}" already exists.`) }
        if (!/^[\w.-]+$/.test(topic.name)) return { ...counts, error: kafkaFailure(17, `"${topic.name}" is not a topic name.`) }
        if (options?.validateOnly !== true) {
          const made = kafka.addTopic(topic.name, counts.partitionCount)
          for (const [name, value] of Object.entries(topic.configs ?? {})) made.configs.set(name, value)
        }
        return { ...counts, error: null }
      })
    },
    async deleteTopics(names) {
      call('deleteTopics')
      return names.map((name) => ({ name, error: kafka.topics.delete(name) ? null : unknownTopic(name) }))
    },
    async createPartitions(topics) {
      call('createPartitions')
      return topics.map(({ name, partitionCount }) => {
        const topic = kafka.topics.get(name)
        if (topic === undefined) return { name, error: unknownTopic(name) }
        if (partitionCount <= topic.partitions.length)
          return { name, error: kafkaFailure(37, `${name} has ${topic.partitions.length} partitions already.`) }
        while (topic.partitions.length < partitionCount) topic.partitions.push({ batches: [], logStartOffset: 0, endOffset: 0, leader: 1 })
        return { name, error: null }
      })
    },
    async describeConfigs(resources) {
      call('describeConfigs')
      return resources.map(({ type, name, names }) => {
        const own = kafka.topics.get(name)?.configs ?? new Map<string, string>()
        const all = new Map([...fakeDefaults, ...own])
        const entries = [...all].map(([setting, value]): ConfigEntry => ({
          name: setting,
          value,
          source: own.has(setting) ? 'topic' : 'default',
          isReadOnly: false,
          isSensitive: false,
          type: setting === 'cleanup.policy' ? 'list' : 'long',
          documentation: `What ${setting} does.`,
          synonyms: fakeDefaults.has(setting) ? [{ name: setting, value: fakeDefaults.get(setting) ?? null, source: 'default' }] : [],
        }))
        return { type, name, error: null, entries: entries.filter((entry) => names === undefined || names.includes(entry.name)) }
      })
    },
    async incrementalAlterConfigs(resources, options) {
      call('incrementalAlterConfigs')
      return resources.map(({ type, name, changes }) => {
        const topic = kafka.topics.get(name)
        if (topic === undefined) return { type, name, error: unknownTopic(name) }
        const bad = changes.find((change) => !fakeDefaults.has(change.name))
        if (bad !== undefined) return { type, name, error: kafkaFailure(40, `Unknown topic config name: ${bad.name}`) }
        if (options?.validateOnly === true) return { type, name, error: null }
        for (const change of changes) {
          if (change.operation === 'delete') topic.configs.delete(change.name)
          else topic.configs.set(change.name, change.value ?? '')
        }
        return { type, name, error: null }
      })
    },
    async listGroups() {
      call('listGroups')
      const groups = [...kafka.groups].map(([groupId, { state }]) => ({
        groupId,
        protocolType: 'consumer',
        state,
        type: 'classic',
        coordinatorId: 1,
      }))
      return { groups, failures: [] }
    },
    async describeGroups(groupIds) {
      call('describeGroups')
      return groupIds.map((groupId) => {
        const group = kafka.groups.get(groupId)
        return {
          groupId,
          state: group?.state ?? 'Dead',
          protocolType: 'consumer',
          protocolName: group !== undefined && group.members.length > 0 ? 'range' : '',
          coordinatorId: 1,
          error: null,
          members: (group?.members ?? []).map((member) => ({
            ...member,
            groupInstanceId: null,
            clientHost: '/127.0.0.1',
            subscribedTopics: [],
            metadataBytes: Buffer.alloc(0),
            assignmentBytes: Buffer.alloc(0),
            isParsed: true,
          })),
        }
      })
    },
    async deleteGroups(groupIds) {
      call('deleteGroups')
      return groupIds.map((name) => ({ name, error: kafka.groups.delete(name) ? null : kafkaFailure(69, 'There is no such group.') }))
    },
    async fetchOffsets(groups) {
      call('fetchOffsets')
      return groups.map(({ groupId, partitions }) => {
        const offsets = kafka.groups.get(groupId)?.offsets ?? new Map<string, number>()
        const keys = partitions?.map(({ topic, partition }) => `${topic}-${partition}`) ?? [...offsets.keys()]
        return {
          groupId,
          error: null,
          offsets: keys.map((key) => ({ ...placeOf(key), offset: offsets.get(key) ?? null, leaderEpoch: 0, metadata: '', error: null })),
        }
      })
    },
    async alterOffsets(groupId, offsets) {
      call('alterOffsets')
      const group = kafka.groups.get(groupId) ?? kafka.addGroup(groupId, {})
      return offsets.map(({ topic, partition, offset }) => {
        if (group.members.length > 0) return { topic, partition, error: kafkaFailure(25, 'The group has members.') }
        group.offsets.set(`${topic}-${partition}`, offset)
        return { topic, partition, error: null }
      })
    },
    async deleteOffsets(groupId, partitions) {
      call('deleteOffsets')
      for (const { topic, partition } of partitions) kafka.groups.get(groupId)?.offsets.delete(`${topic}-${partition}`)
      return partitions.map((place) => ({ ...place, error: null }))
    },
    async listOffsets(queries) {
      call('listOffsets')
      return queries.map((query) => listOne(kafka, query))
    },
    async deleteRecords(targets) {
      call('deleteRecords')
      return targets.map(({ topic, partition, beforeOffset }) => {
        kafka.partition(topic, partition).logStartOffset = beforeOffset
        return { topic, partition, logStartOffset: beforeOffset, error: null }
      })
    },
    async describeLogDirs() {
      call('describeLogDirs')
      const replicas = [...kafka.topics.values()].flatMap(({ name, partitions }) =>
        partitions.map(({ batches }, partition) => ({
          topic: name,
          partition,
          sizeBytes: batches.reduce((total, { bytes }) => total + bytes.length, 0),
          offsetLag: 0,
          isFuture: false,
        })),
      )
      return { directories: [{ nodeId: 1, path: '/data', totalBytes: 1e9, usableBytes: 5e8, replicas, error: null }], failures: [] }
    },
  }
  return partial as Admin
}

const fakeDefaults: ReadonlyMap<string, string> = new Map([
  ['retention.ms', '604800000'],
  ['retention.bytes', '-1'],
  ['segment.bytes', '1073741824'],
  ['cleanup.policy', 'delete'],
])

function producerOf(kafka: FakeKafka, call: (name: string) => void): Producer {
  let sentRecordCount = 0
  const send = async (record: ProducerRecord): Promise<RecordAcknowledgement> => {
    call('send')
    const topic = kafka.topics.get(record.topic)
    if (topic === undefined) throw unknownTopic(record.topic)
    const partition = record.partition ?? sentRecordCount % topic.partitions.length
    const timestampMs = record.timestampMs ?? Date.now()
    const offset = kafka.append(record.topic, partition, [
      { timestampMs, key: record.key ?? null, value: record.value, headers: record.headers },
    ])
    sentRecordCount += 1
    return { topic: record.topic, partition, offset, timestampMs }
  }
  return {
    send,
    sendAll: (records) =>
      Promise.all(
        records.map((record) =>
          send(record).then(
            (acknowledgement) => ({ acknowledgement, error: null }),
            (error: ClientError) => ({ acknowledgement: null, error }),
          ),
        ),
      ),
    flush: async () => undefined,
    close: async () => undefined,
    stats: () => ({ bufferedBytes: 0, bufferedRecordCount: 0, sentRecordCount, failedRecordCount: 0, retriedBatchCount: 0 }),
  }
}

/** Reads every partition from its start; there is no other member. */
function consumerOf(kafka: FakeKafka, topics: readonly string[]): GroupConsumer {
  const positions = new Map<string, number>()
  const paused = new Set<string>()
  const places = () => topics.flatMap((topic) => (kafka.topics.get(topic)?.partitions ?? []).map((_, partition) => ({ topic, partition })))
  const keyOf = ({ topic, partition }: { topic: string; partition: number }): string => `${topic}-${partition}`
  return {
    async poll() {
      await new Promise((resolve) => setImmediate(resolve))
      return places().flatMap((place) => {
        const log = kafka.partition(place.topic, place.partition)
        const position = positions.get(keyOf(place)) ?? log.logStartOffset
        if (paused.has(keyOf(place)) || position >= log.endOffset) return []
        const records = log.batches
          .flatMap(({ baseOffset, records: inBatch }) => inBatch.map((record, at) => ({ ...record, offset: baseOffset + at })))
          .filter(({ offset }) => offset >= position)
          .slice(0, 50)
          .map(({ offset, timestampMs, key, value }) => ({
            offset,
            timestampMs,
            key: key === null ? null : Buffer.from(key),
            value: value === null ? null : Buffer.from(value),
            headers: [],
          }))
        const nextOffset = position + records.length
        positions.set(keyOf(place), nextOffset)
        return [{ ...place, records, nextOffset, highWatermark: log.endOffset }]
      })
    },
    commit: async () => undefined,
    assignment: places,
    seek: (place, offset) => void positions.set(keyOf(place), offset),
    pause: (list) => list.forEach((place) => paused.add(keyOf(place))),
    resume: (list) => list.forEach((place) => paused.delete(keyOf(place))),
    state: 'stable',
    memberId: 'member',
    generationId: 1,
    close: async () => undefined,
  }
}
