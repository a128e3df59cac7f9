import fc from 'fast-check'
import type { ClusterPicture, DifferContext, PicturePartition, PictureTopic } from '../../../../broker/host/timeline/cluster-differ.ts'

export const partition = (over: Partial<PicturePartition> = {}): PicturePartition => ({
  partition: 0,
  leader: 1,
  leaderEpoch: 5,
  replicas: [1, 2, 3],
  isr: [1, 2, 3],
  ...over,
})

export const picture = (
  topics: Readonly<Record<string, readonly PicturePartition[]>>,
  brokers: readonly number[] = [1, 2, 3],
): ClusterPicture => ({
  brokers: brokers.map((nodeId) => ({ nodeId, host: '127.0.0.1', port: 9091 + nodeId })),
  topics: new Map(
    Object.entries(topics).map(([name, partitions]): [string, PictureTopic] => [name, { topicId: `id-${name}`, partitions }]),
  ),
})

export const context = (over: Partial<DifferContext> = {}): DifferContext => ({
  knownBrokers: new Set([1, 2, 3]),
  stoppingBrokers: new Set(),
  endedBrokers: new Set(),
  minInSyncReplicas: () => 2,
  ...over,
})

const replicas = [1, 2, 3, 4]

const partitionState = (index: number): fc.Arbitrary<PicturePartition> =>
  fc.record({
    partition: fc.constant(index),
    leader: fc.option(fc.constantFrom(...replicas)),
    leaderEpoch: fc.nat(20),
    replicas: fc.constant(replicas),
    isr: fc.subarray(replicas),
  })

/** Two pictures of one cluster with the same topics and partitions. */
export const picturePairs = fc.nat({ max: 12 }).chain((count) => {
  const one = fc.record({
    partitions: fc.tuple(...Array.from({ length: count }, (_unused, index) => partitionState(index))),
    brokers: fc.subarray(replicas),
  })
  return fc
    .tuple(one, one)
    .map(
      (pair) =>
        pair.map(({ partitions, brokers }) => picture({ orders: partitions, other: partitions }, brokers)) as [
          ClusterPicture,
          ClusterPicture,
        ],
    )
})
