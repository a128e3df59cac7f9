/**
 * A cluster in memory whose replicas move when a test says so: what reassignments, elections and throttles are asked of. Partitions
 * named in `refused` are refused by the controller; settings named there are refused too.
 */
import type { Admin, KafkaClient, OngoingReassignment, PartitionMetadata } from '../../broker/client/types.ts'
import { createKnowledge } from '../../broker/host/clusters/knowledge.ts'
import type { ClusterSession } from '../../broker/host/clusters/session.ts'
import { applyMetadata } from '../../broker/host/sampling/metadata-sampler.ts'
import { ErrorCode } from '../../broker/wire/errors.ts'
import { ClientError } from '../../broker/client/error.ts'
import { kafkaFailure } from './fake-kafka/state.ts'

interface FakeReplicas {
  replicas: number[]
  isr: number[]
  leader: number | null
  adding: number[]
  removing: number[]
}

export class FakeMoves {
  readonly alive = new Set([1, 2, 3])
  readonly refused = new Set<string>()
  /** Values by `topic orders` or `broker 1`, by name. */
  readonly settings = new Map<string, Map<string, string>>()
  readonly topics = new Map<string, FakeReplicas[]>()
  /** Copied so far, by `orders 0 3`: topic, partition, broker. */
  readonly sizes = new Map<string, number>()
  readonly elected: string[] = []
  isDown = false
  /** What brokers tell of their settings where they have not heard of a change yet. */
  toldSettings: ReadonlyMap<string, ReadonlyMap<string, string>> | null = null
  /** A change of settings is answered, and done, once this is. */
  settingsGate: Promise<void> = Promise.resolve()
  /** What the host's samplers know stays as it is. */
  isKnowledgeOld = false
  readonly #closing = new AbortController()
  readonly session: ClusterSession

  constructor() {
    const knowledge = createKnowledge()
    const client: Partial<KafkaClient> = { admin: adminOf(this) }
    const session: Partial<ClusterSession> = {
      id: 'test',
      name: 'Test',
      client: client as KafkaClient,
      knowledge,
      signal: this.#closing.signal,
      demandWritable: () => undefined,
    }
    this.session = session as ClusterSession
  }

  addTopic(name: string, replicas: readonly (readonly number[])[]): void {
    const partitions = replicas.map((ids) => ({ replicas: [...ids], isr: [...ids], leader: ids[0] ?? null, adding: [], removing: [] }))
    this.topics.set(name, partitions)
    this.learn()
  }

  partition(topic: string, partition: number): FakeReplicas {
    const found = this.topics.get(topic)?.[partition]
    if (found === undefined) throw new Error(`no partition ${topic}-${partition}`)
    return found
  }

  /** What was being added is in sync, what goes is gone. */
  arrive(topic: string, partition: number): void {
    const moving = this.partition(topic, partition)
    moving.replicas = moving.replicas.filter((id) => !moving.removing.includes(id))
    moving.isr = [...moving.replicas]
    if (moving.leader !== null && !moving.replicas.includes(moving.leader)) moving.leader = moving.replicas[0] ?? null
    moving.adding = []
    moving.removing = []
    this.learn()
  }

  /** The host's knowledge catches up, as its metadata sampler makes it do. */
  learn(): void {
    if (this.isKnowledgeOld) return
    applyMetadata(this.session.knowledge, {
      clusterId: 'fake',
      controllerId: 1,
      brokers: [...this.alive].map((nodeId) => ({ nodeId, host: '127.0.0.1', port: 9091 + nodeId, rack: null })),
      topics: new Map([...this.topics.keys()].map((name) => [name, described(this, name)])),
      fetchedMs: 0,
    })
  }

  /** From now on brokers tell the settings there are now, whatever is set. */
  holdSettings(): void {
    this.toldSettings = new Map([...this.settings].map(([resource, own]) => [resource, new Map(own)]))
  }

  settingOf(resource: string, name: string): string | null {
    return this.settings.get(resource)?.get(name) ?? null
  }

  close(): void {
    this.#closing.abort()
  }
}

function described(fake: FakeMoves, name: string) {
  const partitions = (fake.topics.get(name) ?? []).map(({ replicas, isr, leader }, partition): PartitionMetadata => ({
    partition,
    leader,
    leaderEpoch: 0,
    replicas: [...replicas],
    isr: [...isr],
    offlineReplicas: [],
    error: null,
  }))
  return { name, topicId: `id-of-${name}`, isInternal: false, error: null, partitions }
}

