/**
 * DeleteRecords v0-2: moves the log start of partitions this broker leads; -1 stands for the high watermark. Answered once every
 * live replica has followed, with REQUEST_TIMED_OUT for partitions where that takes longer than the request allows.
 *
 * Only topics whose cleanup policy includes "delete" (POLICY_VIOLATION otherwise), and none the cluster keeps for itself.
 */
import { AclOperation, ResourceType } from '../security/authorizer.ts'
import { ErrorCode } from '../wire/errors.ts'
import { deleteRecords } from './21-delete-records.schema.ts'
import type { BrokerServices, RequestContext } from './context.ts'
import type { DeletedRecords } from './partitions.ts'
import { defineApi } from './registry.ts'
import { isInternalTopic } from './topics.ts'

type Services = Pick<BrokerServices, 'partitions'>

export const deleteRecordsApi = defineApi(deleteRecords, {
  listeners: 'clients',
  failure: (request, errorCode) => ({
    throttleTimeMs: 0,
    topics: request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, lowWatermark: -1, errorCode })),
    })),
  }),
  async handle(request, context, services: Services) {
    const topics = request.topics.map(async ({ name, partitions }) => {
      const refusal = refusalOf(name, context)
      const answers = partitions.map(async ({ partitionIndex, offset }) => {
        const { error, lowWatermark } =
          refusal === ErrorCode.NONE ? await deleteBefore(name, { partitionIndex, offset }, request.timeoutMs, services) : refused(refusal)
        return { partitionIndex, lowWatermark, errorCode: error }
      })
      return { name, partitions: await Promise.all(answers) }
    })
    context.ordered()
    return { throttleTimeMs: 0, topics: await Promise.all(topics) }
  },
})

function refusalOf(topic: string, context: RequestContext): ErrorCode {
  if (!context.authorize(AclOperation.DELETE, ResourceType.TOPIC, topic)) return ErrorCode.TOPIC_AUTHORIZATION_FAILED
  return isInternalTopic(topic) ? ErrorCode.INVALID_TOPIC_EXCEPTION : ErrorCode.NONE
}

async function deleteBefore(
  topic: string,
  { partitionIndex, offset }: { readonly partitionIndex: number; readonly offset: number },
  timeoutMs: number,
  services: Services,
): Promise<DeletedRecords> {
  const { partition, error } = services.partitions.leader(topic, partitionIndex)
  return partition === null ? refused(error) : partition.deleteRecordsBefore(offset, timeoutMs)
}

function refused(error: ErrorCode): DeletedRecords {
  return { error, lowWatermark: -1 }
}
