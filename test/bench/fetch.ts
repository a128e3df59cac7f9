import type { BenchCluster } from './cluster.ts'
import type { Chapter } from './figure.ts'
import { runLoad } from './load.ts'

const PARTITION_COUNT = 6
const RECORD_BYTES = 1024
const BATCH_RECORDS = 64

/** Fetch throughput: a topic read from its start by one reader, batches as stored, and with every record looked at. */
export async function fetchChapter({ client, createTopic }: BenchCluster, recordCount: number): Promise<Chapter> {
  const topic = 'fetch'
  await createTopic(topic, PARTITION_COUNT)
  await runLoad(
    client,
    { topic, partitionCount: PARTITION_COUNT, acks: 1, recordBytes: RECORD_BYTES, batchRecords: BATCH_RECORDS, inflight: 4 },
    (records) => records >= recordCount,
  )
  const partitions = Array.from({ length: PARTITION_COUNT }, (_, partition) => ({
    topic,
    partition,
    from: 'earliest' as const,
    upTo: 'end' as const,
  }))
  const read = async (each: boolean): Promise<number> => {
    const reader = client.reader({ partitions, partitionBytesMax: 4 * 1024 * 1024 })
    const startMs = performance.now()
    let bytes = 0
    let checked = 0
    for await (const chunk of reader) {
      bytes += chunk.batchBytes
      if (each) for (const record of chunk) checked += record.value?.length ?? 0
    }
    await reader.close()
    if (each && checked === 0) throw new Error('nothing was read')
    return bytes / 1e6 / ((performance.now() - startMs) / 1000)
  }
  await read(false)
  return {
    title: 'Fetch throughput, one reader, 1 KiB records',
    figures: [
      { name: 'batches as stored', value: await read(false), unit: 'MB/s' },
      { name: 'every record decoded', value: await read(true), unit: 'MB/s' },
    ],
  }
}