function adminOf(fake: FakeMoves): Admin {
  const demandUp = (): void => {
    if (fake.isDown) throw new ClientError('CLUSTER_UNREACHABLE', 'No bootstrap server could be reached.')
  }
  const partial: Partial<Admin> = {
    async describeTopics(names) {
      demandUp()
      return (names === 'all' ? [...fake.topics.keys()] : names).map((name) => described(fake, name))
    },
    async alterPartitionReassignments(wished) {
      demandUp()
      const results = wished.map(({ topic, partition, replicas }) => {
        const place = { topic, partition }
        if (fake.refused.has(`${topic} ${partition}`))
          return { ...place, error: kafkaFailure(ErrorCode.POLICY_VIOLATION, `${topic}-${partition} is kept where it is.`) }
        const present = fake.partition(topic, partition)
        const original = present.replicas.filter((id) => !present.adding.includes(id))
        if (replicas === null) {
          if (present.adding.length + present.removing.length === 0)
            return { ...place, error: kafkaFailure(ErrorCode.NO_REASSIGNMENT_IN_PROGRESS, 'It does not move.') }
          Object.assign(present, { replicas: original, adding: [], removing: [] })
          return { ...place, error: null }
        }
        const removing = original.filter((id) => !replicas.includes(id))
        const adding = replicas.filter((id) => !original.includes(id))
        Object.assign(present, { replicas: [...replicas, ...removing], adding, removing })
        return { ...place, error: null }
      })
      fake.learn()
      return results
    },
    async listPartitionReassignments() {
      demandUp()
      return [...fake.topics].flatMap(([topic, partitions]) =>
        partitions.flatMap(({ replicas, adding, removing }, partition): OngoingReassignment[] =>
          adding.length + removing.length === 0
            ? []
            : [{ topic, partition, replicas: [...replicas], addingReplicas: [...adding], removingReplicas: [...removing] }],
        ),
      )
    },
    async electLeaders(_type, partitions) {
      demandUp()
      return (partitions === 'all' ? [] : partitions).map(({ topic, partition }) => {
        const present = fake.partition(topic, partition)
        const preferred = present.replicas[0]
        if (preferred === undefined || !present.isr.includes(preferred))
          return { topic, partition, error: kafkaFailure(ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE, `Broker ${preferred} is not in sync.`) }
        present.leader = preferred
        fake.elected.push(`${topic}-${partition}`)
        return { topic, partition, error: null }
      })
    },
    async describeLogDirs() {
      demandUp()
      const replicas = [...fake.sizes].map(([key, sizeBytes]) => {
        const [topic = '', partition, nodeId] = key.split(' ')
        return { nodeId: Number(nodeId), replica: { topic, partition: Number(partition), sizeBytes, offsetLag: 0, isFuture: false } }
      })
      const directories = [...Map.groupBy(replicas, ({ nodeId }) => nodeId)].map(([nodeId, own]) => ({
        nodeId,
        path: '/data',
        totalBytes: -1,
        usableBytes: -1,
        replicas: own.map(({ replica }) => replica),
        error: null,
      }))
      return { directories, failures: [] }
    },
    async describeConfigs(resources) {
      demandUp()
      return resources.map(({ type, name, names }) => ({
        type,
        name,
        error:
          type === 'topic' && !fake.topics.has(name)
            ? kafkaFailure(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `There is no topic ${name}.`)
            : null,
        entries: [...((fake.toldSettings ?? fake.settings).get(`${type} ${name}`) ?? [])]
          .filter(([setting]) => names === undefined || names.includes(setting))
          .map(([setting, value]) => ({
            name: setting,
            value,
            source: type === 'topic' ? ('topic' as const) : ('broker' as const),
            isReadOnly: false,
            isSensitive: false,
            type: 'string',
            documentation: null,
            synonyms: [],
          })),
      }))
    },
    async incrementalAlterConfigs(resources) {
      demandUp()
      await fake.settingsGate
      return resources.map(({ type, name, changes }) => {
        const key = `${type} ${name}`
        if (fake.refused.has(key)) return { type, name, error: kafkaFailure(ErrorCode.POLICY_VIOLATION, `Settings of ${key} are kept.`) }
        const own = fake.settings.get(key) ?? new Map<string, string>()
        fake.settings.set(key, own)
        for (const change of changes) {
          if (change.operation === 'delete') own.delete(change.name)
          else own.set(change.name, change.value ?? '')
        }
        return { type, name, error: null }
      })
    },
  }
  return partial as Admin
}
