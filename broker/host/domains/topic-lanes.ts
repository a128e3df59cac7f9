/** Partitions as lanes, read anew from the brokers while somebody looks: log ends and the offsets of the groups that read. */
import { laneGroupsMax, type LaneGroup, type PartitionLane, type PartitionLanes, type TopicConsumer } from '../../contract/topics.ts'
import type { GroupDescription } from '../../client/types.ts'
import type { TopicKnowledge } from '../clusters/knowledge.ts'
import type { ClusterSession } from '../clusters/session.ts'
import { HostError, toHostError } from '../problem.ts'

const laneDeadlineMs = 4_000
/** Groups whose offsets are read anew for one topic; those further behind first. */
const freshGroupsMax = 50
const consumersMax = 200

export function topicOf(session: ClusterSession, name: string): TopicKnowledge {
  const topic = session.knowledge.topics.get(name)
  if (topic !== undefined) return topic
  if (session.knowledge.metadataAsOfMs !== null) {
    throw new HostError('TOPIC_NOT_FOUND', `There is no topic "${name}" on ${session.name}.`, {
      subject: name,
      advice: 'It may have been deleted.',
    })
  }
  const { state } = session
  const message = state.status === 'unreachable' ? state.message : `${session.name} has not answered yet.`
  throw new HostError('CLUSTER_UNREACHABLE', message, {
    subject: session.name,
    advice: state.status === 'unreachable' ? state.advice : null,
  })
}

export async function readLanes(
  session: ClusterSession,
  name: string,
  window: { readonly from: number; readonly count: number },
  nowMs: () => number,
): Promise<PartitionLanes> {
  const topic = topicOf(session, name)
  const shown = topic.partitions.slice(window.from, window.from + window.count)
  const gaps: string[] = []
  const [ends, committed, clients] = await Promise.all([
    readEnds(
      session,
      topic,
      shown.flatMap((p) => (p.leader === null ? [] : [p.partition])),
      gaps,
    ),
    readCommitted(session, name, gaps),
    readClients(session, name, gaps),
  ])
  return {
    asOfMs: nowMs(),
    topic: name,
    total: topic.partitions.length,
    gaps,
    lanes: shown.map((metadata): PartitionLane => {
      const { start, end } = ends.get(metadata.partition) ?? { start: null, end: null }
      const groups = groupsOn(metadata.partition, end, committed, clients)
      return {
        partition: metadata.partition,
        state: metadata.leader === null ? 'offline' : metadata.isr.length < metadata.replicas.length ? 'under-replicated' : 'healthy',
        leader: metadata.leader,
        leaderEpoch: metadata.leaderEpoch < 0 ? null : metadata.leaderEpoch,
        replicas: metadata.replicas,
        isr: metadata.isr,
        offlineReplicas: metadata.offlineReplicas,
        logStartOffset: start,
        highWatermark: end,
        bytes: known(topic.leaderBytes[metadata.partition]),
        recordsInPerSecond: known(topic.partitionRates[metadata.partition]),
        groups: groups.slice(0, laneGroupsMax),
        groupTotal: groups.length,
      }
    }),
  }
}

