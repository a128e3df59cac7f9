import type { FieldProblem } from '../../../broker/contract/topic-settings.ts'
import type { TopicListInput, TopicRow } from '../../../broker/contract/topics.ts'
import { deleteRecordsPreview, deleteRecordsResult } from '../fixtures/delete-records.ts'
import { series } from '../fixtures/groups.ts'
import { partitionLanes, topicConsumers, topicDetail, topicSettings } from '../fixtures/topics.ts'
import { withMoves } from '../fixtures/reassignments.ts'
import { emptyTopic, type World } from '../fixtures/world.ts'
import { pageOf, sortedBy } from '../page.ts'
import { streamed } from '../stream.ts'
import { missing } from './cluster.ts'
import type { Implementer } from '../implementer.ts'

export function topicHandlers(os: Implementer, world: World) {
  const find = (name: string): TopicRow =>
    world.topics.find((topic) => topic.name === name) ??
    (world.scene === 'empty' ? emptyTopic(name) : missing('TOPIC_NOT_FOUND', `topic ${name}`))
  let settings = topicSettings()
  return {
    topics: {
      list: os.topics.list.handler(({ input }) => topicPage(world, input)),
      watchList: os.topics.watchList.handler(({ input, signal }) => streamed(() => topicPage(world, input), 1_000, signal)),
      describe: os.topics.describe.handler(({ input }) => topicDetail(find(input.topic), Date.now())),
      watchPartitions: os.topics.watchPartitions.handler(({ input, signal }) =>
        streamed(() => withMoves(world, partitionLanes(world, find(input.topic), input, Date.now())), 1_000, signal),
      ),
      consumers: os.topics.consumers.handler(({ input }) => topicConsumers(world, find(input.topic), Date.now())),
      history: os.topics.history.handler(({ input }) => [series('records in', 'records/s', input, 10, 4)]),
      create: os.topics.create.handler(({ input }) => {
        const problems = problemsOf(world, input.name)
        if (!input.validateOnly && problems.length === 0)
          world.topics = [...world.topics, { ...find0(world), name: input.name, partitionCount: input.partitionCount ?? 3 }]
        return {
          name: input.name,
          partitionCount: input.partitionCount ?? 3,
          replicationFactor: input.replicationFactor ?? 1,
          problems,
          activityId: input.validateOnly ? null : 99,
        }
      }),
      previewDelete: os.topics.previewDelete.handler(({ input }) => {
        const topic = find(input.topic)
        return {
          topic: topic.name,
          partitionCount: topic.partitionCount,
          recordCount: topic.recordCount,
          bytes: topic.bytes,
          groups: [{ groupId: 'location-dashboard', state: 'Stable', memberCount: 4 }],
          consequences: ['41,820 records are lost.', 'location-dashboard has 4 members that read it; they will fail or wait.'],
        }
      }),
      delete: os.topics.delete.handler(({ input }) => {
        world.topics = world.topics.filter((topic) => topic.name !== input.topic)
        return { activityId: 100 }
      }),
      addPartitions: os.topics.addPartitions.handler(() => ({ problems: [], activityId: 101 })),
      settings: os.topics.settings.handler(() => settings),
      changeSettings: os.topics.changeSettings.handler(({ input }) => {
        const changes = input.changes.map((change) => ({
          name: change.name,
          before: settings.find((setting) => setting.name === change.name)?.value ?? null,
          after: change.value,
        }))
        const problems = input.changes.flatMap((change): FieldProblem[] =>
          change.value === 'bad' ? [{ field: change.name, message: `${change.name} must be a number, at least -1.` }] : [],
        )
        if (!input.validateOnly && problems.length === 0) {
          settings = settings.map((setting) => {
            const change = input.changes.find((candidate) => candidate.name === setting.name)
            if (change === undefined) return setting
            return change.value === null
              ? { ...setting, value: setting.defaultValue, source: 'default' as const }
              : { ...setting, value: change.value, source: 'topic' as const }
          })
        }
        return { changes, problems, activityId: 102 }
      }),
      previewDeleteRecords: os.topics.previewDeleteRecords.handler(({ input }) => deleteRecordsPreview(find(input.topic))),
      deleteRecords: os.topics.deleteRecords.handler(({ input }) => deleteRecordsResult(input.partitions)),
      defaults: os.topics.defaults.handler(() => ({ partitionCount: 3, replicationFactor: 1, replicationFactorMax: 3 })),
    },
  }
}

function find0(world: World): TopicRow {
  return {
    ...(world.topics[0] as TopicRow),
    recordCount: 0,
    bytes: 0,
    recordsInPerSecond: 0,
    groupCount: 0,
    worstLag: null,
    worstLagGroupId: null,
  }
}

function topicPage(world: World, input: TopicListInput & { from: number; count: number }) {
  const parts = (input.filter ?? '').toLowerCase().split(/\s+/).filter(Boolean)
  const rows = world.topics.filter((topic) => input.includeInternal === true || !topic.isInternal)
  const isWanted = (topic: TopicRow): boolean => input.onlyAffected !== true || topic.offlineCount + topic.underReplicatedCount > 0
  const matching = rows.filter((topic) => isWanted(topic) && parts.every((part) => topic.name.toLowerCase().includes(part)))
  return pageOf(sortedBy(matching, input.sortBy ?? 'name', input.direction ?? 'ascending'), rows.length, input)
}

function problemsOf(world: World, name: string): FieldProblem[] {
  if (name === '') return [{ field: 'name', message: 'A topic needs a name.' }]
  if (!/^[A-Za-z0-9._-]+$/.test(name)) return [{ field: 'name', message: 'Only letters, digits, ".", "_" and "-" are allowed.' }]
  if (world.topics.some((topic) => topic.name === name)) return [{ field: 'name', message: `The topic ${name} exists already.` }]
  return []
}
