import { describe, expect, it } from 'vitest'
import { applyRecords } from '../../../broker/cluster/apply-records.ts'
import { updateFeatures, UpgradeType } from '../../../broker/cluster/feature-control.ts'
import { MetadataImage } from '../../../broker/cluster/image.ts'
import { featureLevelRecord, partitionChangeRecord, removeTopicRecord, topicRecord } from '../../../broker/cluster/metadata-records.ts'
import { allocateProducerIds } from '../../../broker/cluster/producer-id-control.ts'
import { deleteTopics } from '../../../broker/cluster/topic-control.ts'
import { ErrorCode } from '../../../broker/wire/errors.ts'
import { CLUSTER_ID, TestCluster } from './cluster-fixture.ts'

const at = (offset: number) => ({ offset, epoch: 1 })

describe('applying records', () => {
  it('says what changed', () => {
    const cluster = new TestCluster().start(1)
    cluster.create({ name: 'a', partitionCount: 3 })
    const before = cluster.image
    const { id } = before.topic('a')!
    const { delta } = applyRecords(before, [partitionChangeRecord(id, 1, { isr: [1] })], at(before.offset + 1))
    expect(delta.before).toBe(before)
    expect([...delta.changedPartitions]).toEqual([[id, new Set([1])]])
    expect(delta).toMatchObject({ createdTopics: new Set(), deletedTopics: [], changedBrokers: new Set(), featuresChanged: false })
  })

  it('shares what did not change and leaves the old image as it was', () => {
    const cluster = new TestCluster().start(1)
    cluster.create({ name: 'a', partitionCount: 2 })
    cluster.create({ name: 'b' })
    const before = cluster.image
    const { image } = applyRecords(before, [partitionChangeRecord(before.topic('a')!.id, 1, { isr: [1] })], at(before.offset + 1))
    expect(image.topic('b')).toBe(before.topic('b'))
    expect(image.partition('a', 0)).toBe(before.partition('a', 0))
    expect(before.partition('a', 1)!.partitionEpoch).toBe(0)
    expect(image.partition('a', 1)!.partitionEpoch).toBe(1)
  })

  it('tells of a deleted topic as it last was, and nothing of one that came and went in between', () => {
    const cluster = new TestCluster().start(1)
    cluster.create({ name: 'a' })
    const { records } = deleteTopics(cluster.input, [{ name: 'a' }])
    const passing = cluster.newId()
    const { image, delta } = applyRecords(cluster.image, [...records, topicRecord('b', passing), removeTopicRecord(passing)], at(99))
    expect(delta.deletedTopics).toEqual([cluster.image.topic('a')])
    expect(delta.createdTopics.size).toBe(0)
    expect(image.topicCount).toBe(0)
  })

  it('stops at a record that contradicts the image', () => {
    const empty = MetadataImage.empty(CLUSTER_ID)
    const id = new TestCluster().newId()
    expect(() => applyRecords(empty, [partitionChangeRecord(id, 0, {})], at(0))).toThrow()
    expect(() => applyRecords(empty, [removeTopicRecord(id)], at(0))).toThrow()
    expect(() => applyRecords(empty, [topicRecord('a', id), topicRecord('a', id)], at(1))).toThrow()
  })
})

it('blocks of producer ids never overlap', () => {
  const cluster = new TestCluster().start(1)
  const { brokerEpoch } = cluster.image.broker(1)!
  const next = () => cluster.decide(allocateProducerIds(cluster.input, { brokerId: 1, brokerEpoch }))
  expect(next()).toMatchObject({ producerIdStart: 0, producerIdLen: 1000 })
  expect(next()).toMatchObject({ producerIdStart: 1000, producerIdLen: 1000 })
  const stale = allocateProducerIds(cluster.input, { brokerId: 1, brokerEpoch: brokerEpoch + 1 })
  expect(stale).toMatchObject({ records: [], answer: { errorCode: ErrorCode.STALE_BROKER_EPOCH } })
})

describe('feature levels', () => {
  const update = (feature: string, level: number) => {
    const image = applyRecords(MetadataImage.empty(CLUSTER_ID), [featureLevelRecord('metadata.version', 30)], at(0)).image
    return updateFeatures({ image, nextOffset: 1 }, [{ feature, level, upgradeType: UpgradeType.UPGRADE }])
  }

  it('move only within what this software supports', () => {
    expect(update('metadata.version', 30)).toMatchObject({ records: [], answer: { overall: { errorCode: ErrorCode.NONE } } })
    for (const [feature, level] of [
      ['metadata.version', 31],
      ['metadata.version', 25],
      ['metadata.version', 0],
      ['kraft.version', 0],
      ['transaction.version', 2],
    ] as const) {
      expect(update(feature, level), `${feature} ${level}`).toMatchObject({
        records: [],
        answer: { overall: { errorCode: ErrorCode.INVALID_UPDATE_VERSION } },
      })
    }
  })
})

it('a delta costs the same in a cluster of forty thousand partitions', () => {
  const cluster = new TestCluster().start(1, 2, 3)
  for (let topic = 0; topic < 1_000; topic++) cluster.create({ name: `topic-${topic}`, partitionCount: 4 })
  const { id } = cluster.image.topic('topic-500')!
  const { image } = applyRecords(cluster.image, [partitionChangeRecord(id, 0, { isr: [1] })], at(cluster.image.offset + 1))
  const untouched = [...image.topics()].filter((topic) => topic === cluster.image.topicById(topic.id))
  expect(untouched.length).toBe(999)
})
