import { setTimeout as pause } from 'node:timers/promises'
import { produce } from '../../broker/api/00-produce.schema.ts'
import type { KafkaClient } from '../../broker/client/types.ts'
import { ErrorCode, errorName, isRetriable } from '../../broker/wire/errors.ts'
import { encodeBatch } from '../../broker/wire/record-batch.ts'

const RETRY_MS = 20
/** The last version that names topics. */
export const PRODUCE_BY_NAME_MAX = 12

/** Ready-made batches sent as fast as brokers take them: what is measured is the cluster, not the making of records. */
export interface Load {
  readonly topic: string
  readonly partitionCount: number
  readonly acks: 0 | 1 | -1
  readonly recordBytes: number
  readonly batchRecords: number
  /** Requests under way per partition. */
  readonly inflight: number
  /** Each request under way on a connection of its own, as of so many producers. @default false: one connection to each broker */
  readonly hasOwnConnections?: boolean
}

export function batchOf(recordBytes: number, recordCount: number): Buffer {
  const value = Buffer.alloc(recordBytes, 'abcdefghijklmnopqrstuvwxyz0123456789')
  const timestampMs = Date.now()
  return encodeBatch({ records: Array.from({ length: recordCount }, () => ({ key: null, value, timestampMs })) })
}

/** For `runLoad`: from now on for so long. */
export function lasting(durationMs: number): () => boolean {
  const endMs = performance.now() + durationMs
  return () => performance.now() >= endMs
}

/** Runs the load until `isOver`; resolves with the records acknowledged and how long it took. With acks 0: `runUnansweredLoad`. */
export async function runLoad(
  client: KafkaClient,
  load: Load,
  isOver: (sentRecords: number) => boolean,
): Promise<{ records: number; seconds: number }> {
  const batch = batchOf(load.recordBytes, load.batchRecords)
  let records = 0
  const pump = async (partition: number, slot: number): Promise<void> => {
    const lane = load.hasOwnConnections === true ? `load-${partition}-${slot}` : 'load'
    while (!isOver(records)) {
      await sendBatch(client, load, partition, batch, lane)
      records += load.batchRecords
    }
  }
  const startMs = performance.now()
  const partitions = Array.from({ length: load.partitionCount }, (_, index) => index)
  await Promise.all(partitions.flatMap((partition) => Array.from({ length: load.inflight }, (_, slot) => pump(partition, slot))))
  return { records, seconds: (performance.now() - startMs) / 1000 }
}

export async function sendBatch(
  client: KafkaClient,
  { topic, acks }: Pick<Load, 'topic' | 'acks'>,
  partition: number,
  batch: Buffer,
  lane = 'load',
): Promise<void> {
  for (;;) {
    const body = { acks, timeoutMs: 30_000, topicData: [{ name: topic, partitionData: [{ index: partition, records: batch }] }] }
    const response = await client.request({ leaderOf: { topic, partition } }, produce, body, { lane, maxVersion: PRODUCE_BY_NAME_MAX })
    const errorCode = (response.responses[0]?.partitionResponses[0]?.errorCode ?? ErrorCode.NONE) as ErrorCode
    if (errorCode === ErrorCode.NONE) return
    // A topic just made is not known to its leader for a moment.
    if (!isRetriable(errorCode)) throw new Error(`${topic}-${partition} refused a batch: ${errorName(errorCode)}`)
    await pause(RETRY_MS)
  }
}
