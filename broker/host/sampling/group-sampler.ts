/**
 * Keeps the lag of every group current. Incremental: each round lists all groups and looks into at most
 * `groupsPerRound` of them, those looked at longest ago first, so ten thousand groups are had in turn and no round is long.
 */
import type { GroupDescription, GroupListing, GroupOffsets } from '../../client/types.ts'
import type { GroupState } from '../../contract/groups.ts'
import type { Env } from '../../env/types.ts'
import type { ClusterKnowledge, GroupKnowledge } from '../clusters/knowledge.ts'
import type { ClusterSession } from '../clusters/session.ts'
import { toHostError } from '../problem.ts'
import { readCommittedEnds, type Ends } from './committed-ends.ts'
import { runRounds, slicesOf, type Round } from './loop.ts'

export const groupIntervalMs = 2_000
const groupDeadlineMs = 8_000
/** Groups one round looks into. */
export const groupsPerRound = 1_000
const groupsPerCall = 100

export function sampleGroups(env: Env, session: ClusterSession, onRound: (sampled: readonly GroupKnowledge[]) => void): Round {
  return runRounds(env, {
    intervalMs: groupIntervalMs,
    signal: session.signal,
    async round() {
      if (session.state.status !== 'connected') return undefined
      const { knowledge } = session
      try {
        onRound(await sampleOnce(env, session))
        knowledge.groupsAsOfMs = env.clock.nowMs()
      } catch (error) {
        if (!session.signal.aborted) knowledge.gaps.set('groups', `Groups could not be read: ${toHostError(error).message}`)
      }
      knowledge.groupChanges.emit()
      return undefined
    },
  })
}

async function sampleOnce(env: Env, session: ClusterSession): Promise<readonly GroupKnowledge[]> {
  const { knowledge, client } = session
  const options = { timeoutMs: groupDeadlineMs, signal: session.signal }
  const listed = await client.admin.listGroups(options)
  applyListing(knowledge, listed.groups, listed.failures.length > 0)
  const silent = listed.failures.map(({ nodeId }) => nodeId)
  if (silent.length === 0) knowledge.gaps.delete('groups')
  else knowledge.gaps.set('groups', `Groups coordinated by broker ${silent.join(', ')} are as last known: it does not answer.`)

  const due = [...knowledge.groups.values()]
    .filter((group) => group.coordinator === null || !silent.includes(group.coordinator))
    .sort((a, b) => (a.lagAsOfMs ?? 0) - (b.lagAsOfMs ?? 0))
    .slice(0, groupsPerRound)
  for (const slice of slicesOf(due, groupsPerCall)) {
    const ids = slice.map((group) => group.groupId)
    const [descriptions, offsets] = await Promise.all([
      client.admin.describeGroups(ids, options),
      client.admin.fetchOffsets(
        ids.map((groupId) => ({ groupId })),
        options,
      ),
    ])
    const ends = await readCommittedEnds(session, offsets)
    for (const description of descriptions) applyDescription(knowledge, description)
    for (const groupOffsets of offsets) applyOffsets(knowledge, groupOffsets, ends, env.clock.nowMs())
    await env.scheduler.yieldTurn()
  }
  indexByTopic(knowledge)
  return due
}

export function applyListing(knowledge: ClusterKnowledge, listings: readonly GroupListing[], isPartial: boolean): void {
  const seen = new Set<string>()
  let isListChanged = false
  for (const listing of listings) {
    seen.add(listing.groupId)
    let group = knowledge.groups.get(listing.groupId)
    if (group === undefined) {
      group = newGroup(listing.groupId)
      knowledge.groups.set(listing.groupId, group)
      isListChanged = true
    }
    if (listing.state !== '') group.state = groupStateOf(listing.state)
    group.protocolType = listing.protocolType
    group.groupType = groupTypeOf(listing.type)
    group.coordinator = listing.coordinatorId
  }
  if (!isPartial) {
    for (const groupId of knowledge.groups.keys()) {
      if (seen.has(groupId)) continue
      knowledge.groups.delete(groupId)
      isListChanged = true
    }
  }
  if (isListChanged) knowledge.groupIds = [...knowledge.groups.keys()].sort()
}

function newGroup(groupId: string): GroupKnowledge {
  return {
    groupId,
    state: 'Unknown',
    protocolType: '',
    groupType: 'unknown',
    coordinator: null,
    memberCount: null,
    committed: null,
    partitionLags: new Map(),
    topicLags: new Map(),
    totalLag: null,
    worst: null,
    lagAsOfMs: null,
  }
}

function applyDescription(knowledge: ClusterKnowledge, description: GroupDescription): void {
  const group = knowledge.groups.get(description.groupId)
  if (group === undefined || description.error !== null) return
  group.state = groupStateOf(description.state)
  group.memberCount = description.members.length
}

function applyOffsets(knowledge: ClusterKnowledge, offsets: GroupOffsets, ends: Ends, nowMs: number): void {
  const group = knowledge.groups.get(offsets.groupId)
  if (group === undefined) return
  // Also when it failed: a group whose offsets cannot be read must not be first in line for ever.
  group.lagAsOfMs = nowMs
  if (offsets.error !== null) return
  const committed = new Map<string, Map<number, number>>()
  const partitionLags = new Map<string, Map<number, number>>()
  const topicLags = new Map<string, number>()
  let totalLag: number | null = null
  let worst: GroupKnowledge['worst'] = null
  for (const { topic, partition, offset, error } of offsets.offsets) {
    if (offset === null || error !== null) continue
    entryOf(committed, topic).set(partition, offset)
    const highWatermark = ends(topic, partition)
    if (Number.isNaN(highWatermark)) continue
    // An end last known from before the commit may be the smaller of the two.
    const lag = Math.max(0, highWatermark - offset)
    entryOf(partitionLags, topic).set(partition, lag)
    totalLag = (totalLag ?? 0) + lag
    topicLags.set(topic, (topicLags.get(topic) ?? 0) + lag)
    if (worst === null || lag > worst.lag) worst = { topic, partition, lag }
  }
  group.committed = committed
  group.partitionLags = partitionLags
  group.topicLags = topicLags
  group.totalLag = totalLag
  group.worst = worst
}

function entryOf(byTopic: Map<string, Map<number, number>>, topic: string): Map<number, number> {
  let entry = byTopic.get(topic)
  if (entry === undefined) byTopic.set(topic, (entry = new Map()))
  return entry
}

function indexByTopic(knowledge: ClusterKnowledge): void {
  const index = new Map<string, GroupKnowledge[]>()
  for (const group of knowledge.groups.values()) {
    for (const topic of group.committed?.keys() ?? []) {
      const groups = index.get(topic)
      if (groups === undefined) index.set(topic, [group])
      else groups.push(group)
    }
  }
  knowledge.groupsByTopic = index
}

const groupStates: Readonly<Record<string, GroupState>> = {
  stable: 'Stable',
  preparingrebalance: 'PreparingRebalance',
  completingrebalance: 'CompletingRebalance',
  assigning: 'Assigning',
  reconciling: 'Reconciling',
  empty: 'Empty',
  dead: 'Dead',
}

/** Kafka's versions spell states differently (`PreparingRebalance`, `Preparing Rebalance`). */
export function groupStateOf(text: string): GroupState {
  return groupStates[text.replaceAll(/[\s_]/g, '').toLowerCase()] ?? 'Unknown'
}

function groupTypeOf(text: string): GroupKnowledge['groupType'] {
  const lower = text.toLowerCase()
  return lower === 'classic' || lower === 'consumer' || lower === 'share' ? lower : 'unknown'
}
