import type { BrokerDetail, LogDirectoryView } from '../../contract/brokers.ts'
import type { SettingView } from '../../contract/topic-settings.ts'
import type { ClusterSession } from '../clusters/session.ts'
import { HostError, toHostError } from '../problem.ts'
import { anyOf } from '../rpc/changes.ts'
import { implementer } from '../rpc/implementer.ts'
import type { HostServices } from '../services.ts'
import { brokerSummaries } from './overview.ts'
import { replicaPage } from './replica-rows.ts'
import { settingView } from './setting-views.ts'

const brokerDeadlineMs = 5_000
const watchIntervalMs = 250

export function brokersRouter({ clusters, streams, env }: HostServices) {
  return {
    watchReplicas: implementer.brokers.watchReplicas.handler(({ input, signal }) => {
      const session = clusters.get(input.clusterId)
      const read = () => replicaPage(session, input.topic, input, env.clock.nowMs())
      const changes = anyOf(session.knowledge.topicChanges, session.changes)
      return streams.state({ read, changes, intervalMs: watchIntervalMs }, signal)
    }),
    describe: implementer.brokers.describe.handler(async ({ input, signal }): Promise<BrokerDetail> => {
      const session = clusters.get(input.clusterId)
      const broker = brokerSummaries(session).find(({ id }) => id === input.brokerId)
      if (broker === undefined)
        throw new HostError('NODE_NOT_FOUND', `${session.name} has no broker ${input.brokerId}.`, { subject: `broker ${input.brokerId}` })
      const gaps: string[] = []
      const [logDirectories, settings] = await Promise.all([
        orGap(readDirectories(session, input.brokerId, signal), gaps),
        orGap(readSettings(session, input.brokerId, signal), gaps),
      ])
      return { broker, logDirectories, settings, gaps }
    }),
  }
}

async function orGap<Value>(reading: Promise<Value>, gaps: string[]): Promise<Value | null> {
  try {
    return await reading
  } catch (error) {
    gaps.push(toHostError(error).message)
    return null
  }
}

async function readDirectories(session: ClusterSession, brokerId: number, signal?: AbortSignal): Promise<readonly LogDirectoryView[]> {
  const described = await session.client.admin.describeLogDirs({ nodeIds: [brokerId], timeoutMs: brokerDeadlineMs, signal })
  const failure = described.failures.find(({ nodeId }) => nodeId === brokerId)
  if (failure !== undefined) throw failure.error
  return described.directories.map((directory) => ({
    path: directory.path,
    bytes: directory.replicas.reduce((total, { sizeBytes }) => total + sizeBytes, 0),
    replicaCount: directory.replicas.length,
    totalBytes: directory.totalBytes < 0 ? null : directory.totalBytes,
    freeBytes: directory.usableBytes < 0 ? null : directory.usableBytes,
    error: directory.error?.kafkaErrorName ?? directory.error?.message ?? null,
  }))
}

async function readSettings(session: ClusterSession, brokerId: number, signal?: AbortSignal): Promise<readonly SettingView[]> {
  const [described] = await session.client.admin.describeConfigs([{ type: 'broker', name: String(brokerId) }], {
    includeSynonyms: true,
    includeDocumentation: true,
    timeoutMs: brokerDeadlineMs,
    signal,
  })
  if (described?.error) throw described.error
  return (described?.entries ?? []).map((entry) => settingView(entry, 'broker')).sort((a, b) => a.name.localeCompare(b.name))
}
