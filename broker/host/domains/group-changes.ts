/** Moving and deleting a group's offsets: previewed, confirmed by the group's id, journalled, and resets can be undone. */
import type { CommittedOffset, TopicPartition } from '../../client/types.ts'
import type { DeleteGroupPreview, GroupState, ResetInput, ResetPreview, ResetRow, ResetTarget } from '../../contract/groups.ts'
import type { ClusterSession } from '../clusters/session.ts'
import { grouped, plural } from '../plural.ts'
import { HostError, toHostError } from '../problem.ts'
import { implementer } from '../rpc/implementer.ts'
import { groupStateOf } from '../sampling/group-sampler.ts'
import { adminDeadlineMs, type HostServices } from '../services.ts'
import { demandConfirmation } from './clusters.ts'
import { lagOf } from './topic-lanes.ts'

const os = implementer.groups
const options = { timeoutMs: adminDeadlineMs }

export function groupChangesRouter(services: HostServices) {
  const { clusters, journal } = services
  return {
    previewReset: os.previewReset.handler(({ input }) => previewReset(clusters.get(input.clusterId), input)),
    reset: os.reset.handler(async ({ input }) => {
      const session = clusters.get(input.clusterId)
      session.demandWritable('Resetting offsets')
      demandConfirmation(input.confirmName, input.groupId, 'group')
      const preview = await previewReset(session, input)
      if (preview.blocker !== null)
        throw new HostError('GROUP_NOT_EMPTY', preview.blocker, {
          subject: input.groupId,
          advice: 'Stop its members first, then try again.',
        })
      const activityId = await moveOffsets(services, session, input.groupId, preview.rows, describeTarget(input.target))
      return { rows: preview.rows, activityId }
    }),
    previewDelete: os.previewDelete.handler(({ input }) => previewDelete(clusters.get(input.clusterId), input.groupId)),
    delete: os.delete.handler(async ({ input }) => {
      const session = clusters.get(input.clusterId)
      session.demandWritable('Deleting a group')
      const preview = await previewDelete(session, input.groupId)
      demandConfirmation(input.confirmName, input.groupId, 'group')
      const change = {
        clusterId: session.id,
        action: 'group.delete',
        subject: input.groupId,
        summary: `Deleted group ${input.groupId}.`,
        before: preview.offsets,
      } as const
      const { activityId } = await journal.during(change, async () => {
        const [deleted] = await session.client.admin.deleteGroups([input.groupId], options)
        if (deleted?.error) throw toHostError(deleted.error, input.groupId)
      })
      clusters.refresh(session.id)
      return { activityId }
    }),
  }
}

/** Commits `after` for each row and writes it down with its inverse. Also how an undo is carried out. */
export async function moveOffsets(
  { journal, clusters }: Pick<HostServices, 'journal' | 'clusters'>,
  session: ClusterSession,
  groupId: string,
  rows: readonly Pick<ResetRow, 'topic' | 'partition' | 'before' | 'after'>[],
  target: string,
): Promise<number> {
  const change = {
    clusterId: session.id,
    action: 'group.reset',
    subject: groupId,
    summary: `Moved ${groupId} to ${target} on ${plural(rows.length, 'partition')}.`,
    before: rows.map(({ topic, partition, before }) => ({ topic, partition, offset: before })),
    after: rows.map(({ topic, partition, after }) => ({ topic, partition, offset: after })),
    inverse: {
      kind: 'group.reset',
      groupId,
      offsets: rows.map(({ topic, partition, before, after }) => ({ topic, partition, offset: before, expected: after })),
    },
  } as const
  const { activityId } = await journal.during(change, async () => {
    const results = await session.client.admin.alterOffsets(
      groupId,
      rows.map(({ topic, partition, after }) => ({ topic, partition, offset: after })),
      options,
    )
    const failed = results.find(({ error }) => error !== null)
    if (failed?.error) throw notWhileMembers(failed.error, groupId)
  })
  clusters.refresh(session.id)
  return activityId
}

export async function committedOffsets(session: ClusterSession, groupId: string): Promise<readonly CommittedOffset[]> {
  const [offsets] = await session.client.admin.fetchOffsets([{ groupId }], options)
  if (offsets?.error) throw toHostError(offsets.error, groupId)
  return offsets?.offsets ?? []
}

/** Why offsets cannot be moved now; `null` when they can. */
export async function membersBlocker(session: ClusterSession, groupId: string): Promise<{ state: GroupState; blocker: string | null }> {
  const [description] = await session.client.admin.describeGroups([groupId], options)
  const state = groupStateOf(description?.state ?? '')
  const count = description?.members.length ?? 0
  if (count === 0) return { state, blocker: null }
  return { state, blocker: `${groupId} has ${plural(count, 'member')}: their offsets cannot be changed under them.` }
}

