/** What administrators ask about groups of the cluster in memory. */
import type { Admin } from '../../../broker/client/types.ts'
import { kafkaFailure, type FakeKafkaState } from './state.ts'

const placeOf = (key: string): { topic: string; partition: number } => {
  const at = key.lastIndexOf('-')
  return { topic: key.slice(0, at), partition: Number(key.slice(at + 1)) }
}

export function groupsAdmin(kafka: FakeKafkaState): Partial<Admin> {
  return {
    async listGroups() {
      kafka.call('listGroups')
      const groups = [...kafka.groups].map(([groupId, { state }]) => ({
        groupId,
        protocolType: 'consumer',
        state,
        type: 'classic',
        coordinatorId: 1,
      }))
      return { groups, failures: [] }
    },
    async describeGroups(groupIds) {
      kafka.call('describeGroups')
      return groupIds.map((groupId) => {
        const group = kafka.groups.get(groupId)
        return {
          groupId,
          state: group?.state ?? 'Dead',
          protocolType: 'consumer',
          protocolName: group !== undefined && group.members.length > 0 ? 'range' : '',
          coordinatorId: 1,
          error: null,
          members: (group?.members ?? []).map((member) => ({
            ...member,
            groupInstanceId: null,
            clientHost: '/127.0.0.1',
            subscribedTopics: [],
            metadataBytes: Buffer.alloc(0),
            assignmentBytes: Buffer.alloc(0),
            isParsed: true,
          })),
        }
      })
    },
    async deleteGroups(groupIds) {
      kafka.call('deleteGroups')
      return groupIds.map((name) => ({ name, error: kafka.groups.delete(name) ? null : kafkaFailure(69, 'There is no such group.') }))
    },
    async fetchOffsets(groups) {
      kafka.call('fetchOffsets')
      return groups.map(({ groupId, partitions }) => {
        const offsets = kafka.groups.get(groupId)?.offsets ?? new Map<string, number>()
        const keys = partitions?.map(({ topic, partition }) => `${topic}-${partition}`) ?? [...offsets.keys()]
        return {
          groupId,
          error: null,
          offsets: keys.map((key) => ({ ...placeOf(key), offset: offsets.get(key) ?? null, leaderEpoch: 0, metadata: '', error: null })),
        }
      })
    },
    async alterOffsets(groupId, offsets) {
      kafka.call('alterOffsets')
      const group = kafka.groups.get(groupId) ?? kafka.addGroup(groupId, {})
      return offsets.map(({ topic, partition, offset }) => {
        if (group.members.length > 0) return { topic, partition, error: kafkaFailure(25, 'The group has members.') }
        group.offsets.set(`${topic}-${partition}`, offset)
        return { topic, partition, error: null }
      })
    },
    async deleteOffsets(groupId, partitions) {
      kafka.call('deleteOffsets')
      for (const { topic, partition } of partitions) kafka.groups.get(groupId)?.offsets.delete(`${topic}-${partition}`)
      return partitions.map((place) => ({ ...place, error: null }))
    },
  }
}
