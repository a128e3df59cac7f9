/**
 * DescribeLogDirs v1-5: this broker's log directory, its space, and the bytes of each replica in it. One that failed has
 * KAFKA_STORAGE_ERROR and is said to hold nothing, as in Kafka.
 *
 * A null list asks for every replica. v3: a top-level error. v4: the volume's total and usable bytes. v5: whether the
 * directory is cordoned, which none is.
 */
import { AclOperation, CLUSTER_NAME, ResourceType } from '../security/authorizer.ts'
import { ErrorCode } from '../wire/errors.ts'
import type { Decoded } from '../wire/schema.ts'
import { describeLogDirs } from './35-describe-log-dirs.schema.ts'
import type { BrokerServices } from './context.ts'
import type { HostedPartition } from './partitions.ts'
import { defineApi } from './registry.ts'

type Request = Decoded<typeof describeLogDirs.request>

const UNKNOWN_SPACE = { totalBytes: -1, freeBytes: -1 }

export const describeLogDirsApi = defineApi(describeLogDirs, {
  listeners: 'clients',
  async handle(request, context, services: Pick<BrokerServices, 'partitions'>) {
    if (!context.authorize(AclOperation.DESCRIBE, ResourceType.CLUSTER, CLUSTER_NAME)) {
      return { throttleTimeMs: 0, errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED, results: [] }
    }
    const { partitions } = services
    const isOffline = partitions.isLogDirectoryOffline
    const space = isOffline ? UNKNOWN_SPACE : await partitions.diskSpace()
    const directory = {
      errorCode: isOffline ? ErrorCode.KAFKA_STORAGE_ERROR : ErrorCode.NONE,
      logDir: partitions.logDirectory,
      topics: isOffline ? [] : sizesByTopic(partitions.hosted(), request),
      totalBytes: space.totalBytes,
      usableBytes: space.freeBytes,
      isCordoned: false,
    }
    return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, results: [directory] }
  },
})

function sizesByTopic(hosted: Iterable<HostedPartition>, request: Request) {
  const asked = request.topics === null ? null : new Map(request.topics.map(({ topic, partitions }) => [topic, new Set(partitions)]))
  const sizes = new Map<string, { partitionIndex: number; partitionSize: number; offsetLag: number; isFutureKey: boolean }[]>()
  for (const { topic, partition, log } of hosted) {
    if (asked !== null && asked.get(topic)?.has(partition) !== true) continue
    const replicas = sizes.get(topic) ?? []
    if (replicas.length === 0) sizes.set(topic, replicas)
    const offsetLag = Math.max(0, log.highWatermark - log.logEndOffset)
    replicas.push({ partitionIndex: partition, partitionSize: log.sizeBytes, offsetLag, isFutureKey: false })
  }
  return [...sizes].map(([name, replicas]) => ({ name, partitions: replicas }))
}
