import { createClient } from '../../broker/client/client.ts'
import type { KafkaClient } from '../../broker/client/types.ts'
import { createRealEnv } from '../../broker/env/real.ts'
import { startWeir, type WeirProcess } from '../support/weir-process.ts'

/** A cluster as a user starts it, and a client of it in this process. */
export interface BenchCluster {
  readonly weir: WeirProcess
  readonly client: KafkaClient
  createTopic(topic: string, partitionCount: number, settings?: Readonly<Record<string, string>>): Promise<void>
}

export async function withCluster<T>(args: readonly string[], use: (cluster: BenchCluster) => Promise<T>): Promise<T> {
  const weir = await startWeir(args)
  const client = createClient(createRealEnv({ log: { write: () => {} } }), { bootstrapServers: weir.bootstrapServers, clientId: 'bench' })
  try {
    return await use({
      weir,
      client,
      async createTopic(topic, partitionCount, settings = {}) {
        const [created] = await client.admin.createTopics([{ name: topic, partitionCount, configs: settings }])
        if (created?.error) throw created.error
      },
    })
  } finally {
    await client.close()
    await weir.stop()
  }
}
