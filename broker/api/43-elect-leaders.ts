/**
 * ElectLeaders v0-2, at the controller (KIP-183, KIP-460). v1: election type 0 gives leadership back to the preferred replica,
 * type 1 elects any live replica for a partition without a leader, whatever is lost. Null partitions: all that need it; those
 * that do not are then left out of the answer, while one asked for by name is answered ELECTION_NOT_NEEDED.
 */
import { electLeaders as decideElections, ElectionType, type ElectionAnswer } from '../cluster/elect-leaders.ts'
import { AclOperation, CLUSTER_NAME, ResourceType } from '../security/authorizer.ts'
import { ErrorCode } from '../wire/errors.ts'
import { electLeaders } from './43-elect-leaders.schema.ts'
import type { ControllerServices } from './controller-context.ts'
import { defineApi } from './registry.ts'

export const electLeadersApi = defineApi(electLeaders, {
  listeners: 'everywhere',
  async handle(request, context, { controller }: Pick<ControllerServices, 'controller'>) {
    const refused = (errorCode: ErrorCode) => ({ throttleTimeMs: 0, errorCode, replicaElectionResults: [] })
    if (!context.authorize(AclOperation.ALTER, ResourceType.CLUSTER, CLUSTER_NAME)) return refused(ErrorCode.CLUSTER_AUTHORIZATION_FAILED)
    const { electionType } = request
    if (electionType !== ElectionType.PREFERRED && electionType !== ElectionType.UNCLEAN) return refused(ErrorCode.INVALID_REQUEST)
    const named = request.topicPartitions?.flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition }))) ?? null
    const answers = await controller.write((input) => decideElections(input, electionType, named))
    return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, replicaElectionResults: byTopic(answers) }
  },
})

function byTopic(answers: readonly ElectionAnswer[]) {
  const topics = new Map<string, { partitionId: number; errorCode: number; errorMessage: string | null }[]>()
  for (const { topic, partition, result } of answers) {
    const partitionResult = topics.get(topic) ?? []
    topics.set(topic, partitionResult)
    partitionResult.push({
      partitionId: partition,
      errorCode: result.errorCode,
      errorMessage: 'errorMessage' in result ? result.errorMessage : null,
    })
  }
  return [...topics].map(([topic, partitionResult]) => ({ topic, partitionResult }))
}
