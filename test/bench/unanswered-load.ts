import { produce } from '../../broker/api/00-produce.schema.ts'
import type { KafkaClient } from '../../broker/client/types.ts'
import { createRealEnv } from '../../broker/env/real.ts'
import { openRequestChannel, type RequestChannel } from '../../broker/net/request-channel.ts'
import { errorName } from '../../broker/wire/errors.ts'
import { batchOf, PRODUCE_BY_NAME_MAX, type Load } from './load.ts'

const CONNECT_TIMEOUT_MS = 5_000
const DRAINED_WITHIN_MS = 60_000

/**
 * acks=0 for as long as is said: each partition's batches go out as its leader's connection takes them. Behind them goes
 * one write that is answered; requests of a connection are handled in order, so everything counted has been taken in.
 */
export async function runUnansweredLoad(
  client: KafkaClient,
  load: Load,
  durationMs: number,
): Promise<{ records: number; seconds: number }> {
  const batch = batchOf(load.recordBytes, load.batchRecords)
  const channels = await channelsToLeaders(client, load)
  const body = (index: number, acks: 0 | 1) => ({
    acks,
    timeoutMs: DRAINED_WITHIN_MS,
    topicData: [{ name: load.topic, partitionData: [{ index, records: batch }] }],
  })
  let records = 0
  const startMs = performance.now()
  const pump = async (channel: RequestChannel, partition: number): Promise<void> => {
    while (performance.now() - startMs < durationMs) {
      for (let sent = 0; sent < load.inflight && channel.isWritable; sent++) {
        channel.send(produce, PRODUCE_BY_NAME_MAX, body(partition, 0))
        records += load.batchRecords
      }
      await new Promise<void>((resolve) => channel.onWritable(() => setImmediate(resolve)))
    }
    const { responses } = await channel.request(produce, PRODUCE_BY_NAME_MAX, body(partition, 1), { timeoutMs: DRAINED_WITHIN_MS })
    const errorCode = responses[0]?.partitionResponses[0]?.errorCode ?? -1
    if (errorCode !== 0) throw new Error(`${load.topic}-${partition} refused a batch: ${errorName(errorCode)}`)
  }
  try {
    await Promise.all(channels.map((channel, partition) => pump(channel, partition)))
    return { records, seconds: (performance.now() - startMs) / 1000 }
  } finally {
    for (const channel of new Set(channels)) channel.close('the load is over')
  }
}

/** By partition; partitions of one leader share its connection. */
async function channelsToLeaders(client: KafkaClient, { topic, partitionCount }: Load): Promise<RequestChannel[]> {
  const { brokers, topics } = await client.metadata({ topics: [topic], refresh: true })
  const env = createRealEnv({ log: { write: () => {} } })
  const byLeader = new Map<number, RequestChannel>()
  const channels: RequestChannel[] = []
  for (let partition = 0; partition < partitionCount; partition++) {
    const leader = topics.get(topic)?.partitions[partition]?.leader
    const address = brokers.find(({ nodeId }) => nodeId === leader)
    if (leader === null || leader === undefined || address === undefined) throw new Error(`nobody leads ${topic}-${partition}`)
    const channel =
      byLeader.get(leader) ?? (await openRequestChannel(env, { address, clientId: 'bench', connectTimeoutMs: CONNECT_TIMEOUT_MS }))
    byLeader.set(leader, channel)
    channels.push(channel)
  }
  return channels
}
