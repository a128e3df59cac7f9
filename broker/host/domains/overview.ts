import type { BrokerSummary, ControllerSummary, Overview, QuorumView, WorstLag } from '../../contract/overview.ts'
import type { Env } from '../../env/types.ts'
import type { NodeView } from '../../runtime/types.ts'
import { totalLagOf, type ClusterKnowledge } from '../clusters/knowledge.ts'
import type { ClusterSession } from '../clusters/session.ts'
import { anyOf } from '../rpc/changes.ts'
import { implementer } from '../rpc/implementer.ts'
import { metrics } from '../sampling/history-recorder.ts'
import type { HostServices } from '../services.ts'
import { affectedTopics } from './affected-topics.ts'
import { readSeries } from './history.ts'

const watchIntervalMs = 500
const worstLagsMax = 10

export function overviewRouter(services: HostServices) {
  const { clusters, streams, env, store } = services
  return {
    get: implementer.overview.get.handler(({ input }) => overviewOf(env, clusters.get(input.clusterId))),
    watch: implementer.overview.watch.handler(({ input, signal }) => {
      const session = clusters.get(input.clusterId)
      const { knowledge } = session
      const changes = anyOf(session.changes, knowledge.topicChanges, knowledge.groupChanges, session.connections.changes)
      return streams.state({ read: () => overviewOf(env, session), changes, intervalMs: watchIntervalMs }, signal)
    }),
    history: implementer.overview.history.handler(({ input }) => {
      clusters.get(input.clusterId)
      return [
        readSeries(store.history, input, { label: 'records in', unit: 'records/s', metric: metrics.clusterRecordsIn, subject: '' }),
        readSeries(store.history, input, { label: 'bytes in', unit: 'bytes/s', metric: metrics.clusterBytesIn, subject: '' }),
        readSeries(store.history, input, { label: 'total lag', unit: 'records', metric: metrics.clusterLag, subject: '' }),
      ]
    }),
  }
}

export function overviewOf(env: Env, session: ClusterSession): Overview {
  const { knowledge } = session
  const brokers = brokerSummaries(session)
  const partitions = partitionFacts(knowledge)
  const affected = affectedTopics(knowledge)
  return {
    asOfMs: env.clock.nowMs(),
    cluster: session.view(),
    bootstrapServers: session.bootstrapServers,
    brokers,
    quorum: quorumOf(session),
    counts: {
      topics: [...knowledge.topics.values()].filter(({ isInternal }) => !isInternal).length,
      partitions: partitions.count,
      groups: knowledge.groups.size,
      connections: session.embedded === null ? null : session.connections.foreignCount(),
      underReplicated: partitions.underReplicated,
      belowMinIsr: partitions.belowMinIsr,
      atMinIsr: partitions.atMinIsr,
      offline: partitions.offline,
      totalLag: totalLagOf(knowledge),
    },
    recordsInPerSecond: partitions.recordsInPerSecond,
    bytesInPerSecond: partitions.bytesInPerSecond,
    worstLags: worstLags(knowledge),
    affectedTopics: affected.topics,
    affectedTopicCount: affected.total,
    gaps: [...knowledge.gaps.values()],
  }
}

/** Brokers the cluster lists, and those of an embedded cluster that it does not: they are down. */
export function brokerSummaries(session: ClusterSession): readonly BrokerSummary[] {
  const { knowledge } = session
  const nodes = new Map((session.embedded?.nodes() ?? []).filter(({ role }) => role === 'broker').map((node) => [node.id, node]))
  const isCurrent = session.state.status === 'connected'
  const alive = new Map(knowledge.brokers.map((broker) => [broker.nodeId, broker]))
  const shares = replicaShares(knowledge)
  const ids = [...new Set([...alive.keys(), ...nodes.keys(), ...shares.keys()])].sort((a, b) => a - b)
  return ids.map((id): BrokerSummary => {
    const broker = alive.get(id)
    const node = nodes.get(id)
    const facts = knowledge.brokerFacts.get(id)
    const share = shares.get(id)
    const isAlive = broker !== undefined && isCurrent && (node === undefined || node.state === 'running')
    return {
      id,
      host: broker?.host ?? (node === undefined ? null : '127.0.0.1'),
      port: broker?.port ?? node?.port ?? null,
      rack: broker?.rack ?? null,
      isAlive,
      node: node?.state ?? null,
      pid: node?.pid ?? null,
      leaderCount: share?.leaders ?? 0,
      replicaCount: share?.replicas ?? 0,
      inSyncReplicaCount: share?.inSync ?? 0,
      bytes: facts?.bytes ?? null,
      recordsInPerSecond: isAlive ? (share?.recordsInPerSecond ?? null) : null,
      bytesInPerSecond: isAlive ? (facts?.bytesInPerSecond ?? null) : null,
      connectionCount: session.embedded === null ? null : session.connections.countOf(id),
      problem: brokerProblem(id, isAlive, node) ?? facts?.problem ?? null,
    }
  })
}

