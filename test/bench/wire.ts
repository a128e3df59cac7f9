/**
 * What the codec costs: `node test/bench/wire.ts`. Each subject runs for a fixed time after warming up; figures are the best
 * of several rounds. "closures" is the interpreter of test/support/wire/reference-codec.ts, which the compiled codec replaces.
 *
 * On two shared cores (x64, Node 24), compiled: 5.1 M Produce requests decoded and 4.3 M encoded a second, 0.9 M and 0.7 M Fetch
 * responses of ten partitions; 7 to 19 times the closures' decoding and 13 to 27 times their encoding. Part of that is the
 * reference's clarity (it copies, and allocates per field); the rest was reason enough to compile.
 */
import { performance } from 'node:perf_hooks'
import { pathToFileURL } from 'node:url'
import { fetch } from '../../broker/api/01-fetch.schema.ts'
import { metadata } from '../../broker/api/03-metadata.schema.ts'
import { produce } from '../../broker/api/00-produce.schema.ts'
import { decodeMessage, encodeMessage, encodeToBuffer } from '../../broker/wire/codec.ts'
import { compressionNames, isCompression } from '../../broker/wire/compression.ts'
import { batchCrcIsValid, encodeBatch, readBatchHeader, recordsIn, validateRecords } from '../../broker/wire/record-batch.ts'
import type { Message } from '../../broker/wire/schema.ts'
import { referenceCodec } from '../support/wire/reference-codec.ts'

export interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
}

const ROUNDS = 3
const ROUND_MS = 100

/** Calls a second, the best of several rounds. */
function rate(call: () => unknown): number {
  let best = 0
  for (let round = 0; round < ROUNDS; round++) {
    let calls = 0
    const start = performance.now()
    let elapsed = 0
    while (elapsed < ROUND_MS) {
      for (let index = 0; index < 20; index++) call()
      calls += 20
      elapsed = performance.now() - start
    }
    best = Math.max(best, (calls * 1000) / elapsed)
  }
  return best
}

const topicId = 'abcdefghijklmnopqrstuw'
const records = Buffer.alloc(16 * 1024, 1)
const tenPartitions = Array.from({ length: 10 }, (_, index) => index)

interface Subject {
  readonly name: string
  readonly message: Message
  readonly version: number
  readonly value: object
}

const subjects: readonly Subject[] = [
  {
    name: 'Produce request v9, one partition of 16 KiB',
    message: produce.request,
    version: 9,
    value: { acks: -1, timeoutMs: 30_000, topicData: [{ name: 'orders', partitionData: [{ index: 3, records }] }] },
  },
  {
    name: 'Produce response v9, one partition',
    message: produce.response,
    version: 9,
    value: {
      responses: [
        { name: 'orders', partitionResponses: [{ index: 3, errorCode: 0, baseOffset: 123_456, logStartOffset: 0, recordErrors: [] }] },
      ],
      throttleTimeMs: 0,
    },
  },
  {
    name: 'Fetch request v17, ten partitions',
    message: fetch.request,
    version: 17,
    value: {
      maxWaitMs: 500,
      minBytes: 1,
      isolationLevel: 0,
      topics: [{ topicId, partitions: tenPartitions.map((partition) => ({ partition, fetchOffset: 9_000, partitionMaxBytes: 1 << 20 })) }],
    },
  },
  {
    name: 'Fetch response v17, ten partitions of 16 KiB',
    message: fetch.response,
    version: 17,
    value: {
      throttleTimeMs: 0,
      responses: [
        {
          topicId,
          partitions: tenPartitions.map((partitionIndex) => ({
            partitionIndex,
            errorCode: 0,
            highWatermark: 10_000,
            lastStableOffset: 10_000,
            logStartOffset: 0,
            abortedTransactions: null,
            records,
          })),
        },
      ],
    },
  },
  {
    name: 'Metadata response v12, 100 topics of three partitions',
    message: metadata.response,
    version: 12,
    value: {
      brokers: [1, 2, 3].map((nodeId) => ({ nodeId, host: '127.0.0.1', port: 9091 + nodeId })),
      clusterId: topicId,
      controllerId: 1,
      topics: Array.from({ length: 100 }, (_, index) => ({
        errorCode: 0,
        name: `topic-${index}`,
        topicId,
        partitions: [0, 1, 2].map((partitionIndex) => ({
          errorCode: 0,
          partitionIndex,
          leaderId: 1,
          leaderEpoch: 5,
          replicaNodes: [1, 2, 3],
          isrNodes: [1, 2, 3],
          offlineReplicas: [],
        })),
      })),
    },
  },
]

function* messageFigures(): Generator<Figure> {
  for (const { name, message, version, value } of subjects) {
    const frame = encodeToBuffer(message, version, value as never)
    const closures = referenceCodec(message, version)
    const decode = rate(() => decodeMessage(message, version, frame))
    const encode = rate(() => encodeMessage(message, version, value as never))
    yield { name: `${name}: decode`, value: decode / 1000, unit: 'k/s' }
    yield { name: `${name}: decode, gain over closures`, value: decode / rate(() => closures.decode(frame)), unit: 'times' }
    yield { name: `${name}: encode`, value: encode / 1000, unit: 'k/s' }
    yield { name: `${name}: encode, gain over closures`, value: encode / rate(() => closures.encode(value)), unit: 'times' }
  }
}

function* batchFigures(): Generator<Figure> {
  const sample = Array.from({ length: 100 }, (_, index) => ({
    timestampMs: 1_790_000_000_000 + index,
    key: Buffer.from(`key-${index}`),
    value: Buffer.from(JSON.stringify({ id: index, customer: `customer-${index * 7919}`, note: 'an order of several things'.repeat(5) })),
  }))
  for (const [id, codec] of compressionNames.entries()) {
    if (!isCompression(id)) continue
    const batch = encodeBatch({ records: sample, compression: id })
    const header = readBatchHeader(batch, 0)
    const each = (call: () => unknown) => (rate(call) * sample.length) / 1000
    const kilo = 'k records/s'
    yield { name: `batch of 100, ${codec}: build`, value: each(() => encodeBatch({ records: sample, compression: id })), unit: kilo }
    yield { name: `batch of 100, ${codec}: validate`, value: each(() => validateRecords(batch, 0, header)), unit: kilo }
    yield {
      name: `batch of 100, ${codec}: iterate`,
      value: each(() => {
        for (const record of recordsIn(batch, 0, header)) if (record.offset < 0) throw new Error('unreachable')
      }),
      unit: kilo,
    }
  }
  const large = encodeBatch({ records: [{ timestampMs: 0, key: null, value: Buffer.alloc(1 << 20, 3) }] })
  const largeHeader = readBatchHeader(large, 0)
  yield { name: 'checksum of 1 MiB', value: (rate(() => batchCrcIsValid(large, 0, largeHeader)) * large.length) / 1e6, unit: 'MB/s' }
}

export function* figures(): Generator<Figure> {
  yield* messageFigures()
  yield* batchFigures()
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const { name, value, unit } of figures()) console.log(`${name.padEnd(72)} ${value.toFixed(value < 100 ? 1 : 0).padStart(9)} ${unit}`)
}
