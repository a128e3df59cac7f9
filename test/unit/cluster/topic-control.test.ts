import { describe, expect, it } from 'vitest'
import { createPartitions, createTopics, deleteTopics } from '../../../broker/cluster/topic-control.ts'
import { topicNameProblem } from '../../../broker/cluster/topic-name.ts'
import { ConfigResourceType } from '../../../broker/cluster/image.ts'
import { ErrorCode } from '../../../broker/wire/errors.ts'
import { TestCluster } from './cluster-fixture.ts'

const codeOf = ({ errorCode }: { readonly errorCode: number }): number => errorCode

describe('topic names', () => {
  it.each(['a', 'A.b_c-9', 'x'.repeat(249), '...'])('%s is legal', (name) => expect(topicNameProblem(name)).toBeNull())
  it.each(['', '.', '..', 'a b', 'ä', 'a/b', 'x'.repeat(250)])('%j is refused', (name) => expect(topicNameProblem(name)).not.toBeNull())
})

describe('creating topics', () => {
  it('spreads leaders over the brokers, also of topics with one partition', () => {
    const cluster = new TestCluster().start(1, 2, 3)
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) cluster.create({ name })
    const leaders = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => cluster.image.partition(name, 0)!.leader)
    expect(leaders).toEqual([1, 2, 3, 1, 2, 3])
  })

  it('takes the defaults for -1, and no more replicas than there are brokers', () => {
    const cluster = new TestCluster().start(1, 2)
    expect(cluster.create({ name: 'a', partitionCount: -1, replicationFactor: -1 })).toMatchObject({
      partitionCount: 2,
      replicationFactor: 2,
    })
  })

  it('counts only brokers that are up as in sync', () => {
    const cluster = new TestCluster().start(1)
    cluster.register(2)
    cluster.create({ name: 'a', replicationFactor: 2 })
    expect(cluster.image.partition('a', 0)).toMatchObject({ replicas: [1, 2], isr: [1], leader: 1 })
  })

  it('refuses what cannot be', () => {
    const cluster = new TestCluster().start(1)
    cluster.create({ name: 'my.topic' })
    expect(codeOf(cluster.create({ name: 'my.topic' }))).toBe(ErrorCode.TOPIC_ALREADY_EXISTS)
    expect(codeOf(cluster.create({ name: 'my_topic' }))).toBe(ErrorCode.INVALID_TOPIC_EXCEPTION)
    expect(codeOf(cluster.create({ name: 'a b' }))).toBe(ErrorCode.INVALID_TOPIC_EXCEPTION)
    expect(codeOf(cluster.create({ name: 'a', partitionCount: 0 }))).toBe(ErrorCode.INVALID_PARTITIONS)
    expect(codeOf(cluster.create({ name: 'a', partitionCount: 10_001 }))).toBe(ErrorCode.POLICY_VIOLATION)
    expect(codeOf(cluster.create({ name: 'a', replicationFactor: 0 }))).toBe(ErrorCode.INVALID_REPLICATION_FACTOR)
    expect(codeOf(cluster.create({ name: 'a', replicationFactor: 2 }))).toBe(ErrorCode.INVALID_REPLICATION_FACTOR)
    const byHand = { partitionCount: -1, replicationFactor: -1 }
    expect(codeOf(cluster.create({ name: 'a', ...byHand, assignments: new Map([[1, [1]]]) }))).toBe(ErrorCode.INVALID_REPLICA_ASSIGNMENT)
    expect(codeOf(cluster.create({ name: 'a', ...byHand, assignments: new Map([[0, [1, 1]]]) }))).toBe(ErrorCode.INVALID_REPLICA_ASSIGNMENT)
    expect(codeOf(cluster.create({ name: 'a', ...byHand, assignments: new Map([[0, [7]]]) }))).toBe(ErrorCode.INVALID_REPLICA_ASSIGNMENT)
    expect(codeOf(cluster.create({ name: 'a', assignments: new Map([[0, [1]]]) }))).toBe(ErrorCode.INVALID_REQUEST)
    expect(codeOf(cluster.create({ name: 'a', configs: [{ name: 'list', value: 'x'.repeat(32_768) }] }))).toBe(ErrorCode.INVALID_CONFIG)
    const tooMany = new Map(Array.from({ length: 10_001 }, (_, index) => [index, [1]]))
    expect(codeOf(cluster.create({ name: 'a', ...byHand, assignments: tooMany }))).toBe(ErrorCode.POLICY_VIOLATION)
    expect(cluster.image.topicCount).toBe(1)
  })

  it('says how many replicas were wanted and how many brokers could take them', () => {
    const cluster = new TestCluster().start(1, 2, 3)
    cluster.create({ name: 'enlarged', replicationFactor: 3 })
    cluster.create({ name: 'kept', assignments: new Map([[0, [3]]]), partitionCount: -1, replicationFactor: -1 })
    cluster.beat(3, { wantShutDown: true })
    const problem = {
      errorCode: ErrorCode.INVALID_REPLICATION_FACTOR,
      errorMessage: 'A replication factor of 3 needs as many brokers, and 2 are registered and not shutting down.',
    }
    expect(cluster.create({ name: 'a', replicationFactor: 3 })).toEqual(problem)
    expect(cluster.decide(createPartitions(cluster.input, [{ name: 'enlarged', count: 2, assignments: null }]))).toEqual([problem])
  })

  it('refuses both of two that collide within one request', () => {
    const cluster = new TestCluster().start(1)
    const topic = (name: string) => ({ name, partitionCount: 1, replicationFactor: 1, assignments: new Map(), configs: [] })
    const options = { defaults: { partitionCount: 1, replicationFactor: 1 }, newTopicId: () => cluster.newId(), configProblem: () => null }
    const answer = cluster.decide(createTopics(cluster.input, [topic('a.b'), topic('a_b'), topic('twice'), topic('twice')], options))
    expect(answer.map(codeOf)).toEqual([
      ErrorCode.NONE,
      ErrorCode.INVALID_TOPIC_EXCEPTION,
      ErrorCode.INVALID_REQUEST,
      ErrorCode.INVALID_REQUEST,
    ])
  })

  it('asks the rules about the settings and stores them', () => {
    const cluster = new TestCluster().start(1)
    const topic = {
      name: 'a',
      partitionCount: 1,
      replicationFactor: 1,
      assignments: new Map(),
      configs: [{ name: 'retention.ms', value: '1' }],
    }
    const options = { defaults: { partitionCount: 1, replicationFactor: 1 }, newTopicId: () => cluster.newId() }
    const refused = createTopics(cluster.input, [topic], { ...options, configProblem: (settings) => `no ${[...settings.keys()].join()}` })
    expect(refused).toMatchObject({ records: [], answer: [{ errorCode: ErrorCode.INVALID_CONFIG, errorMessage: 'no retention.ms' }] })
    cluster.decide(createTopics(cluster.input, [topic], { ...options, configProblem: () => null }))
    expect(cluster.image.configOf(ConfigResourceType.TOPIC, 'a')).toEqual(new Map([['retention.ms', '1']]))
  })
})