interface Share {
  leaders: number
  replicas: number
  inSync: number
  recordsInPerSecond: number | null
}

function replicaShares(knowledge: ClusterKnowledge): ReadonlyMap<number, Share> {
  const shares = new Map<number, Share>()
  const shareOf = (id: number): Share => {
    let share = shares.get(id)
    if (share === undefined) shares.set(id, (share = { leaders: 0, replicas: 0, inSync: 0, recordsInPerSecond: null }))
    return share
  }
  for (const topic of knowledge.topics.values()) {
    for (const partition of topic.partitions) {
      for (const id of partition.replicas) shareOf(id).replicas += 1
      for (const id of partition.isr) shareOf(id).inSync += 1
      if (partition.leader === null) continue
      const share = shareOf(partition.leader)
      share.leaders += 1
      const rate = topic.partitionRates[partition.partition] ?? Number.NaN
      if (!Number.isNaN(rate)) share.recordsInPerSecond = (share.recordsInPerSecond ?? 0) + rate
    }
  }
  return shares
}

function brokerProblem(id: number, isAlive: boolean, node: NodeView | undefined): string | null {
  if (node !== undefined && node.state !== 'running') {
    if (node.state === 'paused') return `Broker ${id} is frozen.`
    if (node.state === 'crashed') return `Broker ${id} ended unasked${node.exit?.signal ? ` (${node.exit.signal})` : ''}.`
    if (node.state === 'stopped' && node.exit?.signal) return `Broker ${id} was killed (${node.exit.signal}).`
    return `Broker ${id} is ${node.state}.`
  }
  return isAlive ? null : `Broker ${id} is not in the cluster's list of live brokers.`
}

function quorumOf(session: ClusterSession): QuorumView | null {
  const { quorum } = session.knowledge
  const controllers = (session.embedded?.nodes() ?? []).filter(({ role }) => role === 'controller')
  if (controllers.length === 0 && (quorum === null || session.state.status !== 'connected')) return null
  const known = new Map((quorum?.voters ?? []).map((voter) => [voter.id, voter]))
  const ids = [...new Set([...known.keys(), ...controllers.map(({ id }) => id)])].sort((a, b) => a - b)
  const voters = ids.map((id): ControllerSummary => {
    const node = controllers.find((controller) => controller.id === id)
    const voter = known.get(id)
    const isRunning = node === undefined || node.state === 'running'
    return {
      id,
      role: isRunning ? (voter?.role ?? 'unknown') : 'unknown',
      node: node?.state ?? null,
      pid: node?.pid ?? null,
      logEndOffset: voter?.logEndOffset ?? null,
      lag: voter?.lag ?? null,
    }
  })
  const base = quorum ?? { leaderId: null, leaderEpoch: null, highWatermark: null, observers: [] }
  // The process is the newer truth: who does not run does not lead, whatever was answered last.
  const isGone = controllers.some(({ id, state }) => id === base.leaderId && state !== 'running')
  return { ...base, leaderId: isGone ? null : base.leaderId, voters }
}

function partitionFacts(knowledge: ClusterKnowledge) {
  const facts = {
    count: 0,
    underReplicated: 0,
    belowMinIsr: 0,
    atMinIsr: 0,
    offline: 0,
    recordsInPerSecond: null as number | null,
    bytesInPerSecond: null as number | null,
  }
  for (const topic of knowledge.topics.values()) {
    facts.count += topic.partitions.length
    facts.underReplicated += topic.underReplicatedCount
    facts.belowMinIsr += topic.belowMinIsrCount
    facts.atMinIsr += topic.atMinIsrCount
    facts.offline += topic.offlineCount
    // Kafka's own bookkeeping would drown what flows.
    if (topic.isInternal) continue
    if (topic.recordsInPerSecond !== null) facts.recordsInPerSecond = (facts.recordsInPerSecond ?? 0) + topic.recordsInPerSecond
    if (topic.bytesInPerSecond !== null) facts.bytesInPerSecond = (facts.bytesInPerSecond ?? 0) + topic.bytesInPerSecond
  }
  return facts
}

function worstLags(knowledge: ClusterKnowledge): readonly WorstLag[] {
  const worst: WorstLag[] = []
  for (const group of knowledge.groups.values()) {
    if (group.worst === null || group.worst.lag === 0) continue
    worst.push({ groupId: group.groupId, ...group.worst, topicLag: group.topicLags.get(group.worst.topic) ?? group.worst.lag })
  }
  return worst.sort((a, b) => b.lag - a.lag || a.groupId.localeCompare(b.groupId)).slice(0, worstLagsMax)
}
