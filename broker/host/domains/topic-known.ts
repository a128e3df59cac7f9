/**
 * A topic exists once the controller has written it down; each broker hears of it a moment later. Whoever created it goes on to look at it
 * through any of them, so a creation is answered once the brokers that answer know the topic.
 */
import { metadata } from '../../api/03-metadata.schema.ts'
import type { KafkaClient } from '../../client/types.ts'
import type { Env } from '../../env/types.ts'
import { ErrorCode } from '../../wire/errors.ts'
import { pause } from '../rpc/waiting.ts'

/** A broker that has not heard by then is behind for a reason of its own, and nobody waits for it. */
const knownWithinMs = 2_000
const lookAgainMs = 20

export async function untilBrokersKnow(env: Env, client: KafkaClient, topic: string): Promise<void> {
  const deadlineMs = env.clock.monotonicMs() + knownWithinMs
  const { brokers } = await client.metadata({ timeoutMs: knownWithinMs })
  await Promise.all(
    brokers.map(async ({ nodeId }) => {
      while (env.clock.monotonicMs() < deadlineMs && !(await knows(client, nodeId, topic))) await pause(env, lookAgainMs)
    }),
  )
}

/** A broker that does not answer is not waited for. */
async function knows(client: KafkaClient, nodeId: number, topic: string): Promise<boolean> {
  try {
    const { topics } = await client.request(
      nodeId,
      metadata,
      { topics: [{ name: topic }], allowAutoTopicCreation: false },
      { timeoutMs: knownWithinMs },
    )
    return topics[0]?.errorCode !== ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  } catch {
    return true
  }
}
