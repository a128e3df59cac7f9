import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from '../../broker/client/client.ts'
import { createRealEnv } from '../../broker/env/real.ts'
import type { QueryEngine } from '../../broker/host/messages/engine-port.ts'
import { createQueryEngine } from '../../broker/host/messages/query-engine.ts'
import { encodeBatch } from '../../broker/wire/record-batch.ts'
import type { BenchCluster } from './cluster.ts'
import type { Chapter } from './figure.ts'
import { sendBatch } from './load.ts'

const PARTITION_COUNT = 6
const BATCH_RECORDS = 500
const EVERYWHERE = ['key', 'value', 'headers'] as const

/** Text search over a whole topic of 200-byte JSON records, by the console's own engine. */
export async function searchChapter({ weir, client, createTopic }: BenchCluster, recordCount: number): Promise<Chapter> {
  await createTopic('search', PARTITION_COUNT)
  const batches = recordCount / BATCH_RECORDS
  for (let batch = 0; batch < batches; batch++) {
    const partition = batch % PARTITION_COUNT
    await sendBatch(client, { topic: 'search', acks: 1 }, partition, jsonBatch(batch * BATCH_RECORDS))
  }
  const spillDirectory = mkdtempSync(join(tmpdir(), 'weir-bench-search-'))
  const env = createRealEnv({ log: { write: () => {} } })
  const engine = await createQueryEngine({
    env,
    spillDirectory,
    createClient: (bootstrapServers) => createClient(env, { bootstrapServers }),
  })
  const search = async (caseSensitive: boolean, parts: readonly ('key' | 'value' | 'headers')[] = EVERYWHERE): Promise<number> => {
    const cluster = { clusterId: 'bench', bootstrapServers: weir.bootstrapServers.split(',') }
    const text = { contains: 'order-4242x', in: [...parts], caseSensitive }
    const startMs = performance.now()
    const query = {
      topic: 'search',
      partitions: null,
      start: { at: 'everything' as const },
      order: 'oldest-first' as const,
      text,
      rowsMax: null,
    }
    const queryId = await engine.open(cluster, { ...query, isolation: 'read-uncommitted' })
    await finished(engine, queryId)
    const { scanned } = await engine.progress(queryId)
    await engine.close(queryId)
    return scanned / ((performance.now() - startMs) / 1000) / 1000
  }
  try {
    await search(true)
    return {
      title: `Text search over ${recordCount.toLocaleString('en-US')} JSON records of about 200 bytes, one core`,
      figures: [
        { name: 'matching case', value: await search(true), unit: 'k records/s', budget: { relation: '>', value: 1000 } },
        {
          name: 'matching case, in the key alone',
          value: await search(true, ['key']),
          unit: 'k records/s',
          budget: { relation: '>', value: 400 },
        },
        { name: 'any case', value: await search(false), unit: 'k records/s', budget: { relation: '>', value: 1000 } },
      ],
    }
  } finally {
    await engine.shutdown()
    rmSync(spillDirectory, { recursive: true, force: true })
  }
}

function finished(engine: QueryEngine, queryId: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const off = engine.changesOf(queryId).on(() => void look())
    async function look(): Promise<void> {
      const { state, problem } = await engine.progress(queryId)
      if (state === 'scanning') return
      off()
      if (state === 'done') resolve()
      else reject(new Error(`the search ended ${state}: ${problem?.message ?? ''}`))
    }
    void look()
  })
}

function jsonBatch(from: number): Buffer {
  const timestampMs = Date.now()
  const records = Array.from({ length: BATCH_RECORDS }, (_, index) => {
    const id = from + index
    const value = JSON.stringify({
      id,
      order: `order-${id}`,
      customer: `customer-${(id * 7919) % 10_007}`,
      amount: (id % 997) / 7,
      note: 'two crates of the usual, by the back door, before noon',
    })
    return { timestampMs, key: Buffer.from(`order-${id}`), value: Buffer.from(value) }
  })
  return encodeBatch({ records })
}
