import type { QueryProgress, TailBatch } from '../../contract/messages.ts'
import type { EngineCluster } from '../messages/engine-port.ts'
import { HostError } from '../problem.ts'
import { implementer } from '../rpc/implementer.ts'
import { pause } from '../rpc/waiting.ts'
import type { HostServices } from '../services.ts'

const progressIntervalMs = 100
/** A tail without news says so this often, so that `behind` and `gaps` stay current. */
const quietTailIntervalMs = 1_000
/** Fast records are gathered this long, so that a screen draws at a calm pace. */
const busyTailIntervalMs = 50
const os = implementer.messages

export function messagesRouter(services: HostServices) {
  const { queries, streams, env } = services
  const clusterOf = (clusterId: string): EngineCluster => {
    const session = services.clusters.get(clusterId)
    return { clusterId, bootstrapServers: session.bootstrapServers }
  }

  async function* tailBatches(queryId: string, signal: AbortSignal): AsyncGenerator<TailBatch, void, void> {
    let saidMs = Number.NEGATIVE_INFINITY
    // Ending leaves its rows readable: somebody may be looking at them. A later query makes room.
    while (!signal.aborted) {
      const batch = await queries.nextTail(queryId)
      if (batch === null) return
      const nowMs = env.clock.monotonicMs()
      if (batch.rows.length === 0 && nowMs - saidMs < quietTailIntervalMs) continue
      saidMs = nowMs
      yield batch
      await pause(env, busyTailIntervalMs, signal)
    }
  }

  return {
    open: os.open.handler(async ({ input }) => {
      if (input.start.at === 'range' && input.start.toMs <= input.start.fromMs) {
        throw new HostError('QUERY_INVALID', 'The time range ends before it begins.', { subject: 'start' })
      }
      return { queryId: await queries.open(clusterOf(input.clusterId), input) }
    }),
    watch: os.watch.handler(async ({ input, signal }) => {
      const source = {
        read: () => queries.progress(input.queryId),
        changes: queries.changesOf(input.queryId),
        intervalMs: progressIntervalMs,
        isLast: ({ state }: QueryProgress) => state === 'done' || state === 'cancelled' || state === 'failed',
      }
      return streams.state(source, signal)
    }),
    progress: os.progress.handler(({ input }) => queries.progress(input.queryId)),
    rows: os.rows.handler(({ input }) => queries.rows(input.queryId, input.from, input.count)),
    detail: os.detail.handler(({ input }) => queries.detail(input.queryId, input.index)),
    at: os.at.handler(({ input }) => queries.at(clusterOf(input.clusterId), placeOf(input))),
    payload: os.payload.handler(({ input }) => {
      const { part, as, position, count } = input
      return queries.payload(clusterOf(input.clusterId), { ...placeOf(input), part, as, position, count })
    }),
    more: os.more.handler(async ({ input }) => {
      await queries.more(input.queryId, input.rows)
      return null
    }),
    cancel: os.cancel.handler(async ({ input }) => {
      await queries.cancel(input.queryId)
      return null
    }),
    close: os.close.handler(async ({ input }) => {
      await queries.close(input.queryId)
      return null
    }),
    histogram: os.histogram.handler(({ input }) => queries.histogram(input.queryId, input.buckets)),
    tail: os.tail.handler(async ({ input, signal }) => {
      const { topic, partitions, text, backlog } = input
      const queryId = await queries.openTail(clusterOf(input.clusterId), { topic, partitions, text, backlog })
      return streams.batches((ending) => tailBatches(queryId, ending), signal)
    }),
  }
}

function placeOf(input: { readonly topic: string; readonly partition: number; readonly offset: number }) {
  return { topic: input.topic, partition: input.partition, offset: input.offset }
}