describe('deleting topics', () => {
  it('takes names and ids, and the settings go too', () => {
    const cluster = new TestCluster().start(1)
    cluster.create({ name: 'a', configs: [{ name: 'retention.ms', value: '1' }] })
    cluster.create({ name: 'b', partitionCount: 3 })
    const { id } = cluster.image.topic('b')!
    const answer = cluster.decide(deleteTopics(cluster.input, [{ name: 'a' }, { id }, { name: 'c' }, { id: cluster.newId() }]))
    expect(answer.map(codeOf)).toEqual([ErrorCode.NONE, ErrorCode.NONE, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, ErrorCode.UNKNOWN_TOPIC_ID])
    expect(cluster.image).toMatchObject({ topicCount: 0, partitionCount: 0 })
    expect(cluster.image.configOf(ConfigResourceType.TOPIC, 'a').size).toBe(0)
    expect(codeOf(cluster.create({ name: 'a' }))).toBe(ErrorCode.NONE)
  })

  it('refuses a topic named twice, by name and by id', () => {
    const cluster = new TestCluster().start(1)
    cluster.create({ name: 'a' })
    const { id } = cluster.image.topic('a')!
    expect(deleteTopics(cluster.input, [{ name: 'a' }, { id }])).toMatchObject({ records: [] })
  })
})

describe('adding partitions', () => {
  const more = (name: string, count: number, assignments: readonly (readonly number[])[] | null = null) => ({ name, count, assignments })

  it('adds up to the total, with as many replicas as the topic has', () => {
    const cluster = new TestCluster().start(1, 2)
    cluster.create({ name: 'a', replicationFactor: 2 })
    expect(cluster.decide(createPartitions(cluster.input, [more('a', 3)]))).toEqual([{ errorCode: ErrorCode.NONE }])
    expect(cluster.image.topic('a')!.partitions.map(({ replicas }) => replicas.length)).toEqual([2, 2, 2])
    expect(cluster.decide(createPartitions(cluster.input, [more('a', 4, [[2, 1]])]))).toEqual([{ errorCode: ErrorCode.NONE }])
    expect(cluster.image.partition('a', 3)).toMatchObject({ replicas: [2, 1], leader: 2 })
  })

  it('refuses fewer, as many, none such, and replicas that do not fit', () => {
    const cluster = new TestCluster().start(1, 2)
    cluster.create({ name: 'a', partitionCount: 2 })
    const code = (topic: ReturnType<typeof more>) => createPartitions(cluster.input, [topic]).answer[0]!.errorCode
    expect(code(more('a', 1))).toBe(ErrorCode.INVALID_PARTITIONS)
    expect(code(more('a', 2))).toBe(ErrorCode.INVALID_PARTITIONS)
    expect(code(more('b', 3))).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    expect(code(more('a', 3, [[1], [2]]))).toBe(ErrorCode.INVALID_REPLICA_ASSIGNMENT)
    expect(code(more('a', 3, [[1, 2]]))).toBe(ErrorCode.INVALID_REPLICA_ASSIGNMENT)
  })
})
