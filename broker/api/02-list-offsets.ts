/**
 * ListOffsets v1-11: where a partition starts and ends, and the first record at or after a time.
 *
 * Special timestamps: -1 latest (high watermark, last stable offset with read_committed, log end for replicas), -2
 * earliest, -3 the record with the largest timestamp (v7+), -4 earliest local (v8+), -5 latest tiered (v9+) and -6
 * earliest pending upload (v11+), both of which nothing has here. v4: leader epochs. v5: while a new leader does not yet
 * know its high watermark the answer is OFFSET_NOT_AVAILABLE, before that LEADER_NOT_AVAILABLE. A partition named twice
 * is INVALID_REQUEST.
 */
import { AclOperation, ResourceType } from '../security/authorizer.ts'
import { ErrorCode } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { listOffsets } from './02-list-offsets.schema.ts'
import type { BrokerServices, RequestContext } from './context.ts'
import { speaksFor } from './node-identity.ts'
import type { HostedPartition, Isolation } from './partitions.ts'
import { defineApi } from './registry.ts'

type Request = Decoded<typeof listOffsets.request>
type Asked = Request['topics'][number]['partitions'][number]
type Response = Encodable<typeof listOffsets.response>
type Answer = Response['topics'][number]['partitions'][number]
type Services = Pick<BrokerServices, 'partitions'>

const LATEST = -1
const EARLIEST = -2
const MAX_TIMESTAMP = -3
const EARLIEST_LOCAL = -4
const LATEST_TIERED = -5
const EARLIEST_PENDING_UPLOAD = -6

/** The version that brought each special timestamp. */
const specialSince: ReadonlyMap<number, number> = new Map([
  [LATEST, 1],
  [EARLIEST, 1],
  [MAX_TIMESTAMP, 7],
  [EARLIEST_LOCAL, 8],
  [LATEST_TIERED, 9],
  [EARLIEST_PENDING_UPLOAD, 11],
])
const NOT_AVAILABLE_SINCE = 5
const READ_COMMITTED = 1

export const listOffsetsApi = defineApi(listOffsets, {
  listeners: 'everywhere',
  failure: (request, error) => ({
    topics: request.topics.map(({ name, partitions }) => ({ name, partitions: partitions.map((asked) => failed(asked, error)) })),
  }),
  async handle(request, context, services: Services) {
    const isolation = isolationOf(request, context)
    const repeated = repeatedPartitions(request)
    const topics: { name: string; partitions: Answer[] }[] = []
    for (const { name, partitions } of request.topics) {
      const isAllowed = context.authorize(AclOperation.DESCRIBE, ResourceType.TOPIC, name)
      const answers: Answer[] = []
      for (const asked of partitions) {
        if (!isAllowed) answers.push(failed(asked, ErrorCode.TOPIC_AUTHORIZATION_FAILED))
        else if (repeated.has(`${name}/${asked.partitionIndex}`)) answers.push(failed(asked, ErrorCode.INVALID_REQUEST))
        else answers.push(await answer(name, asked, isolation, context.apiVersion, services))
      }
      topics.push({ name, partitions: answers })
    }
    return { topics }
  },
})

function isolationOf(request: Request, context: RequestContext): Isolation {
  if (request.replicaId >= 0 && speaksFor(context, request.replicaId)) return 'replica'
  return request.isolationLevel === READ_COMMITTED ? 'readCommitted' : 'readUncommitted'
}

function repeatedPartitions(request: Request): ReadonlySet<string> {
  const seen = new Set<string>()
  const repeated = new Set<string>()
  for (const { name, partitions } of request.topics) {
    for (const { partitionIndex } of partitions) {
      const key = `${name}/${partitionIndex}`
      if (seen.has(key)) repeated.add(key)
      seen.add(key)
    }
  }
  return repeated
}

async function answer(topic: string, asked: Asked, isolation: Isolation, apiVersion: number, services: Services): Promise<Answer> {
  const isKnown = asked.timestamp >= 0 || (specialSince.get(asked.timestamp) ?? Infinity) <= apiVersion
  if (!isKnown) return failed(asked, ErrorCode.UNSUPPORTED_VERSION)
  const { partition, error } = services.partitions.leader(topic, asked.partitionIndex, asked.currentLeaderEpoch)
  if (partition === null) return failed(asked, error)
  const found = await locate(partition, asked.timestamp, isolation)
  if (isolation !== 'replica' && asked.timestamp !== EARLIEST && isUncertain(partition, asked.timestamp, found.offset)) {
    return failed(asked, apiVersion >= NOT_AVAILABLE_SINCE ? ErrorCode.OFFSET_NOT_AVAILABLE : ErrorCode.LEADER_NOT_AVAILABLE)
  }
  return { partitionIndex: asked.partitionIndex, errorCode: ErrorCode.NONE, ...found }
}

interface Location {
  readonly offset: number
  readonly timestamp: number
  readonly leaderEpoch: number
}

const NOWHERE: Location = { offset: -1, timestamp: -1, leaderEpoch: -1 }

async function locate(partition: HostedPartition, timestamp: number, isolation: Isolation): Promise<Location> {
  const { log } = partition
  const end = partition.visibleEnd(isolation)
  switch (timestamp) {
    case LATEST:
      return { offset: end, timestamp: -1, leaderEpoch: log.latestEpoch }
    case EARLIEST:
    case EARLIEST_LOCAL:
      return { offset: log.logStartOffset, timestamp: -1, leaderEpoch: log.epochForOffset(log.logStartOffset) }
    case LATEST_TIERED:
    case EARLIEST_PENDING_UPLOAD:
      return NOWHERE
    default: {
      const found = timestamp === MAX_TIMESTAMP ? await log.offsetOfMaxTimestamp(end) : await log.offsetForTimestamp(timestamp, end)
      return found === null ? NOWHERE : { offset: found.offset, timestamp: found.timestampMs, leaderEpoch: found.leaderEpoch }
    }
  }
}

/** A new leader may know less than its followers committed: until it does, the end is not to be told (KIP-207). */
function isUncertain({ log, leaderEpochStartOffset }: HostedPartition, timestamp: number, offset: number): boolean {
  if (log.highWatermark >= leaderEpochStartOffset) return false
  return timestamp === LATEST || offset < 0 || offset >= log.highWatermark
}

function failed(asked: Asked, errorCode: ErrorCode): Answer {
  return { partitionIndex: asked.partitionIndex, errorCode }
}
