/** Reading topics. Changing them is in topic-changes.ts. */
import type { TopicDetail } from '../../contract/topics.ts'
import { anyOf } from '../rpc/changes.ts'
import { implementer } from '../rpc/implementer.ts'
import { metrics } from '../sampling/history-recorder.ts'
import { adminDeadlineMs, type HostServices } from '../services.ts'
import { deleteRecordsRouter } from './delete-records.ts'
import { readSeries } from './history.ts'
import { settingView } from './setting-views.ts'
import { topicChangesRouter } from './topic-changes.ts'
import { readConsumers, readLanes, topicOf } from './topic-lanes.ts'
import { topicPage, topicRow } from './topic-rows.ts'
import { everyInterval } from './ticking.ts'

const watchIntervalMs = 1_000
const os = implementer.topics

export function topicsRouter(services: HostServices) {
  const { clusters, streams, env } = services
  return {
    list: os.list.handler(({ input }) => topicPage(clusters.get(input.clusterId).knowledge, input)),
    watchList: os.watchList.handler(({ input, signal }) => {
      const { knowledge } = clusters.get(input.clusterId)
      const changes = anyOf(knowledge.topicChanges, knowledge.groupChanges)
      return streams.state({ read: () => topicPage(knowledge, input), changes, intervalMs: watchIntervalMs }, signal)
    }),
    describe: os.describe.handler(({ input }) => describe(services, input.clusterId, input.topic)),
    watchPartitions: os.watchPartitions.handler(({ input, signal }) => {
      const session = clusters.get(input.clusterId)
      const changes = anyOf(everyInterval(env, watchIntervalMs), session.changes)
      const read = () => readLanes(session, input.topic, input, () => env.clock.nowMs())
      return streams.state({ read, changes, intervalMs: watchIntervalMs }, signal)
    }),
    consumers: os.consumers.handler(({ input }) => readConsumers(clusters.get(input.clusterId), input.topic)),
    history: os.history.handler(({ input }) => {
      topicOf(clusters.get(input.clusterId), input.topic)
      return [
        readSeries(services.store.history, input, {
          label: 'records in',
          unit: 'records/s',
          metric: metrics.topicRecordsIn,
          subject: input.topic,
        }),
        readSeries(services.store.history, input, { label: 'size', unit: 'bytes', metric: metrics.topicBytes, subject: input.topic }),
        readSeries(services.store.history, input, { label: 'lag', unit: 'records', metric: metrics.topicLag, subject: input.topic }),
      ]
    }),
    settings: os.settings.handler(async ({ input, signal }) => {
      const session = clusters.get(input.clusterId)
      topicOf(session, input.topic)
      const [described] = await session.client.admin.describeConfigs([{ type: 'topic', name: input.topic }], {
        includeSynonyms: true,
        includeDocumentation: true,
        timeoutMs: adminDeadlineMs,
        signal,
      })
      if (described?.error) throw described.error
      return (described?.entries ?? []).map((entry) => settingView(entry, 'topic')).sort((a, b) => a.name.localeCompare(b.name))
    }),
    defaults: os.defaults.handler(({ input }) => {
      const { knowledge } = clusters.get(input.clusterId)
      const brokerCount = Math.max(1, knowledge.brokers.length)
      return { partitionCount: brokerCount, replicationFactor: Math.min(3, brokerCount), replicationFactorMax: brokerCount }
    }),
    ...topicChangesRouter(services),
    ...deleteRecordsRouter(services),
  }
}

async function describe({ clusters, env }: HostServices, clusterId: string, name: string): Promise<TopicDetail> {
  const session = clusters.get(clusterId)
  const topic = topicOf(session, name)
  const [described] = await session.client.admin.describeConfigs(
    [{ type: 'topic', name, names: ['cleanup.policy', 'retention.ms', 'retention.bytes'] }],
    { timeoutMs: adminDeadlineMs },
  )
  const value = (setting: string): string | null => described?.entries.find((entry) => entry.name === setting)?.value ?? null
  const count = (setting: string): number | null => (value(setting) === null ? null : Number(value(setting)))
  return {
    ...topicRow(session.knowledge, topic),
    topicId: topic.topicId,
    cleanupPolicy: value('cleanup.policy'),
    retentionMs: count('retention.ms'),
    retentionBytes: count('retention.bytes'),
    asOfMs: env.clock.nowMs(),
  }
}
