/**
 * CreatePartitions v0-3, at the controller: raises the number of partitions of topics to a total. It can only grow. A dry run
 * answers the same and changes nothing.
 */
import { createPartitions as decidePartitions } from '../cluster/topic-control.ts'
import { AclOperation, ResourceType } from '../security/authorizer.ts'
import { ErrorCode } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { createPartitions } from './37-create-partitions.schema.ts'
import type { ControllerServices } from './controller-context.ts'
import { defineApi } from './registry.ts'

export const createPartitionsApi = defineApi(createPartitions, {
  listeners: 'everywhere',
  failure: createPartitionsFailure,
  async handle(request, context, { controller }: Pick<ControllerServices, 'controller'>) {
    const allowed = request.topics.filter(({ name }) => context.authorize(AclOperation.ALTER, ResourceType.TOPIC, name))
    const wanted = allowed.map(({ name, count, assignments }) => ({
      name,
      count,
      assignments: assignments?.map(({ brokerIds }) => brokerIds) ?? null,
    }))
    const isRehearsal = request.validateOnly
    const answers = await controller.write((input) => decidePartitions(input, wanted), { isRehearsal })
    const byTopic = new Map(allowed.map((topic, index) => [topic, answers[index]!]))
    const throttleTimeMs = context.quota('controllerMutations', allowed.length)
    const results = request.topics.map((topic) => {
      const answer = byTopic.get(topic) ?? {
        errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED,
        errorMessage: `Altering topic '${topic.name}' is not allowed.`,
      }
      return { name: topic.name, errorCode: answer.errorCode, errorMessage: 'errorMessage' in answer ? answer.errorMessage : null }
    })
    return { throttleTimeMs, results }
  },
})

export function createPartitionsFailure(
  request: Decoded<typeof createPartitions.request>,
  errorCode: ErrorCode,
): Encodable<typeof createPartitions.response> {
  return { throttleTimeMs: 0, results: request.topics.map(({ name }) => ({ name, errorCode })) }
}
