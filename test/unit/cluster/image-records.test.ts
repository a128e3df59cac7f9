/** An image as records, and the difference of two images: what snapshots are made of and told by. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { applyRecords } from '../../../broker/cluster/apply-records.ts'
import { imageDiff } from '../../../broker/cluster/image-diff.ts'
import { imageRecords } from '../../../broker/cluster/image-records.ts'
import { ConfigResourceType, MetadataImage } from '../../../broker/cluster/image.ts'
import type { MetadataDelta } from '../../../broker/cluster/metadata-delta.ts'
import {
  accessControlEntryRecord,
  clientQuotaRecord,
  configRecord,
  decodeMetadataRecord,
  encodeMetadataRecord,
  partitionChangeRecord,
  scramCredentialRecord,
  type MetadataRecord,
} from '../../../broker/cluster/metadata-records.ts'
import { allocateProducerIds } from '../../../broker/cluster/producer-id-control.ts'
import { deleteTopics } from '../../../broker/cluster/topic-control.ts'
import { CLUSTER_ID, TestCluster } from './cluster-fixture.ts'

const topic = fc.constantFrom('a', 'b.c', 'd')
const step = fc.oneof(
  fc.record({ kind: fc.constant('create' as const), topic, count: fc.integer({ min: 1, max: 5 }) }),
  fc.record({ kind: fc.constant('delete' as const), topic }),
  fc.record({ kind: fc.constant('shrink' as const), topic }),
  fc.record({ kind: fc.constant('config' as const), topic, value: fc.option(fc.constantFrom('1000', '2000')) }),
  fc.record({ kind: fc.constant('fence' as const), broker: fc.constantFrom(1, 2, 3) }),
  fc.record({ kind: fc.constant('restart' as const), broker: fc.constantFrom(1, 2, 3, 4) }),
  fc.record({ kind: fc.constant('producerIds' as const) }),
  fc.record({ kind: fc.constant('quota' as const), user: fc.option(fc.constantFrom('ann', 'bob')), limit: fc.integer({ min: 1, max: 9 }) }),
  fc.record({ kind: fc.constant('access' as const) }),
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

function take(cluster: TestCluster, event: Step): void {
  const write = (...records: MetadataRecord[]) => cluster.decide({ records, answer: null })
  switch (event.kind) {
    case 'create':
      cluster.create({ name: event.topic, partitionCount: event.count, replicationFactor: 3 })
      return
    case 'delete':
      cluster.decide(deleteTopics(cluster.input, [{ name: event.topic }]))
      return
    case 'shrink': {
      const partition = cluster.image.partition(event.topic, 0)
      if (partition === undefined) return
      write(
        partitionChangeRecord(cluster.image.topic(event.topic)!.id, 0, {
          isr: partition.isr.slice(0, 1),
          eligibleLeaderReplicas: partition.isr.slice(1),
        }),
      )
      return
    }
    case 'config':
      if (cluster.image.topic(event.topic) !== undefined)
        write(configRecord(ConfigResourceType.TOPIC, event.topic, 'retention.ms', event.value))
      return
    case 'fence':
      cluster.fence(event.broker)
      return
    case 'restart':
      cluster.start(event.broker)
      return
    case 'producerIds':
      cluster.decide(allocateProducerIds(cluster.input, { brokerId: 1, brokerEpoch: cluster.image.broker(1)!.brokerEpoch }))
      return
    case 'quota':
      write(clientQuotaRecord({ user: event.user, 'client-id': null }, 'producer_byte_rate', event.limit))
      return
    case 'access':
      write(
        accessControlEntryRecord({
          id: cluster.newId(),
          resourceType: 2,
          resourceName: 'a',
          patternType: 3,
          principal: 'User:ann',
          host: '*',
          operation: 3,
          permissionType: 3,
        }),
      )
      write(
        scramCredentialRecord({
          user: 'ann',
          mechanism: 1,
          salt: Buffer.from('salt'),
          storedKey: Buffer.from('stored'),
          serverKey: Buffer.from('server'),
          iterations: 4096,
        }),
      )
  }
}

/** Everything in an image, in a form that compares by content. */
function contentOf(image: MetadataImage) {
  const sorted = <T>(entries: Iterable<readonly [string | number, T]>) => [...entries].sort(([one], [other]) => (one < other ? -1 : 1))
  return {
    at: [image.offset, image.epoch, image.clusterId],
    brokers: sorted(image.brokers),
    controllers: sorted(image.controllers),
    topics: sorted(image.topicsById),
    names: sorted(image.topicIdsByName),
    collisions: sorted(image.topicNamesByCollisionKey),
    partitionCount: image.partitionCount,
    configs: sorted(image.configs),
    features: sorted(image.features),
    nextProducerId: image.nextProducerId,
    quotas: sorted(image.clientQuotas),
    access: sorted(image.accessControlEntries),
    scram: sorted(image.scramCredentials).map(([key, value]) => [key, { ...value, salt: Buffer.from(value.salt).toString() }]),
  }
}

