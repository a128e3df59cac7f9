/** Deleting records: previewed as an offset for each partition, confirmed by the topic's name, carried out at those offsets. */
import type { ListedOffset } from '../../client/types.ts'
import type {
  DeleteRecordsOutcome,
  DeleteRecordsPreview,
  DeleteRecordsResult,
  DeleteRecordsRow,
  DeleteRecordsTarget,
} from '../../contract/delete-records.ts'
import type { TopicKnowledge } from '../clusters/knowledge.ts'
import type { ClusterSession } from '../clusters/session.ts'
import { grouped, plural } from '../plural.ts'
import { HostError, toHostError } from '../problem.ts'
import { implementer } from '../rpc/implementer.ts'
import { adminDeadlineMs, type HostServices } from '../services.ts'
import { demandConfirmation } from './clusters.ts'
import { topicOf } from './topic-lanes.ts'

const os = implementer.topics
const options = { timeoutMs: adminDeadlineMs }
/** Groups a preview names. */
const namedGroupsMax = 5

interface BeforeOffset {
  readonly partition: number
  readonly beforeOffset: number
}

export function deleteRecordsRouter({ clusters, journal }: HostServices) {
  return {
    previewDeleteRecords: os.previewDeleteRecords.handler(({ input }) =>
      preview(clusters.get(input.clusterId), input.topic, input.partitions, input.target),
    ),
    deleteRecords: os.deleteRecords.handler(async ({ input }): Promise<DeleteRecordsResult> => {
      const session = clusters.get(input.clusterId)
      session.demandWritable('Deleting records')
      demandConfirmation(input.confirmName, input.topic, 'topic')
      const topic = topicOf(session, input.topic)
      demandPartitions(
        topic,
        input.partitions.map(({ partition }) => partition),
      )
      const change = {
        clusterId: session.id,
        action: 'topic.delete-records',
        subject: input.topic,
        summary: `Deleted records of ${input.topic}.`,
        before: { partitions: input.partitions },
      } as const
      const { result, activityId } = await journal.during(
        change,
        () => carryOut(session, input.topic, input.partitions),
        (outcomes) => ({ summary: summaryOf(input.topic, outcomes), after: { outcomes }, failure: failureOf(outcomes) }),
      )
      clusters.refresh(session.id)
      return { outcomes: result, deletedCount: totalOf(result), activityId }
    }),
  }
}

async function preview(
  session: ClusterSession,
  name: string,
  wished: readonly number[] | null,
  target: DeleteRecordsTarget,
): Promise<DeleteRecordsPreview> {
  const topic = topicOf(session, name)
  const named = target.to === 'offsets' ? target.offsets.map(({ partition }) => partition) : []
  demandPartitions(topic, [...(wished ?? []), ...named])
  const chosen = topic.partitions.filter(({ partition }) => wished === null || wished.includes(partition))
  const led = chosen.filter(({ leader }) => leader !== null).map(({ partition }) => partition)
  const ask = (spec: Parameters<typeof session.client.admin.listOffsets>[0][number]['spec']) =>
    session.client.admin.listOffsets(
      led.map((partition) => ({ topic: name, partition, spec })),
      options,
    )
  const [starts, ends, atTime, policy] = await Promise.all([
    ask('earliest'),
    ask('latest'),
    target.to === 'time' ? ask({ timestampMs: target.timestampMs }) : null,
    cleanupPolicyOf(session, name),
  ])
  const rows: DeleteRecordsRow[] = []
  const unavailable = chosen.flatMap(({ partition, leader }) => (leader === null ? [{ partition, reason: 'It has no leader.' }] : []))
  for (const [index, partition] of led.entries()) {
    const [start, end, found] = [starts[index], ends[index], atTime?.[index]]
    const error = start?.error ?? end?.error ?? found?.error
    if (error) unavailable.push({ partition, reason: toHostError(error).message })
    else rows.push(rowOf(partition, { start: start?.offset ?? 0, end: end?.offset ?? 0 }, target, found))
  }
  return {
    topic: name,
    rows,
    unavailable: unavailable.sort((a, b) => a.partition - b.partition),
    deletedCount: totalOf(rows),
    isUpperBound: policy.includes('compact'),
    blocker: blockerOf(topic, policy),
    consequences: unreadBy(session, name, rows),
  }
}

function rowOf(
  partition: number,
  log: { readonly start: number; readonly end: number },
  target: DeleteRecordsTarget,
  found: ListedOffset | undefined,
): DeleteRecordsRow {
  const wished = wishedOffset(partition, log, target, found)
  const newLogStartOffset = Math.min(Math.max(wished, log.start), log.end)
  const note =
    newLogStartOffset === wished ? null : `Offset ${grouped(wished)} is not in the log (${grouped(log.start)} to ${grouped(log.end)}).`
  return {
    partition,
    logStartOffset: log.start,
    highWatermark: log.end,
    newLogStartOffset,
    deletedCount: newLogStartOffset - log.start,
    note,
  }
}

