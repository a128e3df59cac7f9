/** Changing topics: validated or previewed first, confirmed by name where something is lost, journalled always. */
import type { DeleteTopicPreview } from '../../contract/topics.ts'
import type { FieldProblem, SettingChange } from '../../contract/topic-settings.ts'
import type { ClusterSession } from '../clusters/session.ts'
import { named, plural } from '../plural.ts'
import { HostError, toHostError } from '../problem.ts'
import { implementer } from '../rpc/implementer.ts'
import { adminDeadlineMs, type HostServices } from '../services.ts'
import { demandConfirmation } from './clusters.ts'
import { untilBrokersKnow } from './topic-known.ts'
import { topicOf } from './topic-lanes.ts'

const os = implementer.topics
const options = { timeoutMs: adminDeadlineMs }
/** Groups called by name in what a deletion does. */
const namedGroupsMax = 5

export function topicChangesRouter(services: HostServices) {
  const { clusters, journal } = services
  return {
    create: os.create.handler(async ({ input }) => {
      const session = clusters.get(input.clusterId)
      session.demandWritable('Creating a topic')
      const topic = {
        name: input.name,
        partitionCount: input.partitionCount ?? undefined,
        replicationFactor: input.replicationFactor ?? undefined,
        configs: input.settings,
      }
      const create = async (validateOnly: boolean) => {
        const [created] = await session.client.admin.createTopics([topic], { ...options, validateOnly })
        if (created === undefined) throw new HostError('INTERNAL', 'The cluster did not answer for the topic.', { subject: input.name })
        if (created.error !== null) throw toHostError(created.error, input.name)
        return created
      }
      if (input.validateOnly) {
        return create(true).then(
          (created) => ({ ...countsOf(created), name: input.name, problems: [], activityId: null }),
          (error: unknown) => ({ ...asked(input), name: input.name, problems: [fieldProblem(error, 'name')], activityId: null }),
        )
      }
      const change = {
        clusterId: session.id,
        action: 'topic.create',
        subject: input.name,
        summary: `Created topic ${input.name}.`,
        after: topic,
      } as const
      const { result, activityId } = await journal.during(change, () => create(false))
      await untilBrokersKnow(services.env, session.client, input.name).catch((error: unknown) => {
        services.env.log.write('warn', 'the brokers could not be asked whether they know a new topic', { topic: input.name, error })
      })
      clusters.refresh(session.id)
      return { ...countsOf(result), name: input.name, problems: [], activityId }
    }),

    previewDelete: os.previewDelete.handler(({ input }) => previewDelete(clusters.get(input.clusterId), input.topic)),
    delete: os.delete.handler(async ({ input }) => {
      const session = clusters.get(input.clusterId)
      session.demandWritable('Deleting a topic')
      const preview = previewDelete(session, input.topic)
      demandConfirmation(input.confirmName, input.topic, 'topic')
      const change = {
        clusterId: session.id,
        action: 'topic.delete',
        subject: input.topic,
        summary: `Deleted topic ${input.topic}.`,
        before: preview,
      } as const
      const { activityId } = await journal.during(change, async () => {
        const [deleted] = await session.client.admin.deleteTopics([input.topic], options)
        if (deleted?.error) throw toHostError(deleted.error, input.topic)
      })
      clusters.refresh(session.id)
      return { activityId }
    }),

    addPartitions: os.addPartitions.handler(async ({ input }) => {
      const session = clusters.get(input.clusterId)
      session.demandWritable('Adding partitions')
      const before = topicOf(session, input.topic).partitions.length
      const add = async (validateOnly: boolean): Promise<void> => {
        const [result] = await session.client.admin.createPartitions([{ name: input.topic, partitionCount: input.partitionCount }], {
          ...options,
          validateOnly,
        })
        if (result?.error) throw toHostError(result.error, input.topic)
      }
      if (input.validateOnly) {
        return add(true).then(
          () => ({ problems: [], activityId: null }),
          (error: unknown) => ({ problems: [fieldProblem(error, 'partitionCount')], activityId: null }),
        )
      }
      const summary = `Raised the partitions of ${input.topic} from ${before} to ${input.partitionCount}.`
      const change = {
        clusterId: session.id,
        action: 'topic.add-partitions',
        subject: input.topic,
        summary,
        before,
        after: input.partitionCount,
      } as const
      const { activityId } = await journal.during(change, () => add(false))
      clusters.refresh(session.id)
      return { problems: [], activityId }
    }),

    changeSettings: os.changeSettings.handler(async ({ input }) => {
      const session = clusters.get(input.clusterId)
      session.demandWritable('Changing settings')
      topicOf(session, input.topic)
      const before = await ownSettings(
        session,
        input.topic,
        input.changes.map(({ name }) => name),
      )
      const changes = input.changes.map(({ name, value }): SettingChange => ({ name, before: before.get(name) ?? null, after: value }))
      if (input.validateOnly) {
        return alterSettings(session, input.topic, changes, true).then(
          () => ({ changes, problems: [], activityId: null }),
          (error: unknown) => ({ changes, problems: [fieldProblem(error, fieldNamed(error, changes))], activityId: null }),
        )
      }
      const activityId = await changeSettings(services, session, input.topic, changes)
      return { changes, problems: [], activityId }
    }),
  }
}

