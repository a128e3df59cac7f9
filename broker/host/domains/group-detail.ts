/** One group read anew: members, assignments, offsets and the ends of its partitions, with how fast it commits. */
import type { GroupDescription, ListedOffset, TopicPartition } from '../../client/types.ts'
import { groupPartitionsMax, type GroupDetail, type GroupPartition } from '../../contract/groups.ts'
import type { Env } from '../../env/types.ts'
import type { ClusterSession } from '../clusters/session.ts'
import { HostError, toHostError } from '../problem.ts'
import { groupStateOf } from '../sampling/group-sampler.ts'
import { lagOf } from './topic-lanes.ts'

const groupDeadlineMs = 5_000

/** Answers a function that reads the group; called again it also knows rates. */
export function createGroupReader(env: Env, session: ClusterSession, groupId: string): () => Promise<GroupDetail> {
  let before: { readonly atMs: number; readonly committed: ReadonlyMap<string, number> } | null = null
  return async () => {
    const read = await readGroup(session, groupId)
    const atMs = env.clock.monotonicMs()
    const seconds = before === null ? 0 : (atMs - before.atMs) / 1_000
    const partitions = read.partitions.map((partition): GroupPartition => {
      const earlier = before?.committed.get(keyOf(partition))
      const isMeasured = seconds > 0 && earlier !== undefined && partition.committedOffset !== null
      const consumedPerSecond = isMeasured
        ? Math.max(0, Math.round((((partition.committedOffset ?? 0) - earlier) / seconds) * 10) / 10)
        : null
      return { ...partition, consumedPerSecond }
    })
    before = {
      atMs,
      committed: new Map(partitions.flatMap((p) => (p.committedOffset === null ? [] : [[keyOf(p), p.committedOffset] as const]))),
    }
    const lags = partitions.flatMap(({ lag }) => (lag === null ? [] : [lag]))
    return {
      asOfMs: env.clock.nowMs(),
      groupId,
      ...read.facts,
      partitions: partitions.slice(0, groupPartitionsMax),
      partitionTotal: partitions.length,
      totalLag: lags.length === 0 ? null : lags.reduce((total, lag) => total + lag, 0),
      gaps: read.gaps,
    }
  }
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}\0${partition}`
}

interface ReadGroup {
  readonly facts: Pick<GroupDetail, 'state' | 'protocolType' | 'protocol' | 'groupType' | 'coordinator' | 'members'>
  readonly partitions: readonly Omit<GroupPartition, 'consumedPerSecond'>[]
  readonly gaps: readonly string[]
}

async function readGroup(session: ClusterSession, groupId: string): Promise<ReadGroup> {
  const options = { timeoutMs: groupDeadlineMs, signal: session.signal }
  const gaps: string[] = []
  const [[description], [offsets]] = await Promise.all([
    session.client.admin.describeGroups([groupId], options),
    session.client.admin.fetchOffsets([{ groupId }], options),
  ])
  if (offsets !== undefined && offsets.error !== null) gaps.push(`Offsets: ${offsets.error.message}`)
  if (description === undefined || isGone(description, offsets?.offsets.length ?? 0)) {
    throw new HostError('GROUP_NOT_FOUND', `There is no group "${groupId}" on ${session.name}.`, {
      subject: groupId,
      advice: 'It may have expired or been deleted.',
    })
  }
  if (description.error !== null) gaps.push(`Members: ${description.error.message}`)
  const owners = ownersOf(description)
  const committed = new Map((offsets?.offsets ?? []).map((entry) => [keyOf(entry), entry]))
  const places = placesOf([...(offsets?.offsets ?? []), ...description.members.flatMap(({ assignment }) => assignment)])
  const [starts, ends] = await readEnds(session, places, gaps)
  const partitions = places.map((place, index) => {
    const entry = committed.get(keyOf(place))
    const committedOffset = entry?.offset ?? null
    const highWatermark = ends[index]?.offset ?? null
    return {
      ...place,
      committedOffset,
      metadata: entry?.metadata === '' ? null : (entry?.metadata ?? null),
      logStartOffset: starts[index]?.offset ?? null,
      highWatermark,
      lag: lagOf(highWatermark, committedOffset),
      memberId: owners.get(keyOf(place)) ?? null,
    }
  })
  const known = session.knowledge.groups.get(groupId)
  const facts = {
    state: groupStateOf(description.state),
    protocolType: description.protocolType,
    protocol: description.protocolName === '' ? null : description.protocolName,
    groupType: known?.groupType ?? 'unknown',
    coordinator: description.coordinatorId ?? known?.coordinator ?? null,
    members: description.members.map((member) => ({
      memberId: member.memberId,
      instanceId: member.groupInstanceId,
      clientId: member.clientId,
      host: member.clientHost.replace(/^\//, ''),
      assignment: byTopic(member.assignment),
    })),
  }
  return { facts, partitions, gaps }
}

function isGone({ state, members, error }: GroupDescription, offsetCount: number): boolean {
  return (state === 'Dead' || error?.kafkaErrorName === 'GROUP_ID_NOT_FOUND') && members.length === 0 && offsetCount === 0
}

function ownersOf({ members }: GroupDescription): ReadonlyMap<string, string> {
  return new Map(members.flatMap(({ memberId, assignment }) => assignment.map((place) => [keyOf(place), memberId] as const)))
}

function placesOf(all: readonly TopicPartition[]): TopicPartition[] {
  const unique = new Map(all.map(({ topic, partition }) => [keyOf({ topic, partition }), { topic, partition }]))
  return [...unique.values()].sort((a, b) => a.topic.localeCompare(b.topic) || a.partition - b.partition)
}

function byTopic(places: readonly TopicPartition[]): { topic: string; partitions: number[] }[] {
  const topics = new Map<string, number[]>()
  for (const { topic, partition } of places) topics.set(topic, [...(topics.get(topic) ?? []), partition])
  return [...topics]
    .map(([topic, partitions]) => ({ topic, partitions: partitions.sort((a, b) => a - b) }))
    .sort((a, b) => a.topic.localeCompare(b.topic))
}

async function readEnds(
  session: ClusterSession,
  places: readonly TopicPartition[],
  gaps: string[],
): Promise<readonly [readonly ListedOffset[], readonly ListedOffset[]]> {
  if (places.length === 0) return [[], []]
  const ask = (spec: 'earliest' | 'latest') =>
    session.client.admin.listOffsets(
      places.map((place) => ({ ...place, spec })),
      { timeoutMs: groupDeadlineMs, signal: session.signal },
    )
  try {
    return await Promise.all([ask('earliest'), ask('latest')])
  } catch (error) {
    gaps.push(`Log ends: ${toHostError(error).message}`)
    return [[], []]
  }
}
