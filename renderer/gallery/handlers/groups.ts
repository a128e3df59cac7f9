import type { GroupListInput, GroupRow } from '../../../broker/contract/groups.ts'
import { groupDetail, series } from '../fixtures/groups.ts'
import type { World } from '../fixtures/world.ts'
import { pageOf, sortedBy } from '../page.ts'
import { streamed } from '../stream.ts'
import { missing } from './cluster.ts'
import type { Implementer } from '../implementer.ts'

export function groupHandlers(os: Implementer, world: World) {
  const find = (groupId: string): GroupRow =>
    world.groups.find((group) => group.groupId === groupId) ?? missing('GROUP_NOT_FOUND', `group ${groupId}`)
  const resetRows = () =>
    [0, 1, 2].map((partition) => ({
      topic: 'trucks_gps',
      partition,
      before: 4_012 + partition,
      after: 0,
      lagBefore: 12,
      lagAfter: 4_100,
      note: partition === 2 ? 'Offset 0 was deleted; 118 is the oldest there is.' : null,
    }))
  return {
    groups: {
      list: os.groups.list.handler(({ input }) => groupPage(world, input)),
      watchList: os.groups.watchList.handler(({ input, signal }) => streamed(() => groupPage(world, input), 1_000, signal)),
      describe: os.groups.describe.handler(({ input }) => groupDetail(world, find(input.groupId), Date.now())),
      watch: os.groups.watch.handler(({ input, signal }) =>
        streamed(() => groupDetail(world, find(input.groupId), Date.now()), 1_000, signal),
      ),
      lagHistory: os.groups.lagHistory.handler(({ input }) => {
        if (world.scene === 'empty') return []
        if (!input.perPartition) return [series('lag', 'records', input, 7_300, 6)]
        return Array.from({ length: 8 }, (_unused, partition) =>
          series(`${input.topic ?? 'trucks_gps'}-${partition}`, 'records', input, 300 + partition * 120, partition + 7),
        )
      }),
      previewReset: os.groups.previewReset.handler(({ input }) => {
        const group = find(input.groupId)
        return {
          groupId: input.groupId,
          rows: resetRows(),
          blocker: group.state === 'Empty' ? null : `${input.groupId} has ${group.memberCount ?? 0} members; stop them first.`,
          reReadCount: 12_300,
          skippedCount: 0,
        }
      }),
      reset: os.groups.reset.handler(() => ({ rows: resetRows(), activityId: 104 })),
      previewDelete: os.groups.previewDelete.handler(({ input }) => {
        const group = find(input.groupId)
        return {
          groupId: group.groupId,
          state: group.state,
          offsets: [{ topic: 'trucks_gps', partitionCount: 10, lag: group.totalLag }],
          blocker: group.state === 'Empty' ? null : 'It has members; stop them first.',
          consequences: ['Its committed offsets are lost.'],
        }
      }),
      delete: os.groups.delete.handler(({ input }) => {
        world.groups = world.groups.filter((group) => group.groupId !== input.groupId)
        return { activityId: 105 }
      }),
    },
  }
}

function groupPage(world: World, input: GroupListInput & { from: number; count: number }) {
  const wanted = (input.filter ?? '').toLowerCase()
  const matching = world.groups.filter(
    (group) =>
      group.groupId.toLowerCase().includes(wanted) &&
      (input.states === null || input.states === undefined || input.states.includes(group.state)),
  )
  return pageOf(sortedBy(matching, input.sortBy ?? 'groupId', input.direction ?? 'ascending'), world.groups.length, input)
}
