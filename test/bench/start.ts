import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from '../../broker/client/client.ts'
import { createRealEnv } from '../../broker/env/real.ts'
import { startWeir } from '../support/weir-process.ts'
import { median, type Chapter } from './figure.ts'
import { runLoad } from './load.ts'

const BROKER_COUNT = 3

/** From weir's start until every broker has taken a write with acks=all, on an empty folder. */
export async function coldStartChapter(rounds: number): Promise<Chapter> {
  const readyMs: number[] = []
  for (let round = 0; round < rounds; round++) {
    const weir = await startWeir(['--ephemeral'])
    readyMs.push(weir.readyMs)
    await weir.stop()
  }
  return {
    title: `Cold start, three brokers, ${rounds} rounds`,
    figures: [
      { name: 'ready, median', value: median(readyMs), unit: 'ms', budget: { relation: '<', value: 1000 } },
      { name: 'ready, slowest', value: Math.max(...readyMs), unit: 'ms' },
    ],
  }
}

/** Starting again on a folder with this much log on each broker, after everything was killed and after a clean stop. */
export async function restartChapter(brokerBytes: number): Promise<Chapter> {
  const folder = mkdtempSync(join(tmpdir(), 'weir-bench-'))
  try {
    const filled = await startWeir(['--data-dir', folder])
    await fill(filled.bootstrapServers, brokerBytes)
    await filled.end('SIGKILL')
    const afterKill = await startWeir(['--data-dir', folder])
    await afterKill.stop()
    const afterStop = await startWeir(['--data-dir', folder])
    await afterStop.stop()
    return {
      title: `Start with ${(brokerBytes / 2 ** 30).toFixed(2)} GiB of log on each broker`,
      figures: [
        { name: 'after SIGKILL of everything', value: afterKill.readyMs, unit: 'ms', budget: { relation: '<', value: 1000 } },
        { name: 'after a clean stop', value: afterStop.readyMs, unit: 'ms' },
      ],
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function fill(bootstrapServers: string, brokerBytes: number): Promise<void> {
  const client = createClient(createRealEnv({ log: { write: () => {} } }), { bootstrapServers })
  const [created] = await client.admin.createTopics([{ name: 'filled', partitionCount: BROKER_COUNT }])
  if (created?.error) throw created.error
  const load = { topic: 'filled', partitionCount: BROKER_COUNT, acks: -1, recordBytes: 16_384, batchRecords: 16, inflight: 4 } as const
  await runLoad(client, load, (records) => records * load.recordBytes >= brokerBytes * BROKER_COUNT)
  await client.close()
}
