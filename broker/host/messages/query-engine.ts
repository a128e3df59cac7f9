/**
 * The open queries and tails, and the connections they read through. Invariant: at most `openQueriesMax` of both; the one left
 * alone longest makes room. Runs in a worker thread; in this thread it is the same.
 */
import { join } from 'node:path'
import type { KafkaClient } from '../../client/types.ts'
import { openQueriesMax } from '../../contract/messages.ts'
import type { Env } from '../../env/types.ts'
import { HostError } from '../problem.ts'
import type { EngineCluster, QueryEngine } from './engine-port.ts'
import { MessageQuery } from './message-query.ts'
import { RecordPlaces } from './record-places.ts'
import { Tail } from './tail.ts'
import { topicHistogram } from './topic-histogram.ts'

export interface QueryEngineOptions {
  readonly env: Env
  readonly createClient: (bootstrapServers: readonly string[]) => KafkaClient
  /** Emptied at start; results of queries spill into it. */
  readonly spillDirectory: string
}

interface OpenQuery {
  readonly clusterId: string
  readonly client: KafkaClient
  readonly item: MessageQuery | Tail
}

export async function createQueryEngine(options: QueryEngineOptions): Promise<QueryEngine> {
  const { env, spillDirectory } = options
  await env.disk.removeTree(spillDirectory)
  await env.disk.makeDirectory(spillDirectory)
  const clients = new Map<string, { readonly client: KafkaClient; readonly servers: string }>()
  const open = new Map<string, OpenQuery>()
  const places = new RecordPlaces()

  function clientOf(cluster: EngineCluster): KafkaClient {
    const servers = cluster.bootstrapServers.join()
    const known = clients.get(cluster.clusterId)
    if (known !== undefined && known.servers === servers) return known.client
    if (known !== undefined) void release(known.client)
    const client = options.createClient(cluster.bootstrapServers)
    clients.set(cluster.clusterId, { client, servers })
    return client
  }

  async function release(client: KafkaClient): Promise<void> {
    places.forget(client)
    await client.close().catch((error: unknown) => env.log.write('warn', 'a query client did not close', { error }))
  }

  function find(queryId: string): OpenQuery {
    const found = open.get(queryId)
    if (found === undefined) {
      throw new HostError('QUERY_NOT_FOUND', 'The query is not open any more.', { subject: queryId, advice: 'Run it again.' })
    }
    found.item.lastUsedMs = env.clock.monotonicMs()
    return found
  }

  function findQuery(queryId: string): MessageQuery {
    const { item } = find(queryId)
    if (item instanceof MessageQuery) return item
    throw new HostError('QUERY_INVALID', 'A live tail has no end: it cannot be continued or measured.', { subject: queryId })
  }

  async function close(queryId: string): Promise<void> {
    const found = open.get(queryId)
    open.delete(queryId)
    await found?.item.close()
  }

  async function makeRoom(): Promise<void> {
    while (open.size >= openQueriesMax) {
      const oldest = [...open].reduce((a, b) => (b[1].item.lastUsedMs < a[1].item.lastUsedMs ? b : a))
      await close(oldest[0])
    }
  }

  async function add(
    cluster: EngineCluster,
    openItem: (client: KafkaClient, queryId: string, spillPath: string) => Promise<MessageQuery | Tail>,
  ): Promise<string> {
    await makeRoom()
    const queryId = env.random.uuid()
    const client = clientOf(cluster)
    const item = await openItem(client, queryId, join(spillDirectory, `${queryId}.rows`))
    item.lastUsedMs = env.clock.monotonicMs()
    open.set(queryId, { clusterId: cluster.clusterId, client, item })
    return queryId
  }

  async function forget(clusterId: string): Promise<void> {
    for (const [queryId, { clusterId: of }] of open) if (of === clusterId) await close(queryId)
    const known = clients.get(clusterId)
    clients.delete(clusterId)
    if (known !== undefined) await release(known.client)
  }

  return {
    open: (cluster, query) => add(cluster, (client, queryId, spillPath) => MessageQuery.open({ env, client, queryId, query, spillPath })),
    openTail: (cluster, query) => add(cluster, (client, queryId, spillPath) => Tail.open({ env, client, queryId, query, spillPath })),
    progress: async (queryId) => findQuery(queryId).progress(),
    async rows(queryId, from, count) {
      const { rows } = find(queryId).item
      return { rows: await rows.read(from, count), rowCount: rows.rowCount }
    },
    async detail(queryId, index) {
      const { client, item } = find(queryId)
      const [row] = await item.rows.read(index, 1)
      if (row === undefined) throw new HostError('ROW_NOT_FOUND', `The query has no row ${index}.`, { subject: queryId })
      return places.detail(client, { topic: item.query.topic, partition: row.partition, offset: row.offset }, index)
    },
    at: async (cluster, place) => places.detail(clientOf(cluster), place, 0),
    payload: async (cluster, request) => places.payload(clientOf(cluster), request),
    more: async (queryId, rows) => findQuery(queryId).more(rows),
    cancel: async (queryId) => findQuery(queryId).cancel(),
    close,
    async histogram(queryId, buckets) {
      const query = findQuery(queryId)
      return topicHistogram(find(queryId).client, query, buckets)
    },
    nextTail: async (queryId) => {
      const { item } = find(queryId)
      if (item instanceof Tail) return item.next()
      throw new HostError('QUERY_INVALID', 'That query is not a live tail.', { subject: queryId })
    },
    forget,
    changesOf: (queryId) => findQuery(queryId).changes,
    async shutdown() {
      for (const queryId of open.keys()) await close(queryId)
      for (const clusterId of [...clients.keys()]) await forget(clusterId)
      await env.disk.removeTree(spillDirectory)
    },
  }
}
