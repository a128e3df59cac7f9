import { createClient } from '../client/client.ts'
import type { Env } from '../env/types.ts'

const answerWithinMs = 700

/** Whether what listens there speaks Kafka: it is asked for its API versions. */
export async function speaksKafka(env: Env, address: string): Promise<boolean> {
  const client = createClient(env, { bootstrapServers: [address], clientId: 'weir-probe', connectTimeoutMs: answerWithinMs })
  try {
    await client.apiVersions('any', { timeoutMs: answerWithinMs })
    return true
  } catch {
    // Whatever it is, it is no Kafka that answers: the only thing asked here.
    return false
  } finally {
    await client.close()
  }
}