async function previewReset(session: ClusterSession, input: ResetInput): Promise<ResetPreview> {
  const [committed, { blocker }] = await Promise.all([committedOffsets(session, input.groupId), membersBlocker(session, input.groupId)])
  const before = new Map(committed.map((entry) => [`${entry.topic}\0${entry.partition}`, entry.offset]))
  const places = await placesOf(session, input, committed)
  if (places.length === 0) {
    throw new HostError('GROUP_NOT_FOUND', `${input.groupId} has no committed offsets to move.`, {
      subject: input.groupId,
      advice: 'Name the topics to set offsets for.',
    })
  }
  const ask = (spec: Parameters<typeof session.client.admin.listOffsets>[0][number]['spec']) =>
    session.client.admin.listOffsets(
      places.map((place) => ({ ...place, spec })),
      options,
    )
  const { target } = input
  const [starts, ends, atTime] = await Promise.all([
    ask('earliest'),
    ask('latest'),
    target.to === 'time' ? ask({ timestampMs: target.timestampMs }) : null,
  ])
  const rows = places.map((place, index): ResetRow => {
    const error = starts[index]?.error ?? ends[index]?.error
    if (error) throw toHostError(error, `${place.topic}-${place.partition}`)
    const log = { start: starts[index]?.offset ?? 0, end: ends[index]?.offset ?? 0 }
    return resetRow(place, before.get(`${place.topic}\0${place.partition}`) ?? null, log, target, atTime?.[index]?.offset ?? null)
  })
  const moved = (sign: 1 | -1): number =>
    rows.reduce((total, row) => total + Math.max(0, sign * (row.after - (row.before ?? row.after))), 0)
  return { groupId: input.groupId, rows, blocker, reReadCount: moved(-1), skippedCount: moved(1) }
}

export function resetRow(
  place: TopicPartition,
  before: number | null,
  log: { readonly start: number; readonly end: number },
  target: ResetTarget,
  atTime: number | null,
): ResetRow {
  const wished = wishedOffset(before, log, target, atTime)
  const after = Math.min(Math.max(wished, log.start), log.end)
  const notes: string[] = []
  if (target.to === 'shift' && before === null) notes.push('Nothing was committed: counted from the end of the log.')
  if (target.to === 'time' && atTime === null) notes.push('No record is that late: moved to the end.')
  if (after !== wished) notes.push(`Offset ${grouped(wished)} is not in the log (${grouped(log.start)} to ${grouped(log.end)}).`)
  return {
    ...place,
    before,
    after,
    lagBefore: lagOf(log.end, before),
    lagAfter: log.end - after,
    note: notes.length === 0 ? null : notes.join(' '),
  }
}

function wishedOffset(
  before: number | null,
  log: { readonly start: number; readonly end: number },
  target: ResetTarget,
  atTime: number | null,
): number {
  switch (target.to) {
    case 'earliest':
      return log.start
    case 'latest':
      return log.end
    case 'offset':
      return target.offset
    case 'time':
      return atTime ?? log.end
    case 'shift':
      return (before ?? log.end) + target.by
  }
}

async function placesOf(session: ClusterSession, input: ResetInput, committed: readonly CommittedOffset[]): Promise<TopicPartition[]> {
  if (input.topics === null || input.topics === undefined) {
    return committed.filter(({ offset }) => offset !== null).map(({ topic, partition }) => ({ topic, partition }))
  }
  const described = await session.client.admin.describeTopics(
    input.topics.map(({ topic }) => topic),
    options,
  )
  return input.topics.flatMap(({ topic, partitions }) => {
    const metadata = described.find(({ name }) => name === topic)
    if (metadata === undefined || metadata.error !== null)
      throw metadata?.error ?? new HostError('TOPIC_NOT_FOUND', `There is no topic "${topic}".`, { subject: topic })
    const known = metadata.partitions.map(({ partition }) => partition)
    const missing = partitions?.find((partition) => !known.includes(partition))
    if (missing !== undefined) throw new HostError('PARTITION_NOT_FOUND', `${topic} has no partition ${missing}.`, { subject: topic })
    return (partitions ?? known).map((partition) => ({ topic, partition }))
  })
}

async function previewDelete(session: ClusterSession, groupId: string): Promise<DeleteGroupPreview> {
  const [committed, { state, blocker }] = await Promise.all([committedOffsets(session, groupId), membersBlocker(session, groupId)])
  const lags = session.knowledge.groups.get(groupId)?.topicLags
  const topics = [...new Set(committed.map(({ topic }) => topic))].sort()
  const offsets = topics.map((topic) => ({
    topic,
    partitionCount: committed.filter((entry) => entry.topic === topic).length,
    lag: lags?.get(topic) ?? null,
  }))
  const consequences = [
    topics.length === 0 ? 'The group is forgotten; it has no committed offsets.' : `Its place in ${topics.join(', ')} is forgotten.`,
    'A consumer that joins under this name begins where its own settings say (earliest or latest).',
  ]
  return { groupId, state, offsets, blocker, consequences }
}

function describeTarget(target: ResetTarget): string {
  switch (target.to) {
    case 'earliest':
      return 'the beginning'
    case 'latest':
      return 'the end'
    case 'offset':
      return `offset ${target.offset}`
    case 'time':
      return new Date(target.timestampMs).toISOString()
    case 'shift':
      return `${Math.abs(target.by)} records ${target.by < 0 ? 'back' : 'ahead'}`
  }
}

/** What a commit from outside is refused with while members own the partitions. */
function notWhileMembers(error: Parameters<typeof toHostError>[0], groupId: string): HostError {
  const translated = toHostError(error, groupId)
  const isRefused = translated.data.cause === 'UNKNOWN_MEMBER_ID' || translated.data.cause === 'ILLEGAL_GENERATION'
  if (!isRefused) return translated
  const advice = 'Stop its members first, then try again.'
  return new HostError(
    'GROUP_NOT_EMPTY',
    `${groupId} has members: their offsets cannot be changed under them.`,
    { subject: groupId, advice, cause: translated.data.cause },
    { cause: error },
  )
}
