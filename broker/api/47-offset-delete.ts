/** OffsetDelete v0 (KIP-496): forgets committed offsets of topics nobody in the group subscribes to. */
import { AclOperation, ResourceType } from '../security/authorizer.ts'
import { ErrorCode } from '../wire/errors.ts'
import { offsetDelete } from './47-offset-delete.schema.ts'
import type { BrokerServices } from './context.ts'
import { mayUseGroup } from './group-handlers.ts'
import { defineApi } from './registry.ts'

export const offsetDeleteApi = defineApi(offsetDelete, {
  listeners: 'everywhere',
  failure: (_request, error) => refused(error),
  async handle(request, context, services: Pick<BrokerServices, 'groups' | 'image'>) {
    if (!mayUseGroup(context, AclOperation.DELETE, request.groupId)) return refused(ErrorCode.GROUP_AUTHORIZATION_FAILED)
    const image = services.image()
    const problemOf = (topic: string, partition: number) => {
      if (!context.authorize(AclOperation.READ, ResourceType.TOPIC, topic)) return ErrorCode.TOPIC_AUTHORIZATION_FAILED
      return image.partition(topic, partition) === undefined ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : ErrorCode.NONE
    }
    const accepted = request.topics.map(({ name, partitions }) => ({
      topic: name,
      partitions: partitions
        .map(({ partitionIndex }) => partitionIndex)
        .filter((partition) => problemOf(name, partition) === ErrorCode.NONE),
    }))
    const reply = await services.groups.deleteOffsets(request.groupId, accepted)
    if (reply.errorCode !== ErrorCode.NONE) return refused(reply.errorCode)
    const outcomes = new Map(
      reply.topics.flatMap(({ topic, partitions }) =>
        partitions.map(({ partition, errorCode }) => [`${topic}/${partition}`, errorCode] as const),
      ),
    )
    return {
      errorCode: ErrorCode.NONE,
      throttleTimeMs: 0,
      topics: request.topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex }) => ({
          partitionIndex,
          errorCode: outcomes.get(`${name}/${partitionIndex}`) ?? problemOf(name, partitionIndex),
        })),
      })),
    }
  },
})

function refused(errorCode: ErrorCode) {
  return { errorCode, throttleTimeMs: 0, topics: [] }
}