function wishedOffset(
  partition: number,
  log: { readonly start: number; readonly end: number },
  target: DeleteRecordsTarget,
  found: ListedOffset | undefined,
): number {
  switch (target.to) {
    case 'end':
      return log.end
    case 'time':
      return found?.offset ?? log.end
    case 'offsets':
      return target.offsets.find((entry) => entry.partition === partition)?.beforeOffset ?? log.start
  }
}

/** Resolves with what became of each partition; rejects when nothing was deleted anywhere because all of them failed. */
async function carryOut(
  session: ClusterSession,
  topic: string,
  targets: readonly BeforeOffset[],
): Promise<readonly DeleteRecordsOutcome[]> {
  const starts = await session.client.admin.listOffsets(
    targets.map(({ partition }) => ({ topic, partition, spec: 'earliest' as const })),
    options,
  )
  const deleted = await session.client.admin.deleteRecords(
    targets.map((target) => ({ topic, ...target })),
    options,
  )
  const failures = deleted.flatMap(({ error }) => (error === null ? [] : [error]))
  if (failures[0] !== undefined && failures.length === deleted.length) throw refusal(failures[0], topic)
  return deleted.map(({ partition, logStartOffset, error }, index) => {
    if (error !== null) return { partition, logStartOffset: null, deletedCount: 0, failure: refusal(error, topic).message }
    const before = starts[index]?.offset ?? null
    const deletedCount = logStartOffset === null || before === null ? 0 : Math.max(0, logStartOffset - before)
    return { partition, logStartOffset, deletedCount, failure: null }
  })
}

/** Kafka's refusal for a topic that is only compacted has no sentence of its own. */
function refusal(error: Parameters<typeof toHostError>[0], topic: string): HostError {
  const translated = toHostError(error, topic)
  if (translated.data.cause !== 'POLICY_VIOLATION') return translated
  return new HostError(translated.code, onlyCompacted(topic), { ...translated.data, advice: compactedAdvice }, { cause: error })
}

const onlyCompacted = (topic: string): string =>
  `${topic} is compacted only: Kafka deletes records by offset where cleanup.policy includes "delete".`
const compactedAdvice = 'Add "delete" to cleanup.policy in Settings, or send a tombstone for each key to be removed.'

function blockerOf(topic: TopicKnowledge, policy: readonly string[]): string | null {
  if (topic.isInternal) return `${topic.name} is internal to Kafka, which refuses to delete its records.`
  return policy.includes('compact') && !policy.includes('delete') ? `${onlyCompacted(topic.name)} ${compactedAdvice}` : null
}

async function cleanupPolicyOf(session: ClusterSession, topic: string): Promise<readonly string[]> {
  const [described] = await session.client.admin.describeConfigs([{ type: 'topic', name: topic, names: ['cleanup.policy'] }], options)
  // A connection that may not read settings may still delete: the brokers have the last word.
  const value = described?.entries.find(({ name }) => name === 'cleanup.policy')?.value ?? ''
  return value.split(',').map((policy) => policy.trim())
}

/** Groups whose place lies before where a log will start, as sentences, those that lose most first. */
function unreadBy(session: ClusterSession, topic: string, rows: readonly DeleteRecordsRow[]): readonly string[] {
  const unread = (session.knowledge.groupsByTopic.get(topic) ?? []).flatMap(({ groupId, committed }) => {
    const places = committed?.get(topic)
    const count = rows.reduce((total, row) => {
      const place = places?.get(row.partition)
      return place === undefined ? total : total + Math.max(0, row.newLogStartOffset - Math.max(place, row.logStartOffset))
    }, 0)
    return count === 0 ? [] : [{ groupId, count }]
  })
  unread.sort((a, b) => b.count - a.count || a.groupId.localeCompare(b.groupId))
  const sentences = unread
    .slice(0, namedGroupsMax)
    .map(({ groupId, count }) => `${groupId} has not read ${grouped(count)} of them, and never will.`)
  if (unread.length > namedGroupsMax) sentences.push(`Nor have ${plural(unread.length - namedGroupsMax, 'more group')} read all of them.`)
  return sentences
}

function demandPartitions(topic: TopicKnowledge, partitions: readonly number[]): void {
  const known = new Set(topic.partitions.map(({ partition }) => partition))
  const missing = partitions.find((partition) => !known.has(partition))
  if (missing === undefined) return
  throw new HostError('PARTITION_NOT_FOUND', `${topic.name} has no partition ${missing}.`, { subject: topic.name })
}

function summaryOf(topic: string, outcomes: readonly DeleteRecordsOutcome[]): string {
  const done = outcomes.filter(({ failure }) => failure === null).length
  return `Deleted ${plural(totalOf(outcomes), 'record')} of ${topic} in ${plural(done, 'partition')}.`
}

function failureOf(outcomes: readonly DeleteRecordsOutcome[]): string | null {
  const failed = outcomes.filter(({ failure }) => failure !== null)
  return failed[0] === undefined ? null : `${plural(failed.length, 'partition')} failed: ${failed[0].failure}`
}

function totalOf(counted: readonly { readonly deletedCount: number }[]): number {
  return counted.reduce((total, { deletedCount }) => total + deletedCount, 0)
}
