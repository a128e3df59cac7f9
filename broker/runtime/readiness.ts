/**
 * The last step of a start: a write with acks=all on every broker, through the protocol, as a client would do it. It goes to a topic made
 * for it with one partition led by each broker and deleted before the cluster is called ready, so nobody sees it.
 */
import type { Env } from '../env/types.ts'
import { createClient } from '../client/client.ts'
import { RuntimeError } from './types.ts'

const topicPrefix = '__weir_start_'

export async function proveWritable(
  env: Env,
  options: { readonly bootstrapServers: string; readonly brokers: readonly number[]; readonly timeoutMs: number },
): Promise<void> {
  const client = createClient(env, {
    bootstrapServers: options.bootstrapServers,
    clientId: 'weir-start',
    retryBackoffMs: 5,
    reconnectBackoffMs: 5,
  })
  const topic = `${topicPrefix}${env.random.uuid()}`
  const call = { timeoutMs: options.timeoutMs }
  try {
    const [created] = await client.admin.createTopics([{ name: topic, assignments: options.brokers.map((id) => [id]) }], call)
    if (created?.error != null) throw created.error
    const producer = client.producer({ acks: 'all', idempotent: false, deliveryTimeoutMs: options.timeoutMs })
    const sent = await producer.sendAll(
      options.brokers.map((_, partition) => ({ topic, partition, value: 'ready' })),
      call,
    )
    const failed = sent.find(({ error }) => error !== null)
    if (failed?.error != null) throw failed.error
    const [deleted] = await client.admin.deleteTopics([topic], call)
    if (deleted?.error != null) throw deleted.error
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new RuntimeError('NODE_FAILED', `The cluster started but did not take a first write: ${why}`, { cause: error })
  } finally {
    await client.close()
  }
}