export async function readConsumers(session: ClusterSession, name: string): Promise<readonly TopicConsumer[]> {
  const topic = topicOf(session, name)
  const gaps: string[] = []
  const [ends, committed, clients] = await Promise.all([
    readEnds(
      session,
      topic,
      topic.partitions.flatMap((p) => (p.leader === null ? [] : [p.partition])),
      gaps,
    ),
    readCommitted(session, name, gaps),
    readClients(session, name, gaps),
  ])
  const groupIds = [...new Set([...committed.keys(), ...clients.keys()])]
  const consumers = groupIds.map((groupId): TopicConsumer => {
    const offsets = committed.get(groupId)
    const members = clients.get(groupId)
    const partitions = topic.partitions.map(({ partition }) => {
      const committedOffset = offsets?.get(partition) ?? null
      const member = members?.byPartition.get(partition)
      return {
        partition,
        committedOffset,
        lag: lagOf(ends.get(partition)?.end ?? null, committedOffset),
        memberId: member?.memberId ?? null,
        clientId: member?.clientId ?? null,
        host: member?.clientHost.replace(/^\//, '') ?? null,
      }
    })
    const lags = partitions.flatMap(({ lag }) => (lag === null ? [] : [lag]))
    return {
      groupId,
      state: members?.state ?? session.knowledge.groups.get(groupId)?.state ?? 'Unknown',
      memberCount: members?.memberCount ?? 0,
      lag: lags.length === 0 ? null : lags.reduce((total, lag) => total + lag, 0),
      partitions,
    }
  })
  return consumers.sort((a, b) => (b.lag ?? -1) - (a.lag ?? -1) || a.groupId.localeCompare(b.groupId)).slice(0, consumersMax)
}

export function lagOf(highWatermark: number | null, committedOffset: number | null): number | null {
  return highWatermark === null || committedOffset === null ? null : Math.max(0, highWatermark - committedOffset)
}

interface Ends {
  readonly start: number | null
  readonly end: number | null
}

async function readEnds(
  session: ClusterSession,
  topic: TopicKnowledge,
  partitions: readonly number[],
  gaps: string[],
): Promise<ReadonlyMap<number, Ends>> {
  const options = { timeoutMs: laneDeadlineMs, signal: session.signal }
  const ask = (spec: 'earliest' | 'latest') =>
    session.client.admin.listOffsets(
      partitions.map((partition) => ({ topic: topic.name, partition, spec })),
      options,
    )
  const ends = new Map<number, Ends>()
  try {
    const [starts, latest] = await Promise.all([ask('earliest'), ask('latest')])
    for (const [index, { partition, offset, error }] of latest.entries()) {
      ends.set(partition, { start: starts[index]?.offset ?? null, end: offset })
      if (error !== null) gaps.push(error.message)
    }
  } catch (error) {
    gaps.push(toHostError(error, topic.name).message)
  }
  return ends
}

/** By group, by partition. Groups beyond the fresh ones come from the last sample. */
async function readCommitted(
  session: ClusterSession,
  topic: string,
  gaps: string[],
): Promise<ReadonlyMap<string, ReadonlyMap<number, number>>> {
  const { knowledge } = session
  const groups = [...(knowledge.groupsByTopic.get(topic) ?? [])].sort(
    (a, b) => (b.topicLags.get(topic) ?? 0) - (a.topicLags.get(topic) ?? 0),
  )
  const committed = new Map<string, ReadonlyMap<number, number>>()
  for (const group of groups) committed.set(group.groupId, group.committed?.get(topic) ?? new Map())
  const partitions = (knowledge.topics.get(topic)?.partitions ?? []).map(({ partition }) => ({ topic, partition }))
  const fresh = groups.slice(0, freshGroupsMax).map(({ groupId }) => ({ groupId, partitions }))
  if (fresh.length === 0) return committed
  try {
    const answers = await session.client.admin.fetchOffsets(fresh, { timeoutMs: laneDeadlineMs, signal: session.signal })
    for (const { groupId, offsets, error } of answers) {
      if (error !== null) gaps.push(`${groupId}: ${error.message}`)
      else
        committed.set(groupId, new Map(offsets.flatMap(({ partition, offset }) => (offset === null ? [] : [[partition, offset] as const]))))
    }
  } catch (error) {
    gaps.push(toHostError(error, topic).message)
  }
  return committed
}

interface GroupClients {
  readonly state: string
  readonly memberCount: number
  readonly byPartition: ReadonlyMap<number, GroupDescription['members'][number]>
}

async function readClients(session: ClusterSession, topic: string, gaps: string[]): Promise<ReadonlyMap<string, GroupClients>> {
  const { knowledge } = session
  const ids = (knowledge.groupsByTopic.get(topic) ?? []).filter((group) => (group.memberCount ?? 0) > 0).map(({ groupId }) => groupId)
  const clients = new Map<string, GroupClients>()
  if (ids.length === 0) return clients
  try {
    const options = { timeoutMs: laneDeadlineMs, signal: session.signal }
    for (const group of await session.client.admin.describeGroups(ids.slice(0, freshGroupsMax), options)) {
      const byPartition = new Map<number, GroupDescription['members'][number]>()
      for (const member of group.members) {
        for (const assigned of member.assignment) if (assigned.topic === topic) byPartition.set(assigned.partition, member)
      }
      clients.set(group.groupId, { state: group.state, memberCount: group.members.length, byPartition })
    }
  } catch (error) {
    gaps.push(toHostError(error, topic).message)
  }
  return clients
}

function groupsOn(
  partition: number,
  end: number | null,
  committed: ReadonlyMap<string, ReadonlyMap<number, number>>,
  clients: ReadonlyMap<string, GroupClients>,
): LaneGroup[] {
  const groups: LaneGroup[] = []
  for (const [groupId, offsets] of committed) {
    const committedOffset = offsets.get(partition)
    if (committedOffset === undefined) continue
    const clientId = clients.get(groupId)?.byPartition.get(partition)?.clientId ?? null
    groups.push({ groupId, committedOffset, lag: lagOf(end, committedOffset), clientId })
  }
  return groups.sort((a, b) => (b.lag ?? -1) - (a.lag ?? -1) || a.groupId.localeCompare(b.groupId))
}

function known(value: number | undefined): number | null {
  return value === undefined || Number.isNaN(value) ? null : value
}