const rebuilt = (image: MetadataImage): MetadataImage => {
  const records = [...imageRecords(image)].map((record) => decodeMetadataRecord(encodeMetadataRecord(record)))
  return applyRecords(MetadataImage.empty(CLUSTER_ID), records, { offset: image.offset, epoch: image.epoch }).image
}

const comparable = (delta: MetadataDelta) => ({
  createdTopics: [...delta.createdTopics].sort(),
  deletedTopics: delta.deletedTopics.map(({ id }) => id).sort(),
  changedPartitions: [...delta.changedPartitions].map(([id, partitions]) => [id, [...partitions].sort()]).sort(),
})

it('a snapshot and the log behind it give the same image as the whole log', () => {
  let topics = 0
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), fc.array(step, { maxLength: 10 }), (before, after) => {
      const cluster = new TestCluster().start(1, 2, 3)
      for (const event of before) take(cluster, event)
      const atSnapshot = cluster.image
      const snapshot = rebuilt(atSnapshot)
      expect(contentOf(snapshot)).toEqual(contentOf(atSnapshot))
      for (const event of after) take(cluster, event)
      const rest = cluster.log.slice(atSnapshot.offset + 1)
      const image = rest.length === 0 ? snapshot : applyRecords(snapshot, rest, { offset: cluster.log.length - 1, epoch: 1 }).image
      expect(contentOf(image)).toEqual(contentOf(cluster.image))
      topics += image.topicCount
    }),
    { numRuns: 150 },
  )
  expect(topics).toBeGreaterThan(20)
})

it('the difference of two images names what the records between them changed', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 15 }), fc.array(step, { minLength: 1, maxLength: 15 }), (before, after) => {
      const cluster = new TestCluster().start(1, 2, 3)
      for (const event of before) take(cluster, event)
      const former = cluster.image
      for (const event of after) take(cluster, event)
      const records = cluster.log.slice(former.offset + 1)
      fc.pre(records.length > 0)
      const { delta } = applyRecords(former, records, { offset: cluster.log.length - 1, epoch: 1 })
      const diff = imageDiff(former, rebuilt(cluster.image))
      expect(comparable(diff)).toEqual(comparable(delta))
      // Records may set what was set already; a difference names only what differs.
      for (const id of diff.changedBrokers) expect(delta.changedBrokers).toContain(id)
      for (const config of diff.changedConfigs)
        expect(delta.changedConfigs.some(({ name }) => name === config.name) || former.topic(config.name) !== undefined).toBe(true)
      for (const [id, registration] of cluster.image.brokers)
        if (former.broker(id) !== registration && former.broker(id)?.fenced !== registration.fenced)
          expect(diff.changedBrokers).toContain(id)
    }),
    { numRuns: 150 },
  )
})