/** Alters settings and writes it down with its inverse. Also how an undo is carried out. */
export async function changeSettings(
  { journal }: Pick<HostServices, 'journal'>,
  session: ClusterSession,
  topic: string,
  changes: readonly SettingChange[],
): Promise<number> {
  const names = changes.map(({ name }) => name).join(', ')
  const change = {
    clusterId: session.id,
    action: 'topic.settings',
    subject: topic,
    summary: `Changed ${names} of ${topic}.`,
    before: Object.fromEntries(changes.map(({ name, before }) => [name, before])),
    after: Object.fromEntries(changes.map(({ name, after }) => [name, after])),
    inverse: {
      kind: 'topic.settings',
      topic,
      changes: changes.map(({ name, before, after }) => ({ name, value: before, expected: after })),
    },
  } as const
  const { activityId } = await journal.during(change, () => alterSettings(session, topic, changes, false))
  return activityId
}

/** The values set on the topic itself, by name. */
export async function ownSettings(
  session: ClusterSession,
  topic: string,
  names: readonly string[],
): Promise<ReadonlyMap<string, string | null>> {
  const [described] = await session.client.admin.describeConfigs([{ type: 'topic', name: topic, names }], options)
  if (described?.error) throw toHostError(described.error, topic)
  return new Map((described?.entries ?? []).filter(({ source }) => source === 'topic').map(({ name, value }) => [name, value]))
}

async function alterSettings(
  session: ClusterSession,
  topic: string,
  changes: readonly SettingChange[],
  validateOnly: boolean,
): Promise<void> {
  const wished = changes.map(({ name, after }) =>
    after === null ? { name, operation: 'delete' as const } : { name, operation: 'set' as const, value: after },
  )
  const [result] = await session.client.admin.incrementalAlterConfigs([{ type: 'topic', name: topic, changes: wished }], {
    ...options,
    validateOnly,
  })
  if (result?.error) throw toHostError(result.error, topic)
}

function previewDelete(session: ClusterSession, name: string): DeleteTopicPreview {
  const topic = topicOf(session, name)
  const groups = (session.knowledge.groupsByTopic.get(name) ?? [])
    .map(({ groupId, state, memberCount }) => ({ groupId, state, memberCount: memberCount ?? 0 }))
    .sort((a, b) => b.memberCount - a.memberCount || a.groupId.localeCompare(b.groupId))
  const reading = groups.flatMap(({ groupId, memberCount }) => (memberCount > 0 ? [groupId] : []))
  const idleCount = groups.length - reading.length
  const consequences = ['All its records and settings are deleted from every broker; this cannot be undone.']
  if (reading.length > 0)
    consequences.push(`${named(reading, namedGroupsMax)} ${reading.length === 1 ? 'reads' : 'read'} it now and will get errors.`)
  if (idleCount > 0) {
    const others = plural(idleCount, reading.length > 0 ? 'more group' : 'group')
    consequences.push(`${others} ${idleCount === 1 ? 'has' : 'have'} offsets here; they are deleted too.`)
  }
  if (topic.isInternal) consequences.push('It is internal to Kafka: deleting it breaks what the cluster keeps there.')
  return { topic: name, partitionCount: topic.partitions.length, recordCount: topic.recordCount, bytes: topic.bytes, groups, consequences }
}

function countsOf(created: { readonly partitionCount: number; readonly replicationFactor: number }) {
  return { partitionCount: created.partitionCount, replicationFactor: created.replicationFactor }
}

function asked(input: { readonly partitionCount: number | null; readonly replicationFactor: number | null }) {
  return { partitionCount: input.partitionCount ?? 0, replicationFactor: input.replicationFactor ?? 0 }
}

/** Which field of the form an error is about, from the broker's error. */
function fieldProblem(error: unknown, fallback: string): FieldProblem {
  const { message, data } = toHostError(error)
  const field =
    data.cause === 'INVALID_PARTITIONS' ? 'partitionCount' : data.cause === 'INVALID_REPLICATION_FACTOR' ? 'replicationFactor' : fallback
  return { field: data.cause === 'INVALID_CONFIG' && fallback === 'name' ? 'settings' : field, message }
}

/** The setting an error names: the longest that occurs in it, as one name may begin with another. */
function fieldNamed(error: unknown, changes: readonly SettingChange[]): string {
  const { message } = toHostError(error)
  const named = changes.map(({ name }) => name).filter((name) => message.includes(name))
  return named.sort((a, b) => b.length - a.length)[0] ?? changes[0]?.name ?? 'settings'
}
