/** What administrators ask about topics of the cluster in memory. */
import type { Admin, ConfigEntry, TopicMetadata } from '../../../broker/client/types.ts'
import { listOne } from './log.ts'
import { kafkaFailure, unknownTopic, type FakeKafkaState } from './state.ts'

const fakeDefaults: ReadonlyMap<string, string> = new Map([
  ['retention.ms', '604800000'],
  ['retention.bytes', '-1'],
  ['segment.bytes', '1073741824'],
  ['cleanup.policy', 'delete'],
])

export function describeTopic(kafka: FakeKafkaState, name: string): TopicMetadata {
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

export function topicsAdmin(kafka: FakeKafkaState): Partial<Admin> {
  return {
    async describeTopics(names) {
      kafka.call('describeTopics')
      return (names === 'all' ? [...kafka.topics.keys()] : names).map((name) => describeTopic(kafka, name))
    },
    async createTopics(topics, options) {
      kafka.call('createTopics')
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
      kafka.call('deleteTopics')
      return names.map((name) => ({ name, error: kafka.topics.delete(name) ? null : unknownTopic(name) }))
    },
    async createPartitions(topics) {
      kafka.call('createPartitions')
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
      kafka.call('describeConfigs')
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
      kafka.call('incrementalAlterConfigs')
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
    async listOffsets(queries) {
      kafka.call('listOffsets')
      return queries.map((query) => listOne(kafka, query))
    },
    async deleteRecords(targets) {
      kafka.call('deleteRecords')
      return targets.map(({ topic, partition, beforeOffset }) => {
        const log = kafka.partition(topic, partition)
        const refused = { topic, partition, logStartOffset: null }
        if (kafka.topics.get(topic)?.configs.get('cleanup.policy') === 'compact')
          return { ...refused, error: kafkaFailure(44, 'Refused by a policy.') }
        if (log.leader === null) return { ...refused, error: kafkaFailure(5, 'There is no leader.') }
        if (beforeOffset > log.endOffset) return { ...refused, error: kafkaFailure(1, 'The offset is out of range.') }
        log.logStartOffset = Math.max(log.logStartOffset, beforeOffset)
        return { topic, partition, logStartOffset: log.logStartOffset, error: null }
      })
    },
    async describeLogDirs() {
      kafka.call('describeLogDirs')
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
}
